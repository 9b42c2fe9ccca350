/** Hostile mails in a real browser: with no other wall than the sanitiser, in Light, and in the frame's own document. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PlainBrowser } from '@postrider/testkit/browser'
import { ImapClient } from '@postrider/testkit/imap'
import { TestServer } from '@postrider/testkit/server'
import { tricks } from '@postrider/testkit/tricks'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openBrowser, withoutBrowser } from './browser.ts'

const skip = withoutBrowser
const PASSWORD = 'correct horse battery'
/** Several to a mail, each behind a mark that must still be there, in its place. */
const TOGETHER = 6
const GROUPS = Math.ceil(tricks.length / TOGETHER)
let server: TestServer
let browser: Browser
let plain: PlainBrowser
let context: BrowserContext
let origin = ''
let accountId = ''
const ids: string[] = []

before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  await server.addUser('bob@example.com', PASSWORD)
  const imap = await ImapClient.login(server.port('imaps'), 'bob@example.com', PASSWORD)
  for (let n = 0; n < GROUPS; n++) {
    const html = tricks.slice(n * TOGETHER, (n + 1) * TOGETHER).join('<hr>')
    const text = `From: eve@evil.example\r\nSubject: ${n}\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n`
    assert.equal((await imap.append('INBOX', Buffer.from(text))).status, 'OK')
  }
  imap.close()
  origin = `https://127.0.0.1:${server.port('https')}`
  plain = new PlainBrowser(server.port('https'))
  await plain.signIn('bob@example.com', PASSWORD, { light: '1' })
  const session = JSON.parse((await plain.send('GET', '/web/session')).text) as { accountId: string; csrf: string }
  accountId = session.accountId
  const body = JSON.stringify({
    using: ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'],
    methodCalls: [['Email/query', { accountId }, '0']],
  })
  const answer = await plain.send('POST', '/jmap/api', {
    headers: { 'Content-Type': 'application/json', 'Postrider-Csrf': session.csrf },
    body,
  })
  ids.push(...JSON.parse(answer.text).methodResponses[0][1].ids)
  browser = await openBrowser()
  context = await browser.newContext({ ignoreHTTPSErrors: true })
  const value = plain.cookies.get('__Host-postrider') ?? ''
  await context.addCookies([
    { name: '__Host-postrider', value, url: origin, secure: true, httpOnly: true, sameSite: 'Strict' },
  ])
})
after(async () => {
  await context?.close()
  await browser?.close()
  plain?.close()
  await server?.stop()
})

/** A page that tells of everything that ran or went out. */
async function watched(
  wall: (url: string) => string | undefined,
): Promise<{ readonly page: Page; readonly faults: string[] }> {
  const page = await context.newPage()
  const faults: string[] = []
  page.on('dialog', (dialog) => {
    faults.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('popup', (popup) => faults.push(`popup ${popup.url()}`))
  await page.route('**/*', (route) => {
    const url = route.request().url()
    const own = wall(url)
    if (own !== undefined) return route.fulfill({ contentType: 'text/html; charset=utf-8', body: own })
    if (url.startsWith(origin) || url.startsWith('data:')) return route.continue()
    faults.push(`request ${url}`)
    return route.abort()
  })
  return { page, faults }
}
/** Elements and attributes that no mail may bring into a page. */
const strangers = (): string[] =>
  [...document.querySelectorAll('.pr-mail *')]
    .filter((one) =>
      /^(?:script|style|iframe|frame|object|embed|svg|math|form|input|button|base|meta|link|template|video|audio|select|textarea)$/.test(
        one.localName,
      )
        ? one.localName !== 'style' || one.parentElement?.className !== 'pr-mail'
        : [...one.attributes].some(({ name }) => name.startsWith('on')),
    )
    .map((one) => one.outerHTML.slice(0, 200))

test('the sanitiser alone, without any policy: nothing runs, nothing is asked for, nothing leaves its box', {
  skip,
}, async () => {
  assert.equal(ids.length, GROUPS)
  let html = ''
  const wall = 'https://wall.example/'
  const { page, faults } = await watched((url) => (url === wall ? html : undefined))
  for (const id of ids) {
    const answer = await plain.send('GET', `/mail/body/${accountId}/${id}`)
    const inner = /<body>([\s\S]*)<\/body>/.exec(answer.text)?.[1] ?? ''
    html = `<!doctype html><body><section id="box">${inner}</section><p id="after">after</p>`
    await page.goto(wall)
    assert.deepEqual(await page.evaluate(strangers), [], id)
    assert.equal(
      await page.evaluate(
        () =>
          document.querySelector('#after')?.parentElement === document.body &&
          document.querySelectorAll('#box').length === 1,
      ),
      true,
      id,
    )
  }
  assert.deepEqual(faults, [])
  await page.close()
})

test('in the frame’s own document and in Light, pictures wanted: only our own server is asked', { skip }, async () => {
  const { page, faults } = await watched(() => undefined)
  for (const id of ids) {
    await page.goto(`${origin}/mail/body/${accountId}/${id}?pictures=1`)
    await page.goto(`${origin}/light/mail/${id}?view=html&pictures=1&all=1`)
    assert.deepEqual(await page.evaluate(strangers), [], id)
    assert.equal(await page.evaluate(() => document.querySelector('footer')?.parentElement === document.body), true, id)
  }
  assert.deepEqual(faults, [])
  await page.close()
})
