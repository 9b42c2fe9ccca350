/** While the server is away: files of kept mails, the list of what waits, and sending with no page open. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { JmapClient } from '@postrider/testkit/jmap'
import { temporaryFolder, until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'
import { SmtpClient } from '@postrider/testkit/smtp'
import type { BrowserContext, Page } from 'playwright-core'
import { openPersistent, violations, withoutBrowser } from './browser.ts'
import { row, shot } from './room.ts'

const skip = withoutBrowser
const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
const BOB = 'bob@example.com'
const LONG = 60_000
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGNgYPhPIhrVMKph5GoAAP+P/gHcoUq6AAAAAElFTkSuQmCC'

let server: TestServer
let origin = ''
const open = new Set<BrowserContext>()
before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  for (const one of [ADA, BOB]) await server.addUser(one, PASSWORD)
  origin = `https://127.0.0.1:${server.port('https')}`
  const client = await SmtpClient.connect(server.port('smtp'))
  const lines = [
    'From: Grace <grace@outside.example>',
    `To: ${ADA}`,
    'Subject: With files',
    'Message-ID: <f1@outside.example>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=x',
    '',
    '--x',
    'Content-Type: multipart/related; boundary=y',
    '',
    '--y',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p>Look: <img src="cid:p1" alt="square"></p>',
    '--y',
    'Content-Type: image/png; name="inline.png"',
    'Content-ID: <p1>',
    'Content-Disposition: inline; filename="inline.png"',
    'Content-Transfer-Encoding: base64',
    '',
    PNG,
    '--y--',
    '--x',
    'Content-Type: text/plain; name="note.txt"',
    'Content-Disposition: attachment; filename="note.txt"',
    '',
    'Kept for the train.',
    '--x--',
    '',
  ]
  await client.deliver('grace@outside.example', ADA, lines.join('\r\n'))
  client.close()
})
after(async () => {
  for (const one of open) await one.close().catch(() => {})
  await server?.[Symbol.asyncDispose]()
})

async function phone(folder: string): Promise<{ readonly context: BrowserContext; readonly page: Page }> {
  const context = await openPersistent(folder)
  open.add(context)
  context.setDefaultTimeout(LONG)
  const page = context.pages()[0] ?? (await context.newPage())
  await page.goto(`${origin}/mail/`)
  await page.locator('[name=login]').fill(ADA)
  await page.locator('[name=password]').fill(PASSWORD)
  await page.locator('#private').check()
  await page.locator('form[method=post] [type=submit]').first().click()
  await page.waitForSelector('.row:not(.waiting)')
  await page.evaluate(() => navigator.serviceWorker.ready)
  await until('mail and its files are kept', async () => (await count(page, 'files')) >= 3, LONG)
  await until('the frame is kept', async () => (await count(page, 'meta')) >= 2, LONG)
  return { context, page }
}

/** Entries of a store of this device. */
const count = (page: Page, store: string): Promise<number> =>
  page.evaluate(
    (name) =>
      new Promise<number>((resolve) => {
        void indexedDB.databases().then((all) => {
          const found = all.find((one) => one.name?.startsWith('postrider-'))?.name
          if (found === undefined) return resolve(-1)
          const request = indexedDB.open(found)
          request.onsuccess = () => {
            const { result } = request
            const all = result.transaction(name).objectStore(name).count()
            all.onsuccess = () => {
              result.close()
              resolve(all.result)
            }
          }
          request.onerror = () => resolve(-1)
        })
      }),
    store,
  )
const received = async (subject: string): Promise<number> => {
  const jmap = await new JmapClient({ port: server.port('https'), user: BOB, password: PASSWORD, tls: true }).connect()
  return (await jmap.call('Email/query', { filter: { subject } })).ids.length
}
async function write(page: Page, subject: string, to = BOB): Promise<void> {
  await page.keyboard.press('n')
  await page.waitForSelector('.composer .editor')
  await page.locator('.composer').getByLabel('To', { exact: true }).fill(to)
  await page.keyboard.press('Enter')
  await page.locator('.composer .chip', { hasText: to }).waitFor()
  await page.locator('.composer').getByLabel('Subject').fill(subject)
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  await page.locator('.composer').waitFor({ state: 'detached' })
}

test('pictures and attachments of kept mails are there without a server; the outbox is a list', {
  skip,
  timeout: 280_000,
}, async () => {
  using folder = temporaryFolder('phone')
  const { context, page } = await phone(folder.path)
  await server.stop()
  await page.goto(`${origin}/mail/`)
  await row(page, 'With files').click()
  const picture = page.frameLocator('.message-frame').locator('img')
  await picture.waitFor()
  await until(
    'the picture is painted',
    () => picture.evaluate((one) => (one as HTMLImageElement).naturalWidth === 16),
    LONG,
  )
  await page.getByTitle('Show note.txt').click()
  await page.locator('.preview-body pre', { hasText: 'Kept for the train.' }).waitFor()
  await page.keyboard.press('Escape')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download note.txt' }).click()
  assert.equal((await download).suggestedFilename(), 'note.txt')

  await page.goto(`${origin}/mail/inbox`)
  await row(page, 'With files').waitFor()
  await write(page, 'First from the train')
  await write(page, 'Second from the train')
  await page
    .locator('.bar', { hasText: /2 messages wait/ })
    .getByRole('button', { name: 'Open' })
    .click()
  const list = page.getByRole('dialog', { name: 'Outbox' })
  await list.getByText('First from the train').waitFor()
  assert.equal(await list.getByText('Waits for the server.').count(), 2)
  for (const width of [360, 820, 1440]) {
    await page.setViewportSize({ width, height: 740 })
    await shot(page, `outbox-${width}`)
    assert.deepEqual(await violations(page), [])
  }
  await list.getByRole('button', { name: 'Remove Second from the train' }).click()
  await page.locator('dialog.question').getByRole('button', { name: 'Remove' }).click()
  await list.getByText('Second from the train').waitFor({ state: 'detached' })
  await list.getByRole('button', { name: 'Change First from the train' }).click()
  await page.locator('.composer').getByLabel('Subject').fill('Changed on the train')
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  await page.locator('.composer').waitFor({ state: 'detached' })
  assert.equal(await count(page, 'outbox'), 1)
  await server.restart()
  await until('it is sent', async () => (await received('Changed on the train')) === 1, LONG)
  await until('the outbox is empty', async () => (await count(page, 'outbox')) === 0, LONG)
  assert.equal(await received('First from the train'), 0)
  await context.close()
})

test('what waits leaves by background sync with no page open, once', { skip, timeout: 280_000 }, async () => {
  using folder = temporaryFolder('phone')
  const { context, page } = await phone(folder.path)
  const cdp = await context.newCDPSession(page)
  let registrationId = ''
  cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    for (const one of registrations)
      if (!one.isDeleted && one.scopeURL.includes('/mail/')) registrationId = one.registrationId
  })
  await cdp.send('ServiceWorker.enable')
  await until('the worker is known', () => Promise.resolve(registrationId !== ''), LONG)
  await server.stop()
  await page.goto(`${origin}/mail/inbox`)
  await row(page, 'With files').waitFor()
  await write(page, 'Sent while asleep')
  await until('it waits', async () => (await count(page, 'outbox')) === 1, LONG)
  await page.goto('about:blank')
  await server.restart()
  // The browser does this when the network is back.
  await cdp.send('ServiceWorker.dispatchSyncEvent', { origin, registrationId, tag: 'outbox', lastChance: false })
  await until('it arrived', async () => (await received('Sent while asleep')) > 0, LONG)
  await page.goto(`${origin}/mail/`)
  await page.waitForSelector('.row:not(.waiting)')
  await until('the outbox is empty', async () => (await count(page, 'outbox')) === 0, LONG)
  assert.equal(await received('Sent while asleep'), 1)
  await context.close()
})
