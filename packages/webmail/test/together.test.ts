/** Several at the same mailbox at once: two tabs, a phone and an IMAP session; and a session that ends while one writes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { changeOf, deleteOf, Phone } from '@postrider/testkit/activesync'
import { PlainBrowser } from '@postrider/testkit/browser'
import { ImapClient } from '@postrider/testkit/imap'
import { until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'
import { el } from '@postrider/wire/wbxml'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openBrowser, withoutBrowser } from './browser.ts'

const skip = withoutBrowser
const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
const INBOX = 2
const PATIENCE_MS = 60_000
let server: TestServer
let browser: Browser
let context: BrowserContext
let origin = ''

before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  await server.addUser(ADA, PASSWORD)
  origin = `https://localhost:${server.port('https')}`
  browser = await openBrowser()
  context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  context.setDefaultTimeout(PATIENCE_MS)
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

async function signIn(page: Page): Promise<void> {
  await page.locator('[name=login]').fill(ADA)
  await page.locator('[name=password]').fill(PASSWORD)
  await page.locator('form[action="/signin"][method=post] [type=submit]').click()
}
const rowOf = (page: Page, subject: string) => page.locator('.row', { hasText: subject })

/** A folder as somebody sees it: subject, read, flagged; sorted. */
type Seen = string
const line = (subject: string, read: boolean, flagged: boolean): Seen =>
  `${subject}${read ? ' read' : ''}${flagged ? ' flagged' : ''}`
const letters = ['One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven'].map((name) => `Letter ${name}`)

const seenInTab = async (page: Page): Promise<Seen[]> =>
  (
    await page.locator('.row:not(.waiting)').evaluateAll((rows) =>
      rows.map((row) => {
        const subject = row.querySelector('.row-subject')?.textContent ?? ''
        const read = !row.classList.contains('unread')
        return `${subject}${read ? ' read' : ''}${row.querySelector('.is-flag') === null ? '' : ' flagged'}`
      }),
    )
  )
    .filter((one) => one.startsWith('Letter'))
    .sort()

async function seenByImap(imap: ImapClient): Promise<Seen[]> {
  await imap.command('NOOP')
  const { untagged } = await imap.command('UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
  return untagged
    .join('\n')
    .split(/^\* \d+ FETCH/m)
    .flatMap((one) => {
      const subject = /Subject: (Letter \w+)/.exec(one)?.[1]
      return subject === undefined ? [] : [line(subject, one.includes('\\Seen'), one.includes('\\Flagged'))]
    })
    .sort()
}

async function seenByPhone(phone: Phone, inbox: string): Promise<Seen[]> {
  await phone.syncAll(inbox)
  const flag = (id: string): boolean =>
    phone.mirror
      .items(inbox)
      .get(id)
      ?.properties.get('Email:Flag')
      ?.children.some(
        (child) =>
          typeof child === 'object' &&
          'tag' in child &&
          child.tag === 'Email:Status' &&
          JSON.stringify(child.children).includes('2'),
      ) === true
  return [...phone.mirror.items(inbox).keys()]
    .map((id) =>
      line(
        phone.mirror.value(inbox, id, 'Email:Subject') ?? '',
        phone.mirror.value(inbox, id, 'Email:Read') === '1',
        flag(id),
      ),
    )
    .filter((one) => one.startsWith('Letter'))
    .sort()
}

test('two tabs, a phone and an IMAP session change one folder at once, and all see the same in the end', {
  skip,
  timeout: 300_000,
}, async () => {
  const imap = await ImapClient.login(server.port('imaps'), ADA, PASSWORD)
  for (const [n, subject] of letters.entries()) {
    const mail = `From: eve@outside.example\r\nTo: ${ADA}\r\nSubject: ${subject}\r\nMessage-ID: <t${n}@outside.example>\r\n\r\ntext\r\n`
    assert.equal((await imap.append('INBOX', Buffer.from(mail))).status, 'OK')
  }
  await imap.command('SELECT INBOX')
  const first = await context.newPage()
  await first.goto(`${origin}/mail/`)
  await signIn(first)
  const second = await context.newPage()
  await second.goto(`${origin}/mail/`)
  for (const page of [first, second]) await rowOf(page, 'Letter Seven').waitFor()
  const phone = new Phone({
    port: server.port('https'),
    tls: true,
    user: ADA,
    password: PASSWORD,
    version: '16.1',
    deviceId: 'TOGETHER1',
    deviceType: 'TestPhone',
  })
  await phone.provision()
  await phone.folderSync()
  const inbox = phone.folderOfType(INBOX)
  await phone.syncAll(inbox)
  const idOf = (subject: string): string => phone.mirror.bySubject(inbox, subject)
  const uidOf = async (subject: string): Promise<string> =>
    /SEARCH (\d+)/.exec((await imap.command(`UID SEARCH SUBJECT "${subject}"`)).untagged.join('\n'))?.[1] ?? ''
  const act = async (page: Page, subject: string, key: string): Promise<void> => {
    await rowOf(page, subject).focus()
    await page.keyboard.press(key)
  }
  // All at once; Seven is touched by everybody.
  const [three, seven] = [await uidOf('Letter Three'), await uidOf('Letter Seven')]
  await Promise.all([
    (async () => {
      await act(first, 'Letter One', 'e')
      await act(first, 'Letter Seven', 'Insert')
    })(),
    (async () => {
      await act(second, 'Letter Two', 'q')
      await act(second, 'Letter Five', 'Insert')
    })(),
    (async () => {
      await imap.command(`UID STORE ${three} +FLAGS (\\Flagged)`)
      await imap.command(`UID STORE ${seven} +FLAGS (\\Seen)`)
    })(),
    (async () => {
      const [four, six] = [idOf('Letter Four'), idOf('Letter Six')]
      await phone.sync(inbox, { commands: [changeOf(four, el('Email:Read', '1')), deleteOf(six)] })
      // What a phone does itself is not sent back to it.
      phone.mirror.items(inbox).delete(six)
      phone.mirror.items(inbox).get(four)?.properties.set('Email:Read', el('Email:Read', '1'))
    })(),
  ])
  const wanted = [
    'Letter Five flagged',
    'Letter Four read',
    'Letter Seven read flagged',
    'Letter Three flagged',
    'Letter Two read',
  ]
  const agrees = (who: string, see: () => Promise<Seen[]>): Promise<unknown> => {
    let last: Seen[] = []
    return until(
      `${who} agrees`,
      async () => {
        last = await see()
        return JSON.stringify(last) === JSON.stringify(wanted)
      },
      PATIENCE_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last)}`)
    })
  }
  await agrees('IMAP', () => seenByImap(imap))
  await agrees('the first tab', () => seenInTab(first))
  await agrees('the second tab', () => seenInTab(second))
  await agrees('the phone', () => seenByPhone(phone, inbox))
  assert.deepEqual(phone.mirror.violations, [])
  // Taken back where it was done, it is back everywhere.
  await first.locator('body').press('z')
  await first.locator('body').press('z')
  await rowOf(second, 'Letter One').waitFor()
  await until(
    'the phone has it again',
    async () => (await seenByPhone(phone, inbox)).includes('Letter One'),
    PATIENCE_MS,
  )
  await first.close()
  await second.close()
  imap.close()
})

test('a session ends while one writes: the draft is there after the sign-in, in the browser or on the server', {
  skip,
  timeout: 300_000,
}, async () => {
  const page = await context.newPage()
  await page.goto(`${origin}/mail/`)
  if (page.url().includes('/signin')) await signIn(page)
  await page.waitForSelector('.row:not(.waiting)')
  await page.getByRole('button', { name: 'New message' }).click()
  await page.locator('.composer').getByLabel('Subject').fill('Half written')
  await page.locator('.composer .editor').click()
  await page.keyboard.type('What was written before the end')
  const other = new PlainBrowser(server.port('https'))
  await other.signIn(ADA, PASSWORD, { light: '1' })
  const { csrf } = JSON.parse((await other.send('GET', '/web/session')).text) as { readonly csrf: string }
  const ended = await other.send('POST', '/web/sessions/end', {
    headers: { 'Content-Type': 'application/json', 'Postrider-Csrf': csrf },
    body: '{"others":true}',
  })
  assert.equal(ended.status, 200)
  other.close()
  await page.waitForURL(/\/signin/)
  await signIn(page)
  await page.locator('.composer .editor', { hasText: 'What was written before the end' }).waitFor()
  assert.equal(await page.locator('.composer').getByLabel('Subject').inputValue(), 'Half written')
  await page.close()
})
