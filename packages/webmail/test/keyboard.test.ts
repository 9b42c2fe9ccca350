/**
 * Keys alone, in the real program, from the address bar on: signing in, finding a mail, reading it, answering it, signing out. And what a server
 * that lets nobody change the password shows and refuses.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from '@postrider/testkit/server'
import { ImapClient } from '@postrider/testkit/imap'
import { until } from '@postrider/testkit/process'
import { SmtpClient } from '@postrider/testkit/smtp'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, withoutBrowser } from './browser.ts'

const skip = withoutBrowser
const timeout = 180_000
const PATIENCE_MS = 30_000
const PASSWORD = 'correct horse battery'
const [ADA, BOB] = ['ada@example.com', 'bob@example.com']
let server: TestServer
let browser: Browser
before(async () => {
  if (skip !== false) return
  server = await TestServer.start({ config: { web: { passwordChange: false } } })
  for (const one of [ADA, BOB]) await server.addUser(one, PASSWORD)
  const client = await SmtpClient.connect(server.port('smtp'))
  for (const subject of ['Compass', 'Atlas'])
    await client.deliver(
      BOB,
      ADA,
      `From: Bob <${BOB}>\r\nTo: ${ADA}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.com>\r\n\r\nAbout the ${subject}.\r\n`,
    )
  client.close()
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

const name = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const at = document.activeElement === document.body ? null : document.activeElement
    return at?.getAttribute('aria-label') ?? at?.getAttribute('name') ?? at?.textContent?.trim() ?? ''
  })
/** Goes on with Tab until what has the focus is called so. */
async function tabTo(page: Page, wanted: string | RegExp, most = 40): Promise<void> {
  for (let i = 0; i < most; i++) {
    const now = await name(page)
    if (typeof wanted === 'string' ? now === wanted : wanted.test(now)) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`${wanted} is not reached by Tab; the focus is at ${await name(page)}`)
}

test('WCAG 2.1.1: keys alone, from the sign-in to an answer that arrived', { skip, timeout }, async (t) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  t.after(() => context.close())
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const { keyboard } = page
  await page.goto(`https://127.0.0.1:${server.port('https')}/mail/`)
  await tabTo(page, 'login')
  await keyboard.type(ADA)
  await tabTo(page, 'password')
  await keyboard.type(PASSWORD)
  // By its button: Enter in the field is what others try.
  await tabTo(page, 'Sign in')
  await keyboard.press('Enter')
  await page.waitForSelector('.row:not(.waiting)')
  // Into the list, and along it to the mail; the order of two that came together is not our business.
  await tabTo(page, /Atlas|Compass/)
  await keyboard.press('Home')
  await page.waitForFunction(() => document.activeElement?.id === 'row-0')
  if (!/Compass/.test(await name(page))) await keyboard.press('ArrowDown')
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Compass') === true)
  await keyboard.press('Enter')
  await page.frameLocator('.message-frame').getByText('About the Compass').waitFor()
  await keyboard.press('r')
  await page.waitForFunction(() => document.activeElement?.closest('.composer .editor') !== null)
  await keyboard.type('It points north.')
  await keyboard.press('Control+Enter')
  await page.locator('.toast', { hasText: /Sending in/ }).waitFor()
  // It leaves when the time to undo is over; the answer is in the other's Inbox, once.
  const imap = await ImapClient.login(server.port('imaps'), BOB, PASSWORD)
  t.after(() => imap.close())
  await until(
    'the answer arrived',
    async () => {
      await imap.command('SELECT INBOX')
      const { untagged } = await imap.command('UID SEARCH SUBJECT "Re: Compass" BODY "points north"')
      return untagged.some((one) => /^\* SEARCH \d+$/.test(one))
    },
    60_000,
  )
  await keyboard.press('Control+k')
  await page.getByRole('combobox').waitFor()
  await keyboard.type('Sign out')
  await keyboard.press('Enter')
  await page.waitForURL(/\/signin/)
})

test('web.passwordChange false: neither dress offers it, and the server refuses it', { skip, timeout }, async (t) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  t.after(() => context.close())
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const origin = `https://127.0.0.1:${server.port('https')}`
  await page.goto(`${origin}/mail/settings/security`)
  await page.locator('[name=login]').fill(ADA)
  await page.locator('[name=password]').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'App passwords' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Change password' }).count(), 0)
  // Who asks all the same, with everything a request needs.
  const answer = await page.evaluate(async (password) => {
    const start = JSON.parse(document.querySelector('#start')?.textContent ?? '{}') as { readonly headers: HeadersInit }
    const wanted = 'a new one that is long enough'
    const response = await fetch('/web/account/password', {
      method: 'POST',
      headers: { ...start.headers, 'Content-Type': 'application/json' },
      body: JSON.stringify({ password, wanted, again: wanted }),
    })
    return { status: response.status, text: await response.text() }
  }, PASSWORD)
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`)
  await page.goto(`${origin}/light/options`)
  assert.equal(await page.getByRole('link', { name: 'Change password' }).count(), 0)
  await page.goto(`${origin}/light/options/password`)
  assert.equal(await page.locator('input[type=password]').count(), 0)
  // The old one holds.
  const imap = await ImapClient.login(server.port('imaps'), ADA, PASSWORD)
  imap.close()
})
