/** S/MIME in the browser against the real program, with OpenSSL on the other side: reading, importing a key, signing, encrypting. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { TestServer } from '@postrider/testkit/server'
import { Authority, type Holder, withoutOpenssl } from '@postrider/testkit/smime'
import { SmtpClient } from '@postrider/testkit/smtp'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, violations, withoutBrowser } from './browser.ts'
import { row, shot, toast } from './room.ts'

const skip = withoutBrowser || withoutOpenssl
const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
const BOB = 'bob@example.com'
const CAROL = 'carol@example.com'
const GRACE = 'grace@outside.example'
let authority: Authority
let server: TestServer
let browser: Browser
let origin = ''
let ada: Holder
let bob: Holder
let carol: Holder
let grace: Holder

before(async () => {
  if (skip !== false) return
  authority = new Authority()
  ada = authority.issue('Ada', ADA, { kind: 'rsa' })
  bob = authority.issue('Bob', BOB)
  carol = authority.issue('Carol', CAROL)
  grace = authority.issue('Grace Hopper', GRACE)
  server = await TestServer.start({ config: { smime: { trust: [authority.certificate] } } })
  for (const one of [ADA, BOB, CAROL]) await server.addUser(one, PASSWORD)
  origin = `https://127.0.0.1:${server.port('https')}`
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await server?.stop()
  authority?.[Symbol.dispose]()
})

const crlf = (text: string): string => text.replace(/\r?\n/g, '\r\n')
async function deliver(subject: string, entity: Uint8Array | string, from = GRACE, to = ADA): Promise<void> {
  const client = await SmtpClient.connect(server.port('smtp'))
  const id = subject.replace(/\W/g, '')
  const head = `From: Grace Hopper <${from}>\r\nTo: <${to}>\r\nSubject: ${subject}\r\nMessage-ID: <${id}@outside.example>\r\nDate: ${new Date().toUTCString()}\r\n`
  await client.deliver(from, to, head + crlf(Buffer.from(entity as string).toString('latin1')))
  client.close()
}

interface Seat {
  readonly page: Page
  readonly problems: string[]
  readonly requests: string[]
}
async function signedIn(t: TestContext, who: string, phone = false): Promise<Seat> {
  const viewport = phone ? { width: 360, height: 740 } : { width: 1200, height: 900 }
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport, hasTouch: phone })
  context.setDefaultTimeout(30_000)
  t.after(() => context.close())
  const page = await context.newPage()
  const problems: string[] = []
  const requests: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(`${origin}/mail/`)
  await page.locator('[name=login]').fill(who)
  await page.locator('[name=password]').fill(PASSWORD)
  // A phone is lent: nothing is to stay on it.
  if (phone) await page.locator('[name=computer][value=public]').check()
  await page.locator('form:has([name=password]) [type=submit]').first().click()
  await page.waitForSelector('.shell')
  return { page, problems, requests }
}

async function importKey(page: Page, who: Holder): Promise<void> {
  const file = { name: 'key.p12', mimeType: 'application/x-pkcs12', buffer: authority.keyFile(who, 'open sesame') }
  const form = page.getByRole('form', { name: 'Import a key' })
  await form.getByLabel('Key file').setInputFiles(file)
  await form.getByLabel('Password').fill('wrong')
  await form.getByRole('button', { name: 'Import a key' }).click()
  await form.getByRole('alert').getByText('The password is wrong.').waitFor()
  await form.getByLabel('Password').fill('open sesame')
  await form.getByRole('button', { name: 'Import a key' }).click()
  await toast(page, /The key is imported/)
  await page.getByRole('list', { name: 'Your keys' }).getByText(who.address).waitFor()
}

/** What lies in somebody's mailbox, byte for byte. */
async function original(page: Page, who: string, subject: string): Promise<Buffer> {
  const headers = { Authorization: `Basic ${Buffer.from(`${who}:${PASSWORD}`).toString('base64')}` }
  const { request } = page.context()
  const session = await (await request.get(`${origin}/jmap/session`, { headers })).json()
  const accountId = session.primaryAccounts['urn:ietf:params:jmap:mail'] as string
  const data = {
    using: ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'],
    methodCalls: [
      ['Email/query', { accountId, filter: { subject } }, 'q'],
      [
        'Email/get',
        { accountId, '#ids': { resultOf: 'q', name: 'Email/query', path: '/ids' }, properties: ['blobId', 'subject'] },
        'g',
      ],
    ],
  }
  const answer = await (await request.post(`${origin}/jmap/api`, { headers, data })).json()
  const found = answer.methodResponses[1][1].list.find((one: { subject: string }) => one.subject === subject)
  assert.ok(found, `${subject} of ${who}`)
  return (await request.get(`${origin}/jmap/download/${accountId}/${found.blobId}/mail.eml`, { headers })).body()
}

/** What of one's own lies in the store of this device; -1: there is no store. */
const ownEntries = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const found = (await indexedDB.databases()).find((one) => one.name?.startsWith('postrider-'))
    if (found?.name === undefined) return -1
    return new Promise<number>((resolve) => {
      const request = indexedDB.open(found.name ?? '')
      request.onerror = () => resolve(-1)
      request.onsuccess = () => {
        const database = request.result
        if (!database.objectStoreNames.contains('own')) return resolve(-1)
        const counted = database.transaction('own').objectStore('own').count()
        counted.onsuccess = () => {
          database.close()
          resolve(counted.result)
        }
      }
    })
  })

const frameText = (page: Page, text: string) => page.frameLocator('.message-frame').getByText(text).first().waitFor()

test('R58: signed mail says who signed; encrypted mail opens with a key that stays in the browser', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const text = 'Content-Type: text/plain\r\n\r\nThe plan stands.\r\n'
  const clear = authority.sign(grace, text)
  await deliver('Clear', clear)
  await deliver('Bent', clear.toString('latin1').replace('plan stands', 'plan fails '))
  await deliver('Opaque', authority.sign(grace, text, '-nodetach'))
  await deliver('Stranger', clear, 'eve@outside.example')
  const html =
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Top <b>secret</b></p><script>top.hacked=1</script><img src="https://leak.example/x.png"><img src=x onerror="top.hacked=1">\r\n--b\r\nContent-Type: text/plain; name="plan.txt"\r\nContent-Disposition: attachment; filename="plan.txt"\r\n\r\nfile of the plan\r\n--b--\r\n'
  await deliver('Sealed', authority.encrypt([ada], authority.sign(grace, crlf(html)), '-aes-256-cbc'))
  await deliver('Authenticated', authority.encrypt([ada], text, '-aes-256-gcm'))
  await deliver('Wrapped', authority.sign(grace, authority.encrypt([ada], authority.sign(grace, text), '-aes-128-cbc')))
  await deliver('Not for Ada', authority.encrypt([bob], text, '-aes-256-cbc'))
  const { page, problems, requests } = await signedIn(t, ADA)
  const status = (said: string | RegExp) => page.getByRole('status').filter({ hasText: said }).waitFor()
  await row(page, 'Clear').click()
  await status('Signed by Grace Hopper: valid.')
  await frameText(page, 'The plan stands.')
  assert.equal(await page.locator('.attachment').count(), 0, 'the signature is no file')
  await page.getByRole('button', { name: 'Certificate' }).click()
  await page.getByText('Example Mail Authority').waitFor()
  await shot(page, 'smime-signed')
  assert.deepEqual(await violations(page), [])
  await row(page, 'Bent').click()
  await status('changed afterwards')
  await row(page, 'Stranger').click()
  await status('differs from the sender')
  await row(page, 'Opaque').click()
  await status('Signed by Grace Hopper: valid.')
  await frameText(page, 'The plan stands.')
  await row(page, 'Sealed').click()
  await page.getByText('This mail is encrypted. Import your key to read it.').waitFor()
  assert.deepEqual(await violations(page), [])
  await page.getByRole('alert').getByRole('button', { name: 'Import a key' }).click()
  await importKey(page, ada)
  await shot(page, 'smime-keys')
  assert.deepEqual(await violations(page), [])
  assert.ok((await ownEntries(page)) > 0)
  await page.goto(`${origin}/mail/`)
  await row(page, 'Sealed').click()
  await status('This mail was encrypted.')
  await status('Signed by Grace Hopper: valid.')
  await frameText(page, 'secret')
  await page.locator('.attachment', { hasText: 'plan.txt' }).waitFor()
  assert.equal(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked), undefined)
  await shot(page, 'smime-sealed')
  assert.deepEqual(await violations(page), [])
  await row(page, 'Authenticated').click()
  await page.getByText('Not signed: anybody may have written it.').waitFor()
  await frameText(page, 'The plan stands.')
  await row(page, 'Wrapped').click()
  await status('Signed by Grace Hopper: valid.')
  await frameText(page, 'The plan stands.')
  await row(page, 'Not for Ada').click()
  await page.getByText('encrypted for a key that is not here').waitFor()
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(origin) && !/^(?:data|blob|about):/.test(url)),
    [],
  )
  assert.deepEqual(problems, [])
  // Signing out takes the key along.
  await page.getByRole('button', { name: /^Account:/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(/\/signin/)
  assert.ok((await ownEntries(page)) <= 0)
})

test('R58: what is signed and encrypted here OpenSSL verifies and opens; an answer to encrypted mail does not go in the clear', {
  skip,
  timeout: 180_000,
}, async (t) => {
  await deliver('Hello Ada', 'Content-Type: text/plain\r\n\r\nHello.\r\n')
  const first = await signedIn(t, ADA)
  const { page } = first
  await page.goto(`${origin}/mail/settings/keys`)
  await importKey(page, ada)
  await page.goto(`${origin}/mail/settings/general`)
  await page.getByRole('group', { name: 'Time to undo sending' }).getByRole('radio', { name: 'Off' }).check()
  await page.goto(`${origin}/mail/`)
  await row(page, 'Hello Ada').waitFor()
  await page.keyboard.press('n')
  await page.waitForSelector('.composer .editor')
  await page.keyboard.type(BOB)
  await page.keyboard.press('Enter')
  await page.locator('.composer').getByLabel('Subject').fill('Signed, été')
  await page.locator('.editor').click()
  await page.keyboard.type('Dear Bob, = the plan — stands.')
  await page
    .locator('.composer input[type=file]')
    .setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('the plan') })
  await page.locator('.compose-files .chip', { hasText: 'plan.txt' }).waitFor()
  await page.getByText(`signed mail of ${BOB} is needed first`).waitFor()
  assert.equal(await page.getByLabel('Encrypt', { exact: true }).isDisabled(), true)
  await page.getByLabel('Sign', { exact: true }).check()
  await shot(page, 'smime-compose')
  assert.deepEqual(await violations(page), [])
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  await toast(page, /^Sent/)
  const second = await signedIn(t, BOB)
  const other = second.page
  await row(other, 'Signed, été').waitFor()
  const signed = await original(other, BOB, 'Signed, été')
  const content = authority.verify(signed)
  assert.match(content?.toString() ?? '', /the plan =E2=80=94 stands/)
  assert.match(content?.toString() ?? '', /filename="plan\.txt"/)
  await row(other, 'Signed, été').click()
  await other.getByRole('status').filter({ hasText: 'Signed by Ada: valid.' }).waitFor()
  await other.locator('.attachment', { hasText: 'plan.txt' }).waitFor()

  // Bob has Ada's certificate now, and answers so that only she can read it.
  await other.goto(`${origin}/mail/settings/keys`)
  await importKey(other, bob)
  await other.goto(`${origin}/mail/settings/general`)
  await other.getByRole('group', { name: 'Time to undo sending' }).getByRole('radio', { name: 'Off' }).check()
  await other.goto(`${origin}/mail/`)
  await row(other, 'Signed, été').click()
  await other.locator('.message-acts').getByRole('button', { name: 'Reply', exact: true }).click()
  await other.waitForSelector('.composer .editor')
  await shot(other, 'smime-answer')
  await other.locator('.composer').getByLabel('Encrypt', { exact: true }).check()
  await other.locator('.editor').click()
  await other.keyboard.type('For your eyes only.')
  await other.locator('.composer-state', { hasText: 'Not saved' }).waitFor()
  await other.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  await toast(other, /^Sent/)
  await row(page, 'Re: Signed, été').waitFor()
  const sealed = await original(page, ADA, 'Re: Signed, été')
  assert.doesNotMatch(sealed.toString('latin1'), /eyes only/)
  const opened = authority.decrypt(ada, sealed)
  assert.match(authority.verify(opened)?.toString() ?? '', /For your eyes only/)
  await row(page, 'Re: Signed, été').click()
  await page.getByRole('status').filter({ hasText: 'Signed by Bob: valid.' }).waitFor()
  await frameText(page, 'For your eyes only.')

  // Ada answers that: encrypted from the beginning, no draft on the server, and in the clear only when she says so.
  await page.locator('.message-acts').getByRole('button', { name: 'Reply', exact: true }).last().click()
  await page.waitForSelector('.composer .editor')
  await page.locator('.editor', { hasText: 'For your eyes only.' }).waitFor()
  const encrypts = page.locator('.composer').getByLabel('Encrypt', { exact: true })
  await encrypts.waitFor()
  assert.equal(await encrypts.isChecked(), true)
  await encrypts.uncheck()
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  const question = page
    .getByRole('alertdialog')
    .or(page.getByRole('dialog'))
    .filter({ hasText: 'The mail you answer was encrypted' })
  await question.getByRole('button', { name: 'Cancel' }).click()
  await encrypts.check()
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
  await toast(page, /^Sent/)
  const last = await original(page, ADA, 'Re: Signed, été')
  assert.doesNotMatch(last.toString('latin1'), /eyes only/, 'the copy in Sent is sealed, too')
  assert.deepEqual([...first.problems, ...second.problems], [])
})

test('R58: at 360 px on a public computer: read, answered, the answer taken back as it was; nothing is left after the sign-out', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const text = 'Content-Type: text/plain\r\n\r\nMeet at the mill.\r\n'
  await deliver('Known', authority.sign(grace, text), GRACE, CAROL)
  await deliver('Hidden', authority.encrypt([carol], authority.sign(grace, text), '-aes-256-cbc'), GRACE, CAROL)
  const { page, problems } = await signedIn(t, CAROL, true)
  const inner = async (path: string): Promise<void> => {
    await page.evaluate((to) => {
      history.pushState(null, '', to)
      dispatchEvent(new PopStateEvent('popstate'))
    }, path)
  }
  await row(page, 'Hidden').waitFor()
  await inner('/mail/settings/general')
  await page.getByRole('group', { name: 'Time to undo sending' }).getByRole('radio', { name: '30 s' }).check()
  await inner('/mail/settings/keys')
  await importKey(page, carol)
  await shot(page, 'smime-keys-360')
  assert.deepEqual(await violations(page), [])
  // On a public computer the key lives as long as the page: no other is opened.
  await inner('/mail/inbox')
  await row(page, 'Hidden').click()
  await page.getByRole('status').filter({ hasText: 'Signed by Grace Hopper: valid.' }).waitFor()
  await frameText(page, 'Meet at the mill.')
  await shot(page, 'smime-read-360')
  assert.deepEqual(await violations(page), [])
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360), 'nothing is wider than the phone')

  await page.locator('.message-acts').getByRole('button', { name: 'Reply', exact: true }).click()
  const letter = page.locator('.composer')
  const encrypts = letter.getByLabel('Encrypt', { exact: true })
  await encrypts.waitFor()
  assert.equal(await encrypts.isChecked(), true)
  await letter.getByLabel('Sign', { exact: true }).check()
  await letter.locator('.editor').click()
  await page.keyboard.type('I bring the boat.')
  await shot(page, 'smime-answer-360')
  assert.deepEqual(await violations(page), [])
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360), 'nor is the letter')
  const closing = await letter.getByRole('button', { name: 'Close', exact: true }).boundingBox()
  assert.ok(
    closing !== null && closing.x + closing.width <= 360,
    'its head has room for what it says and for its button',
  )
  await letter.getByRole('button', { name: 'Send', exact: true }).click()
  await toast(page, /^Sending in/)
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await letter.locator('.editor', { hasText: 'I bring the boat.' }).waitFor()
  assert.deepEqual(
    [await encrypts.isChecked(), await letter.getByLabel('Sign', { exact: true }).isChecked()],
    [true, true],
    'what was protected is protected still',
  )

  await letter.getByRole('button', { name: 'Discard draft', exact: true }).click()
  await letter.waitFor({ state: 'detached' })
  await inner('/mail/inbox')
  await page.getByRole('button', { name: /^Account:/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(/\/signin/)
  assert.ok((await ownEntries(page)) <= 0)
  const left = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  assert.doesNotMatch(left, /boat|mill|PRIVATE|key/i)
  assert.deepEqual(problems, [])
})
