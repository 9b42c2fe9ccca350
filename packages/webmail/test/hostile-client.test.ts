/**
 * The corpus of leaks in the full client, as a sheet for the printer, and in Light. Its name resolves to a place of ours that listens and counts connections, so what
 * leaves the browser is seen whatever the browser says about it.
 */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { after, before, test } from 'node:test'
import { ImapClient } from '@postrider/testkit/imap'
import { TestServer } from '@postrider/testkit/server'
import { leaks } from '@postrider/testkit/tricks'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openBrowser, withoutBrowser } from './browser.ts'

const skip = withoutBrowser
const PASSWORD = 'correct horse battery'
const BOB = 'bob@example.com'
const LEAK = 'https://leak.example'
const TOGETHER = 12
let server: TestServer
let browser: Browser
let context: BrowserContext
let sink: Server
let origin = ''
/** First bytes of every connection that reached the place that listens. */
const heard: string[] = []
let mails = 0

const mailOf = (n: number, type: string, body: string, subject = `Letter ${n}`): string =>
  `From: "<img src=${LEAK}/from onerror=alert(1)>" <eve@evil.example>\r\nTo: ${BOB}\r\nSubject: ${subject}\r\n` +
  `Date: ${new Date(Date.now() - n * 60_000).toUTCString()}\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`

const files: readonly (readonly [type: string, name: string, text: string])[] = [
  ['text/html', 'page.html', '<script>document.title="ran"</script>'],
  ['image/svg+xml', 'drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=\'ran\'"/>'],
  [
    'application/xhtml+xml',
    'x.xhtml',
    '<html xmlns="http://www.w3.org/1999/xhtml"><script>document.title="ran"</script></html>',
  ],
  ['text/xml', 'x.xml', `<?xml-stylesheet type="text/xsl" href="${LEAK}/xsl"?><x/>`],
  ['text/javascript', 'x.js', 'document.title="ran"'],
  ['image/png', 'picture.png', '<script>document.title="ran"</script>'],
  [
    'text/calendar',
    'meeting.ics',
    `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:<img src=${LEAK}/ics>\r\nATTACH:${LEAK}/a\r\nEND:VEVENT\r\nEND:VCALENDAR`,
  ],
  ['text/x-amp-html', 'x.amp', `<html amp4email><amp-img src="${LEAK}/amp"></amp-img></html>`],
  ['application/pdf', 'bill\u202efdp.exe', '%PDF-1.4'],
]
const filesMail = (): string => {
  const parts = files.map(
    ([type, name, text]) =>
      `--b\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Disposition: attachment; filename*=utf-8''${encodeURIComponent(name)}\r\n\r\n${text}\r\n`,
  )
  return `--b\r\nContent-Type: text/plain\r\n\r\nfiles\r\n${parts.join('')}--b--`
}

before(async () => {
  if (skip !== false) return
  sink = createServer((socket) => {
    heard.push('a connection')
    socket.on('data', (bytes) => heard.push(bytes.toString('latin1').slice(0, 120)))
    socket.on('error', () => {})
    socket.setTimeout(2_000, () => socket.destroy())
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  const address = sink.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  server = await TestServer.start()
  await server.addUser(BOB, PASSWORD)
  const tricks = leaks(LEAK)
  const imap = await ImapClient.login(server.port('imaps'), BOB, PASSWORD)
  const append = async (text: string): Promise<void> => {
    assert.equal((await imap.append('INBOX', Buffer.from(text))).status, 'OK')
  }
  for (; mails * TOGETHER < tricks.length; mails++) {
    const group = tricks.slice(mails * TOGETHER, (mails + 1) * TOGETHER)
    await append(mailOf(mails, 'text/html; charset=utf-8', `<p>top ${mails}</p>${group.join('\n<hr>\n')}`))
  }
  await append(mailOf(50, 'multipart/mixed; boundary=b', filesMail(), 'Files'))
  await append(
    mailOf(51, 'text/plain', 'plain', `=?utf-8?q?=3Cimg_src=3D${LEAK}/s_onerror=3Dalert(1)=3E_=E2=80=AEtxt?=`),
  )
  imap.close()
  origin = `https://localhost:${server.port('https')}`
  browser = await openBrowser([
    `--host-resolver-rules=MAP leak.example 127.0.0.1:${port}, MAP * ~NOTFOUND, EXCLUDE localhost`,
  ])
  context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  context.setDefaultTimeout(30_000)
})
after(async () => {
  await browser?.close()
  await server?.stop()
  sink?.close()
})

interface Watched {
  readonly page: Page
  readonly faults: string[]
}
async function watched(): Promise<Watched> {
  const page = await context.newPage()
  const faults: string[] = []
  page.on('dialog', (dialog) => {
    faults.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('popup', (popup) => faults.push(`popup ${popup.url()}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(origin) && !/^(?:data|blob|about):/.test(url)) faults.push(`request ${url}`)
    if (/\/(?:signout|web\/act)$/.test(new URL(url).pathname) && request.frame() !== page.mainFrame())
      faults.push(`act ${url}`)
  })
  return { page, faults }
}
async function signIn(page: Page): Promise<void> {
  await page.goto(`${origin}/signin`)
  await page.locator('[name=login]').fill(BOB)
  await page.locator('[name=password]').fill(PASSWORD)
  await page.locator('form[action="/signin"][method=post] [type=submit]').click()
  await page.waitForSelector('.row:not(.waiting)')
}
const rowOf = (page: Page, text: string) => page.locator('.row', { has: page.getByText(text, { exact: true }) })
/** What must not be in a mail's document, whatever it was sent as. */
const strangers = (): string[] =>
  [...document.querySelectorAll('body *')]
    .filter(
      (one) =>
        /^(?:script|iframe|frame|object|embed|svg|math|form|input|button|base|meta|link|template|video|audio|select|textarea)$/.test(
          one.localName,
        ) || [...one.attributes].some(({ name }) => name.startsWith('on')),
    )
    .map((one) => one.outerHTML.slice(0, 200))

test('the place that listens does hear: a page without our walls leaks', { skip, timeout: 60_000 }, async () => {
  const page = await context.newPage()
  await page.setContent(`<img src="${LEAK}/control">`)
  const until = Date.now() + 30_000
  while (heard.length === 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.notEqual(heard.length, 0)
  await page.close()
  heard.length = 0
})

test('the full client: nothing runs, nothing leaves, with pictures wanted and on paper too', {
  skip,
  timeout: 180_000,
}, async () => {
  const { page, faults } = await watched()
  await signIn(page)
  for (let n = 0; n < mails; n++) {
    await rowOf(page, `Letter ${n}`).click()
    const body = page.frameLocator('.message-frame')
    await body.getByText(`top ${n}`, { exact: true }).waitFor({ state: 'attached' })
    const wanted = page.getByRole('button', { name: 'Show pictures' })
    if ((await wanted.count()) > 0) {
      await wanted.click()
      await wanted.waitFor({ state: 'detached' })
      await body.getByText(`top ${n}`, { exact: true }).waitFor({ state: 'attached' })
    }
    const frame = page.frames().find((one) => one.url().endsWith('/mail/frame.html'))
    assert.ok(frame)
    assert.deepEqual(await frame.evaluate(strangers), [], `Letter ${n}`)
    const links = await frame.evaluate(() =>
      [...document.links]
        .filter(
          (one) =>
            one.target !== '_blank' ||
            !one.relList.contains('noopener') ||
            !/^(?:https?|mailto|tel):/.test(one.protocol),
        )
        .map((one) => one.outerHTML),
    )
    assert.deepEqual(links, [], `Letter ${n}`)
    await page.mouse.move(900, 400)
    await page.emulateMedia({ media: 'print', colorScheme: n % 2 === 0 ? 'dark' : 'light' })
    await page.pdf()
    await page.emulateMedia({ media: null, colorScheme: null })
    // What a mail shows stays in its frame.
    assert.equal(await page.evaluate(() => document.querySelectorAll('.shell').length), 1)
    assert.equal(await page.evaluate(() => document.querySelector('.toast')?.textContent ?? ''), '')
  }
  await page.goto(`${origin}/mail/`)
  await page.waitForSelector('.row:not(.waiting)')
  assert.deepEqual(faults, [])
  assert.deepEqual(heard, [])
  await page.close()
})

test('Light: the same', { skip, timeout: 120_000 }, async () => {
  const { page, faults } = await watched()
  await page.goto(`${origin}/light/`)
  for (let n = 0; n < mails; n++) {
    await page.goto(`${origin}/light/`)
    await page
      .getByRole('link', { name: `Letter ${n}`, exact: true })
      .first()
      .click()
    await page.waitForURL(/\/light\/mail\//)
    const id = new URL(page.url()).pathname
    for (const query of ['view=html&all=1', 'view=html&pictures=1&all=1']) {
      await page.goto(`${origin}${id}?${query}`)
      assert.deepEqual(
        await page.evaluate(() =>
          [...document.querySelectorAll('.body *')]
            .filter(
              (one) =>
                /^(?:script|iframe|object|embed|svg|math|form|input|button|base|meta|link|template|video|audio|select|textarea)$/.test(
                  one.localName,
                ) || [...one.attributes].some(({ name }) => name.startsWith('on')),
            )
            .map((one) => one.outerHTML),
        ),
        [],
        `Letter ${n}`,
      )
    }
    await page.emulateMedia({ media: 'print' })
    await page.pdf()
    await page.emulateMedia({ media: null })
  }
  assert.deepEqual(faults, [])
  assert.deepEqual(heard, [])
  await page.close()
})

test('files of mails: fetched they are files; no page runs, applies or frames them; names read as they end', {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, faults } = await watched()
  await page.goto(`${origin}/mail/`)
  await rowOf(page, 'Files').click()
  await page.locator('.attachment').first().waitFor()
  const links = await page
    .locator('.attachments a[download]')
    .evaluateAll((all) =>
      all.map((one) => [(one as HTMLAnchorElement).href, (one as HTMLAnchorElement).download] as const),
    )
  assert.ok(links.length >= files.length - 1, JSON.stringify(links))
  assert.ok(links.every(([, name]) => !/[\u202a-\u202e]/.test(name)))
  assert.ok(
    links.some(([, name]) => name === 'billfdp.exe'),
    JSON.stringify(links),
  )
  for (const [href] of links) {
    const response = await context.request.get(href)
    const headers = response.headers()
    assert.equal(response.status(), 200, href)
    assert.match(headers['content-disposition'] ?? '', /^attachment/, href)
    assert.equal(headers['x-content-type-options'], 'nosniff', href)
    assert.match(headers['content-security-policy'] ?? '', /sandbox/, href)
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', href)
    // As a script, a style and a frame of a page of ours.
    const ran = await page.evaluate(async (url) => {
      const results: string[] = []
      for (const [tag, attribute] of [
        ['link', 'href'],
        ['iframe', 'src'],
        ['embed', 'src'],
        ['object', 'data'],
      ] as const) {
        const element = document.createElement(tag)
        if (tag === 'link') element.setAttribute('rel', 'stylesheet')
        const done = new Promise<string>((resolve) => {
          element.onload = () => resolve('load')
          element.onerror = () => resolve('error')
          setTimeout(() => resolve('nothing'), 300)
        })
        try {
          element.setAttribute(attribute, url)
        } catch {
          // Trusted Types: no page of ours takes a string there.
          continue
        }
        document.body.append(element)
        const outcome = await done
        const inside = (element as HTMLIFrameElement).contentDocument?.title
        if (inside === 'ran' || (tag === 'link' && outcome === 'load')) results.push(`${tag} ${outcome} ${inside}`)
        element.remove()
      }
      return [...results, ...(document.title === 'ran' ? ['title'] : [])]
    }, href)
    assert.deepEqual(ran, [], href)
  }
  const asScript = await context.request.get(links[0]?.[0] ?? '', { headers: { 'Sec-Fetch-Dest': 'script' } })
  assert.equal(asScript.status(), 403)
  assert.deepEqual(
    faults.filter((one) => !one.startsWith('request')),
    [],
  )
  assert.deepEqual(heard, [])
  await page.close()
})

test('no other site frames a page of ours, reads it, or acts with its cookie', { skip, timeout: 60_000 }, async () => {
  const cookies = await context.cookies(origin)
  const session = cookies.find((one) => one.name.includes('postrider') && one.httpOnly)
  assert.deepEqual([session?.sameSite, session?.secure, session?.httpOnly], ['Strict', true, true])
  for (const path of ['/mail/', '/light/', '/signin', '/web/session', '/light/settings']) {
    const headers = (await context.request.get(`${origin}${path}`)).headers()
    assert.match(headers['content-security-policy'] ?? "frame-ancestors 'none'", /frame-ancestors 'none'/, path)
    assert.equal(headers['x-frame-options'], 'DENY', path)
    assert.equal(headers['access-control-allow-origin'], undefined, path)
  }
  const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
  const acts: readonly (readonly [path: string, type: string, data: string])[] = [
    ['/signout', 'application/x-www-form-urlencoded', ''],
    ['/web/act', 'text/plain', ''],
    ['/web/sessions/end', 'text/plain', '{"others":true}'],
    ['/jmap/api', 'text/plain', '{"using":[],"methodCalls":[]}'],
    ['/jmap/api', 'application/json', '{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{},"a"]]}'],
    ['/jmap/upload/A2/', 'text/html', '<script>alert(1)</script>'],
    ['/light/compose', 'application/x-www-form-urlencoded', 'to=eve@evil.example&send=1'],
    ['/light/settings', 'application/x-www-form-urlencoded', 'language=fr'],
  ]
  for (const [path, type, data] of acts) {
    const status = async (headers: Record<string, string>): Promise<number> =>
      (
        await context.request.post(`${origin}${path}`, {
          headers: { 'Content-Type': type, ...headers },
          data,
          maxRedirects: 0,
        })
      ).status()
    for (const headers of [foreign, {}, { 'Sec-Fetch-Site': 'same-site', Origin: 'https://other.localhost' }])
      assert.ok([400, 401, 403, 404, 405, 415].includes(await status(headers)), `${path} ${await status(headers)}`)
  }
  const page = await context.newPage()
  await page.goto(`${origin}/mail/`)
  await page.waitForSelector('.shell')
  await page.close()
})
