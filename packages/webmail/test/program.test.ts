/** The client and the real program: signed in by the form, mail by SMTP, every screen against the real JMAP. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SmtpClient } from '@postrider/testkit/smtp'
import { TestServer } from '@postrider/testkit/server'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openBrowser, violations, withoutBrowser } from './browser.ts'

const skip = withoutBrowser
const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
const BOB = 'bob@example.com'
let server: TestServer
let browser: Browser
let origin = ''
const contexts: BrowserContext[] = []

before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  for (const one of [ADA, BOB]) await server.addUser(one, PASSWORD)
  origin = `https://127.0.0.1:${server.port('https')}`
  browser = await openBrowser()
  await deliver('Minutes of Tuesday', 'The plan stands.\r\n', 'm1')
  await deliver('Re: Minutes of Tuesday', 'I agree.\r\n', 'm2', 'm1')
  await deliver('Tickets', 'Two tickets to Zurich.\r\n', 'm3')
  await deliverRaw(
    [
      'From: News <news@outside.example>',
      `To: ${ADA}`,
      'Subject: Hostile letter',
      'Message-ID: <m4@outside.example>',
      'MIME-Version: 1.0',
      'Content-Type: text/html; charset=utf-8',
      '',
      '<p id=seen style="color:rgb(1, 2, 3)">seen</p><style>#seen{font-size:31px}</style><script>top.hacked=1</script><img src=x onerror="top.hacked=1"><img src="https://leak.example/pixel.png"><a href="javascript:top.hacked=1">go</a><style>p{background:url(https://leak.example/css)}</style>',
      '',
    ].join('\r\n'),
  )
})
after(async () => {
  for (const one of contexts) await one.close()
  await browser?.close()
  await server?.stop()
})

async function deliverRaw(text: string): Promise<void> {
  const client = await SmtpClient.connect(server.port('smtp'))
  await client.deliver('grace@outside.example', ADA, text)
  client.close()
}
const deliver = (subject: string, text: string, id: string, answers?: string): Promise<void> =>
  deliverRaw(
    [
      'From: Grace Hopper <grace@outside.example>',
      `To: Ada <${ADA}>`,
      `Subject: ${subject}`,
      `Message-ID: <${id}@outside.example>`,
      ...(answers === undefined
        ? []
        : [`In-Reply-To: <${answers}@outside.example>`, `References: <${answers}@outside.example>`]),
      `Date: ${new Date().toUTCString()}`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      '',
      text,
    ].join('\r\n'),
  )

async function signedIn(who: string): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  context.setDefaultTimeout(10_000)
  contexts.push(context)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(`${origin}/mail/`)
  await page.locator('[name=login]').fill(who)
  await page.locator('[name=password]').fill(PASSWORD)
  await page
    .locator('form:has([name=password]) button[type=submit], form:has([name=password]) [type=submit]')
    .first()
    .click()
  await page.waitForSelector('.shell')
  return { page, problems }
}
const row = (page: Page, text: string) => page.locator('.row', { hasText: text })
const toast = (page: Page, text: RegExp) => page.locator('.toast', { hasText: text }).waitFor()

test('R15: reading, conversations, new mail by push, archive and undo', { skip, timeout: 120_000 }, async () => {
  const { page, problems } = await signedIn(ADA)
  await row(page, 'Tickets').waitFor()
  await row(page, 'Minutes of Tuesday').click()
  await page.waitForSelector('.message-frame[data-ready]')
  assert.equal(await page.locator('article.message, button.message').count(), 2, 'a conversation of two')
  await page.frameLocator('.message-frame').last().getByText('I agree.').waitFor()
  const start = Date.now()
  await deliver('Straight from the wire', 'Now.\r\n', 'm5')
  await row(page, 'Straight from the wire').waitFor()
  assert.ok(Date.now() - start < 5_000, `${Date.now() - start} ms`)
  await row(page, 'Tickets').click()
  await page.keyboard.press('e')
  await toast(page, /archived/)
  await row(page, 'Tickets').waitFor({ state: 'detached' })
  await page.keyboard.press('z')
  await row(page, 'Tickets').waitFor()
  await page.waitForTimeout(500)
  await page.reload()
  await row(page, 'Tickets').waitFor()
  assert.deepEqual(await violations(page), [])
  assert.deepEqual(problems, [])
})

test('no script of a mail runs and no request leaves before consent', { skip, timeout: 60_000 }, async () => {
  const { page } = await signedIn(ADA)
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  await row(page, 'Hostile letter').click()
  await page.waitForSelector('.message-frame[data-ready]')
  await page.frameLocator('.message-frame').getByText('seen').waitFor()
  // A mail's styles are the mail's: its frame has a policy of its own, the page around it takes no style sheet but ours.
  const looks = await page
    .frameLocator('.message-frame')
    .getByText('seen')
    .evaluate((one) => [getComputedStyle(one).color, getComputedStyle(one).fontSize])
  assert.deepEqual(looks, ['rgb(1, 2, 3)', '31px'])
  const outside = await page.evaluate(() => {
    const style = document.createElement('style')
    style.textContent = 'body{outline:7px solid red}'
    document.head.append(style)
    return getComputedStyle(document.body).outlineWidth
  })
  assert.notEqual(outside, '7px')
  await page.getByRole('button', { name: 'Show pictures' }).click()
  await page.waitForTimeout(500)
  assert.equal(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked), undefined)
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(origin) && !/^(?:data|blob|about):/.test(url)),
    [],
  )
})

test('R15: a mail with picture and attachment is written, held, taken back, sent, read by the other', {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, problems } = await signedIn(ADA)
  await row(page, 'Tickets').waitFor()
  await page.keyboard.press('n')
  await page.waitForSelector('.composer .editor')
  await page.keyboard.type(BOB)
  await page.keyboard.press('Enter')
  await page.locator('.composer').getByLabel('Subject').fill('From the browser')
  await page.locator('.editor').click()
  await page.keyboard.type('Dear Bob, see the picture.')
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  )
  await page.getByRole('button', { name: 'Insert picture' }).click()
  await page
    .locator('.composer input[type=file]')
    .setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: png })
  await page.locator('.editor img').waitFor()
  await page.getByRole('button', { name: 'Attach files' }).click()
  await page
    .locator('.composer input[type=file]')
    .setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('the plan') })
  await page.locator('.compose-files .chip', { hasText: 'plan.txt' }).waitFor()
  await page.locator('.composer-state', { hasText: 'Draft saved' }).waitFor()
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  await toast(page, /Sending in/)
  await page.keyboard.press('z')
  await toast(page, /Not sent/)
  await page.waitForSelector('.composer .editor')
  assert.equal(await page.locator('.composer [aria-label="Remove plan.txt"]').count(), 1)
  await page.goto(`${origin}/mail/settings/general`)
  await page.getByRole('group', { name: 'Time to undo sending' }).getByRole('radio', { name: 'Off' }).check()
  await page.goto(`${origin}/mail/drafts`)
  await row(page, 'From the browser').click()
  await page.locator('.message-acts').getByRole('button', { name: 'Open' }).click()
  await page.waitForSelector('.composer .editor')
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  await toast(page, /^Sent/)
  const other = await signedIn(BOB)
  await row(other.page, 'From the browser').click()
  await other.page.waitForSelector('.message-frame[data-ready]')
  await other.page.locator('.attachment', { hasText: 'plan.txt' }).waitFor()
  const picture = other.page.frameLocator('.message-frame').locator('img')
  await picture.waitFor()
  assert.equal(
    await picture.evaluate((one: HTMLImageElement) => one.naturalWidth),
    1,
    'the picture in the text is shown',
  )
  assert.deepEqual([...problems, ...other.problems], [])
})

test('search as one types with marks; folders; automatic replies; signature', { skip, timeout: 120_000 }, async () => {
  const { page, problems } = await signedIn(ADA)
  await row(page, 'Tickets').waitFor()
  await page.locator('#search').pressSequentially('zurich')
  await page.locator('.row mark').first().waitFor()
  assert.equal(await page.locator('[role=grid]').getAttribute('aria-rowcount'), '1')
  await page.keyboard.press('Escape')
  await row(page, 'Hostile letter').waitFor()
  await page.getByRole('button', { name: 'New folder' }).click()
  await page.keyboard.type('Receipts')
  await page.keyboard.press('Enter')
  const folder = page.getByRole('treeitem', { name: 'Receipts' })
  await folder.waitFor()
  await row(page, 'Tickets').dragTo(folder)
  await toast(page, /moved to Receipts/)
  await folder.click()
  await row(page, 'Tickets').waitFor()
  await page.goto(`${origin}/mail/settings/autoReply`)
  await page.getByRole('switch').check()
  await page.getByRole('group', { name: 'Outside' }).getByLabel('Text').fill('I am away.')
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, /Saved/)
  await page.reload()
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('[role=switch]')?.checked === true)
  await page.getByRole('switch').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, /Saved/)
  await page.goto(`${origin}/mail/settings/signatures`)
  await page.getByRole('textbox', { name: 'Signature' }).first().fill('Ada, engines')
  await page.getByRole('button', { name: 'Save' }).first().click()
  await toast(page, /Saved/)
  await page.goto(`${origin}/mail/`)
  await row(page, 'Hostile letter').waitFor()
  await page.keyboard.press('n')
  await page.locator('.editor', { hasText: 'Ada, engines' }).waitFor()
  assert.deepEqual(problems, [])
})

test('R46, R48: the twelve values at Settings, Account; sessions; signing out ends it for every tab', {
  skip,
  timeout: 60_000,
}, async () => {
  const { page, problems } = await signedIn(BOB)
  const tab = await page.context().newPage()
  await tab.goto(`${origin}/mail/`)
  await tab.waitForSelector('.shell')
  await page.getByRole('button', { name: /^Account:/ }).click()
  await page.getByRole('menuitem', { name: 'Settings' }).click()
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByRole('heading', { name: 'Settings for POP or IMAP access' }).waitFor()
  await page.getByRole('row', { name: /^IMAP/ }).getByText('Not configured').waitFor()
  await page.locator('.sessions li').first().waitFor()
  await page.getByRole('button', { name: /^Account:/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(/\/signin/)
  await tab.waitForURL(/\/signin/)
  assert.deepEqual(problems, [])
})

test('a mail for later waits on the server, shows its time, and is taken back from there', {
  skip,
  timeout: 60_000,
}, async () => {
  const { page, problems } = await signedIn(ADA)
  await page.waitForSelector('.row:not(.waiting)')
  await page.keyboard.press('n')
  await page.waitForSelector('.composer .editor')
  await page.keyboard.type(BOB)
  await page.keyboard.press('Enter')
  await page.locator('.composer').getByLabel('Subject').fill('For tomorrow')
  await page.locator('.editor').click()
  await page.keyboard.type('Good morning')
  await page.getByRole('button', { name: /^Send later/ }).click()
  await page.getByRole('menuitem', { name: /^Tomorrow morning/ }).click()
  await toast(page, /Will be sent/)
  await page.goto(`${origin}/mail/sent`)
  await row(page, 'For tomorrow').click()
  await page.getByRole('button', { name: 'Do not send' }).click()
  await toast(page, /Not sent/)
  await page.locator('.editor', { hasText: 'Good morning' }).waitFor()
  assert.deepEqual(problems, [])
})
