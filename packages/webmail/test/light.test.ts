/** R18: the Light version in Chromium with its scripts off: every page at the widths of a phone and a desk, in both themes and languages. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SmtpClient } from '@postrider/testkit/smtp'
import { TestServer } from '@postrider/testkit/server'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, violations, withoutBrowser } from './browser.ts'
import { shot } from './room.ts'

const skip = withoutBrowser
const timeout = 180_000
const PASSWORD = 'correct horse battery'
const MAX_PAGE = 25_000
let server: TestServer
let browser: Browser
let origin = ''

before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  await server.addUser('ada@example.com', PASSWORD)
  origin = `https://127.0.0.1:${server.port('https')}`
  browser = await openBrowser()
  const client = await SmtpClient.connect(server.port('smtp'))
  const mails: readonly (readonly [string, string, string])[] = [
    ['Plan for Tuesday', 'a', 'Shall we meet at ten?'],
    ['Re: Plan for Tuesday', 'b', 'Yes, at ten.\r\n\r\nOn Monday Grace wrote:\r\n> Shall we meet at ten?'],
    ['Invoice 17 of the garden centre', 'c', 'Please pay.'],
  ]
  for (const [subject, id, text] of mails)
    await client.deliver(
      'grace@outside.example',
      'ada@example.com',
      `From: Grace Hopper <grace@outside.example>\r\nTo: ada@example.com\r\nSubject: ${subject}\r\nMessage-ID: <${id}@outside.example>\r\n${id === 'b' ? 'In-Reply-To: <a@outside.example>\r\n' : ''}Date: ${new Date().toUTCString()}\r\n\r\n${text}\r\n`,
    )
  client.close()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

/** Opens a page of Light: within its size, not wider than the screen. */
async function look(page: Page, path: string, name: string): Promise<void> {
  const answer = await page.goto(origin + path)
  assert.equal(answer?.status(), 200, path)
  const size = (await answer?.body())?.length ?? 0
  assert.ok(size <= MAX_PAGE, `${path}: ${size} bytes`)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  await shot(page, name)
  const wider = await page.evaluate(() =>
    [...document.querySelectorAll('body *')]
      .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map((one) => one.outerHTML.slice(0, 80)),
  )
  assert.ok(wide <= 0, `${path} is ${wide} pixels too wide: ${wider.slice(-5).join(' ')}`)
}

test('R18: without scripts on a phone, dark, in French: no fault of accessibility, nothing too wide', {
  skip,
  timeout,
}, async (t) => {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    javaScriptEnabled: false,
    colorScheme: 'dark',
    locale: 'fr',
    viewport: { width: 360, height: 800 },
  })
  t.after(() => context.close())
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  await page.goto(`${origin}/signin`)
  assert.equal(await page.locator('#passkey').count(), 0, 'an address has no passkeys')
  await page.locator('[name=login]').fill('ada@example.com')
  await page.locator('[name=password]').fill(PASSWORD)
  await page.locator('form:has([name=password]) [type=submit]').first().click()
  await page.waitForURL(/\/light\/folder\//)
  await page.goto(`${origin}/light/options/regional`)
  await page.locator('#language').selectOption('fr')
  await page.locator('main button').last().click()
  await page.waitForURL(/\/light\/options$/)
  await page.goto(`${origin}/light/`)
  const inbox = new URL(page.url()).pathname
  await look(page, inbox, 'light-list')
  const hrefs = await page.locator('.list .s a').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''))
  const id = (hrefs.find((one) => one.includes('/mail/')) ?? '').split('/').at(-1) ?? ''
  const places: readonly (readonly [string, string])[] = [
    [hrefs.find((one) => one.includes('/conversation/')) ?? '', 'light-conversation'],
    [`/light/acts?id=${id}&here=${encodeURIComponent(inbox)}`, 'light-acts'],
    ['/light/compose', 'light-compose'],
    ['/light/people?q=ada', 'light-people'],
    ['/light/options', 'light-options'],
    ['/light/options/rules/new', 'light-rule'],
    ['/light/options/app-passwords', 'light-app-passwords'],
    ['/light/options/password', 'light-password'],
    ['/light/options/security', 'light-security'],
  ]
  for (const [path, name] of places) await look(page, path, name)
  // The checker is a script itself: it looks at the same pages in a browser that runs it.
  const checking = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: 'dark',
    viewport: { width: 360, height: 800 },
    storageState: await context.storageState(),
  })
  t.after(() => checking.close())
  const checked = await checking.newPage()
  for (const [path] of [[inbox], ...places]) {
    await checked.goto(origin + path)
    assert.deepEqual(await violations(checked), [], path)
  }
})
