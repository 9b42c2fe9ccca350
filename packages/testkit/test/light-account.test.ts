/** The Light version: invitations, read receipts, a password of one's own choice, new recovery codes. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Form, type Page, PlainBrowser } from '../src/browser/index.ts'
import { until } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'
import { action, deliver, follow, inbox, lightUser, links, mail, PASSWORD } from './light-user.ts'

let server: TestServer
const browsers: PlainBrowser[] = []
before(async () => {
  server = await TestServer.start()
  for (const name of ['bob', 'eve', 'ann', 'max']) await server.addUser(`${name}@example.com`, PASSWORD)
})
after(async () => {
  for (const one of browsers) one.close()
  await server?.stop()
})
const user = (name: string): Promise<PlainBrowser> => lightUser(server, name, browsers)
const holds =
  (text: string) =>
  (form: Form): boolean =>
    form.inner.includes(text)
/** Somebody who signs in with this password: where it led. */
async function signedIn(name: string, password: string): Promise<Page> {
  const one = new PlainBrowser(server.port('https'))
  browsers.push(one)
  return one.signIn(`${name}@example.com`, password, { light: '1' })
}

test('R18: an invitation is shown as a card, in the reader’s zone, beside its formatted text and its file', async () => {
  const one = await user('max')
  const event = (lines: readonly string[]): string =>
    ['BEGIN:VCALENDAR', 'METHOD:REQUEST', 'BEGIN:VEVENT', 'UID:u1', ...lines, 'END:VEVENT', 'END:VCALENDAR'].join('\n')
  const parts = (calendar: string): string =>
    [
      '--b',
      'Content-Type: text/plain',
      '',
      'Come.',
      '--b',
      'Content-Type: text/html',
      '',
      '<p style="color:red" onclick="x()">Come <b>all</b>.<script>x()</script><img src="https://elsewhere.example/p.png"></p>',
      '--b',
      'Content-Type: text/calendar; method=REQUEST; charset=utf-8',
      '',
      calendar,
      '--b--',
    ].join('\n')
  const meeting = event([
    'SUMMARY:Board <b>meeting</b>',
    'LOCATION:Room 7',
    'ORGANIZER;CN=Zoë:mailto:zoe@elsewhere.example',
    'DTSTART:20270105T090000Z',
    'DTEND:20270105T103000Z',
    'RRULE:FREQ=WEEKLY',
  ])
  const type = 'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n'
  await deliver(server, 'max', mail('Board', parts(meeting), type))
  await deliver(server, 'max', mail('Fair', parts(event(['SUMMARY:Fair', 'DTSTART:20270105', 'DTEND:20270107'])), type))
  await one.open('/light/options/regional')
  await one.submit(action('/light/options/regional'), { zone: 'Europe/Paris' })
  await inbox(one)
  const page = await follow(one, 'Board')
  assert.match(page.text, /Invitation: <strong dir="auto">Board &lt;b&gt;meeting&lt;\/b&gt;<\/strong>/)
  assert.match(page.text, /10:00.AM – Jan 5, 2027, 11:30.AM/)
  assert.match(page.text, /Room 7/)
  assert.match(page.text, /Zoë \(zoe@elsewhere\.example\)/)
  assert.match(page.text, /repeats/)
  const formatted = await follow(one, 'Show with formatting')
  assert.match(formatted.text, /Come <b>all<\/b>/)
  assert.ok(!/onclick|<script|elsewhere\.example\/p\.png/.test(formatted.text))
  assert.match((await follow(one, /Show pictures/)).text, /<img [^>]*src="\//)
  await inbox(one)
  assert.match((await follow(one, 'Fair')).text, /Tuesday, January 5, 2027 – Wednesday, January 6, 2027, all day/)
})

test('R18: a read receipt is asked for, kept in the draft, and sent when the reader says so', async () => {
  const one = await user('bob')
  await one.open('/light/compose')
  const letter = { to: 'eve@example.com', subject: 'Seen?', text: 'Hello.', receipt: '1' }
  const saved = await one.submit(action('/light/compose'), letter, ['act', 'save'])
  assert.match(saved.text, /name="receipt" value="1" checked/)
  await one.submit(action('/light/compose'), {}, ['act', 'send'])
  const other = await user('eve')
  await until('the mail arrives', async () => links(await inbox(other)).has('Seen?'), 60_000)
  assert.match((await follow(other, 'Seen?')).text, /wants to know that you have read this/)
  const told = await other.submit(holds('value="no-receipt"'), {}, ['act', 'receipt'])
  assert.match(told.text, /Read receipt sent/)
  assert.ok(!told.text.includes('wants to know'), 'asked once')
  await until('the receipt arrives', async () => links(await inbox(one)).has('Read: Seen?'), 60_000)
})

test('R18: nothing is told when the reader does not want to', async () => {
  await deliver(server, 'max', mail('Quiet', 'Hello.', 'Disposition-Notification-To: zoe@elsewhere.example\n'))
  const one = await user('max')
  await inbox(one)
  assert.match((await follow(one, 'Quiet')).text, /wants to know/)
  const settled = await one.submit(holds('value="no-receipt"'), {}, ['act', 'no-receipt'])
  assert.ok(!settled.text.includes('wants to know'))
})

test('a new password behind the old one: this session goes on, the others end', async () => {
  const [one, other] = [await user('bob'), await user('bob')]
  await one.open('/light/options')
  await follow(one, 'Change password')
  const change = (password: string, wanted: string, again = wanted): Promise<Page> =>
    one.submit(action('/light/options/password'), { password, wanted, again })
  const refused: readonly (readonly [readonly [string, string, string?], RegExp])[] = [
    [['wrong', 'four five six seven'], /The password is not right/],
    [[PASSWORD, 'tiny'], /too short/],
    [[PASSWORD, PASSWORD], /is the old one/],
    [[PASSWORD, 'four five six seven', 'four five six eight'], /not the same/],
  ]
  for (const [values, why] of refused) {
    const page = await change(values[0], values[1], values[2])
    assert.equal(page.status, 422)
    assert.match(page.text, why)
  }
  assert.match((await change(PASSWORD, 'four five six seven')).text, /Password changed/)
  assert.match((await one.open('/light/')).url, /^\/light\/folder/)
  await until('the other is out', async () => (await other.open('/light/')).url.startsWith('/signin'), 60_000)
  assert.equal((await signedIn('bob', PASSWORD)).status, 422)
  assert.match((await signedIn('bob', 'four five six seven')).url, /^\/light\//)
})

/** What an authenticator app shows: RFC 6238. */
function totp(key: string): string {
  const bits = [...key].map((one) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(one).toString(2).padStart(5, '0'))
  const secret = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((one) => Number.parseInt(one, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const mac = createHmac('sha1', secret).update(counter).digest()
  return String((mac.readUInt32BE((mac[19] ?? 0) & 15) & 0x7fff_ffff) % 1_000_000).padStart(6, '0')
}

test('new recovery codes behind the password; the old ones open nothing any more', async () => {
  const codesOf = (page: Page): string[] =>
    (/<pre class="key">([\s\S]*?)<\/pre>/.exec(page.text)?.[1] ?? '').split('\n')
  const path = '/light/options/security'
  const one = await user('max')
  await one.open(path)
  const begun = await one.submit(action(path), { password: PASSWORD })
  const secret = /secret=([A-Z2-7]+)/.exec(begun.text)?.[1] ?? ''
  const old = codesOf(await one.submit(action(path), { code: totp(secret) }))
  assert.match((await one.open(path)).text, /Recovery codes left: 10/)
  assert.equal((await one.submit(holds('value="codes"'), { password: 'wrong' })).status, 422)
  const fresh = codesOf(await one.submit(holds('value="codes"'), { password: PASSWORD }))
  assert.equal(fresh.length, 10)
  const next = new PlainBrowser(server.port('https'))
  browsers.push(next)
  assert.equal((await next.signIn('max@example.com', PASSWORD, { light: '1' })).url, '/signin/code')
  assert.equal((await next.submit(action('/signin/code'), { code: old[0] ?? '' })).status, 422)
  assert.match((await next.submit(action('/signin/code'), { code: fresh[0] ?? '' })).url, /^\/light\//)
})
