import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mailboxId, type MailboxId, type MailboxService, type Operation, silentLog } from '@postrider/domain'
import { createAuthenticator, openDirectory } from '@postrider/store/directory'
import { readTicket, ticketText } from './cookie.ts'
import { HARD_LIMIT_MS, MAX_SESSIONS } from './rules.ts'
import { SecondFactor } from './second-factor.ts'
import { WebSessions } from './sessions.ts'
import { base32, hotp, stepOf, totpStep } from './totp.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const hashCost = { memory: 64, passes: 1 }

/** The states of mailboxes and nothing else. */
class States {
  readonly kept = new Map<string, Uint8Array>()
  apply = async (mailbox: MailboxId, operations: readonly Operation[]) => {
    for (const one of operations)
      if (one.op === 'putState') this.kept.set(`${mailbox} ${one.client} ${one.key}`, one.value)
      else if (one.op === 'deleteState') this.kept.delete(`${mailbox} ${one.client} ${one.key}`)
    return { change: 1, results: [] } as unknown as Awaited<ReturnType<MailboxService['apply']>>
  }
  state = async (mailbox: MailboxId, client: string, prefix = '') => {
    const start = `${mailbox} ${client} `
    return [...this.kept]
      .filter(([key]) => key.startsWith(start + prefix))
      .map(([key, value]) => ({ key: key.slice(start.length), value }))
  }
}

async function room(t: TestContext) {
  const time = { now: Date.UTC(2026, 10, 21), inactivity: 6 * HOUR }
  const clock = { now: () => time.now, monotonic: () => time.now }
  const directory = openDirectory({ file: ':memory:', hashCost })
  await directory.addDomain('example.com', 'Authoritative')
  const entry = await directory.addMailbox({
    address: 'bob@example.com',
    password: 'one two three',
    displayName: 'Bob',
  })
  const authenticator = createAuthenticator({ directory, hashCost })
  const service = new States()
  const make = () =>
    new WebSessions({ service, directory, authenticator, clock, log: silentLog, inactivityMs: () => time.inactivity })
  const sessions = make()
  t.after(() => {
    sessions.close()
    authenticator.close()
    directory.close()
  })
  const verdict = await authenticator.verify({
    login: 'bob@example.com',
    password: 'one two three',
    protocol: 'web',
    remoteAddress: '192.0.2.1',
  })
  assert.ok(verdict.ok)
  const open = (computer: 'private' | 'public' = 'private') =>
    sessions.open(verdict.principal, { computer, address: '192.0.2.1', agent: 'test' })
  return { time, clock, directory, authenticator, service, sessions, make, open, entry, principal: verdict.principal }
}

const over = ({ ok, ...rest }: Awaited<ReturnType<WebSessions['find']>>) => ({
  ok,
  why: 'why' in rest ? rest.why : undefined,
})

test('R16: a session ends when the user does nothing for the time set, and only his acts count', async (t) => {
  const { time, sessions, open } = await room(t)
  const { ticket, session } = await open()
  time.now += 6 * HOUR - 1
  assert.ok((await sessions.find(ticket)).ok, 'looking does not end it')
  time.now += 1
  assert.deepEqual(over(await sessions.find(ticket)), { ok: false, why: 'inactive' })
  assert.deepEqual(over(await sessions.find(ticket)), { ok: false, why: 'inactive' }, 'it stays over and says why')
  const next = await open()
  time.now += 5 * HOUR
  sessions.act(next.session.id)
  time.now += 2 * HOUR
  assert.ok((await sessions.find(next.ticket)).ok, 'an act moved the limit')
  sessions.act(session.id)
  assert.ok(!(await sessions.find(ticket)).ok, 'an act does not wake the dead')
})

test('what time ended can still be shown by its holder, to keep what was being written; what a password change ended cannot', async (t) => {
  const { time, sessions, open, directory, entry } = await room(t)
  const { ticket, session } = await open()
  time.now += 7 * HOUR
  const found = await sessions.find(ticket)
  assert.ok(!found.ok && found.late?.csrf === session.csrf)
  const guess = await sessions.find({ ...ticket, secret: 'A'.repeat(43) })
  assert.ok(!guess.ok && guess.late === undefined)
  await directory.setPassword(entry.account, 'four five six')
  const after = await sessions.find(ticket)
  assert.ok(!after.ok && after.late === undefined)
})

test('the session that changes its password goes on, all others end; a change that fails changes nothing', async (t) => {
  const { sessions, open, make, directory, entry } = await room(t)
  const [own, other] = [await open(), await open()]
  const heard: string[] = []
  const listener = (name: string) => ({ moved() {}, ended: (why: string) => void heard.push(`${name} ${why}`) })
  sessions.listen(own.session, listener('own'))
  sessions.listen(other.session, listener('other'))
  await assert.rejects(
    sessions.through(own.session, () => Promise.reject(new Error('no room'))),
    /no room/,
  )
  assert.ok((await sessions.find(own.ticket)).ok && (await sessions.find(other.ticket)).ok)
  await sessions.through(own.session, () => directory.setPassword(entry.account, 'four five six'))
  assert.ok((await sessions.find(own.ticket)).ok)
  assert.deepEqual(over(await sessions.find(other.ticket)), { ok: false, why: 'revoked' })
  assert.deepEqual(heard, ['other revoked'])
  const restarted = make()
  t.after(() => restarted.close())
  assert.ok((await restarted.find(own.ticket)).ok, 'after a restart as well')
  await directory.setPassword(entry.account, 'seven eight nine')
  assert.deepEqual(over(await sessions.find(own.ticket)), { ok: false, why: 'revoked' })
  assert.deepEqual(heard, ['other revoked', 'own revoked'])
})

test('a change of the password that its process did not live to make lets nobody through a later one', async (t) => {
  const { sessions, open, make, directory, entry, time } = await room(t)
  const own = await open()
  const begun = Promise.withResolvers<void>()
  void sessions.through(own.session, () => {
    begun.resolve()
    return new Promise(() => {})
  })
  await begun.promise
  const restarted = make()
  t.after(() => restarted.close())
  assert.ok((await restarted.find(own.ticket)).ok)
  time.now += 2 * MINUTE
  await directory.setPassword(entry.account, 'by the administrator')
  assert.deepEqual(over(await restarted.find(own.ticket)), { ok: false, why: 'revoked' })
})

test('R16: a hundred polls extend nothing', async (t) => {
  const { time, sessions, open } = await room(t)
  time.inactivity = 5 * MINUTE
  const { ticket } = await open()
  for (let n = 0; n < 99; n++) {
    time.now += 3_000
    assert.ok((await sessions.find(ticket)).ok)
  }
  time.now += 3_000
  assert.deepEqual(over(await sessions.find(ticket)), { ok: false, why: 'inactive' })
})

test('R17: eight hours end a session whatever the user does', async (t) => {
  const { time, sessions, open } = await room(t)
  time.inactivity = 8 * HOUR
  const { ticket, session } = await open()
  for (let n = 0; n < 8 * 60 - 1; n++) {
    time.now += MINUTE
    sessions.act(session.id)
  }
  assert.ok((await sessions.find(ticket)).ok)
  time.now += MINUTE
  assert.deepEqual(over(await sessions.find(ticket)), { ok: false, why: 'limit' })
  assert.equal(session.deadlines.limitAt - session.deadlines.now, HARD_LIMIT_MS)
})

test('R16: a shorter limit set by the administrator counts for sessions that are open', async (t) => {
  const { time, sessions, open } = await room(t)
  const { ticket } = await open()
  time.now += HOUR
  time.inactivity = 30 * MINUTE
  assert.deepEqual(over(await sessions.find(ticket)), { ok: false, why: 'inactive' })
})

test('a restart signs nobody out, and stores no secret', async (t) => {
  const { time, sessions, make, open, service } = await room(t)
  const { ticket, session } = await open()
  time.now += 2 * MINUTE
  sessions.act(session.id)
  const stored = [...service.kept.values()].map((value) => Buffer.from(value).toString()).join()
  assert.ok(!stored.includes(ticket.secret))
  sessions.close()
  const after = make()
  t.after(() => after.close())
  const found = await after.find(readTicket(ticketText(ticket)))
  assert.ok(found.ok)
  assert.equal(found.session.record.lastAct, time.now)
  assert.equal(found.session.csrf, session.csrf)
})

test('a wrong secret, another mailbox, an unknown id: none of them opens anything', async (t) => {
  const { sessions, open } = await room(t)
  const { ticket } = await open()
  const none = { ok: false, why: 'none' } as const
  assert.deepEqual(await sessions.find({ ...ticket, secret: 'A'.repeat(43) }), none)
  assert.deepEqual(await sessions.find({ ...ticket, mailbox: mailboxId(ticket.mailbox + 1) }), none)
  assert.deepEqual(await sessions.find({ ...ticket, id: 'A'.repeat(22) }), none)
  assert.deepEqual(await sessions.find(undefined), none)
  for (const text of ['', '1.2.3', `0.${'A'.repeat(22)}.${'A'.repeat(43)}`, `${'9'.repeat(15)}.x.y`, undefined])
    assert.equal(readTicket(text), undefined)
})

test('a new password, a disabled account and a switched-off protocol end sessions at once, held ones too', async (t) => {
  const { sessions, open, directory, entry } = await room(t)
  const ended: string[] = []
  const first = await open()
  sessions.listen(first.session, { moved() {}, ended: (why) => ended.push(why) })
  await directory.setPassword(entry.account, 'four five six')
  assert.deepEqual(ended, ['revoked'])
  assert.deepEqual(await sessions.find(first.ticket), { ok: false, why: 'revoked' })
  for (const change of [{ enabled: false }, { protocols: { web: false } }]) {
    const { ticket } = await open()
    assert.ok((await sessions.find(ticket)).ok)
    await directory.updateMailbox(entry.account, change)
    assert.deepEqual(over(await sessions.find(ticket)), { ok: false, why: 'revoked' })
    await directory.updateMailbox(entry.account, { enabled: true, protocols: { web: true } })
  }
})

test('a password that changed while the server was down ends the session too', async (t) => {
  const { sessions, make, open, directory, entry } = await room(t)
  const { ticket } = await open()
  sessions.close()
  await directory.setPassword(entry.account, 'four five six')
  const after = make()
  t.after(() => after.close())
  assert.deepEqual(await after.find(ticket), { ok: false, why: 'revoked' })
})

test('sessions are listed and ended one by one, and there are never too many', async (t) => {
  const { time, sessions, open, principal } = await room(t)
  const { mailbox, account } = principal
  const [one, two] = [await open(), await open('public')]
  assert.equal((await sessions.list(mailbox, account)).length, 2)
  assert.ok(await sessions.end(mailbox, one.session.id))
  assert.ok(!(await sessions.end(mailbox, one.session.id)), 'it is over already')
  assert.ok(!(await sessions.end(mailboxId(mailbox + 1), two.session.id)), 'somebody else’s')
  assert.deepEqual(await sessions.find(one.ticket), { ok: false, why: 'signedout' })
  assert.ok((await sessions.find(two.ticket)).ok)
  for (let n = 0; n < MAX_SESSIONS + 3; n++) {
    time.now += 1
    await open()
  }
  assert.equal((await sessions.list(mailbox, account)).length, MAX_SESSIONS)
  assert.ok(!(await sessions.find(two.ticket)).ok, 'the idlest went')
})

test('listeners hear when an act moved the limit, and what ended the session', async (t) => {
  const { time, sessions, open, principal } = await room(t)
  const { session } = await open()
  const heard: string[] = []
  sessions.listen(session, { moved: () => heard.push('moved'), ended: (why) => heard.push(why) })
  time.now += MINUTE
  sessions.act(session.id)
  await sessions.end(principal.mailbox, session.id)
  sessions.listen(session, { moved() {}, ended: (why) => heard.push(`late ${why}`) })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(heard, ['moved', 'signedout', 'late signedout'])
})

test('RFC 6238 appendix B and RFC 4226 appendix D: the codes of the tables', () => {
  const secret = Buffer.from('12345678901234567890')
  assert.deepEqual(
    [0, 1, 9].map((n) => hotp(secret, n)),
    ['755224', '287082', '520489'],
  )
  for (const [seconds, code] of [
    [59, '287082'],
    [1111111109, '081804'],
    [20000000000, '353130'],
  ] as const)
    assert.equal(hotp(secret, stepOf(seconds * 1_000)), code)
  assert.equal(base32(Buffer.from('foobar')), 'MZXW6YTBOI')
  const now = 1111111109_000
  assert.equal(totpStep(secret, '081804', now + 30_000, 0), stepOf(now), 'one step late is taken')
  assert.equal(totpStep(secret, '081804', now + 60_000, 0), undefined, 'two are not')
  assert.equal(totpStep(secret, '081804', now, stepOf(now)), undefined, 'a code works once')
})

test('second step: the secret is sealed, codes and recovery codes work once, many wrong ones have to wait', async (t) => {
  const { service, clock, time, principal } = await room(t)
  const factor = new SecondFactor({ service, clock, secret: Buffer.alloc(32, 7) })
  const { mailbox } = principal
  assert.ok(!(await factor.active(mailbox)))
  const secret = await factor.begin(mailbox)
  const stored = [...service.kept.values()].map((value) => Buffer.from(value).toString('latin1')).join()
  assert.ok(!stored.includes(Buffer.from(secret).toString('base64')) && !stored.includes(base32(secret)))
  const code = (): string => hotp(secret, stepOf(time.now))
  assert.equal(await factor.confirm(mailbox, '000000'), undefined)
  const recovery = await factor.confirm(mailbox, code())
  assert.equal(recovery?.length, 10)
  assert.ok(await factor.active(mailbox))
  assert.ok(!(await factor.check(mailbox, code())).ok, 'used to confirm')
  time.now += 30_000
  const twice = await Promise.all([factor.check(mailbox, code()), factor.check(mailbox, code())])
  assert.deepEqual(
    twice.map(({ ok }) => ok),
    [true, false],
    'the same code at the same time',
  )
  const [spare = ''] = recovery ?? []
  assert.ok((await factor.check(mailbox, spare.toUpperCase().replaceAll('-', ' '))).ok)
  assert.ok(!(await factor.check(mailbox, spare)).ok)
  assert.equal(await factor.left(mailbox), 9)
  const renewed = (await factor.renew(mailbox)) ?? []
  assert.equal(await factor.left(mailbox), 10)
  assert.ok(!(await factor.check(mailbox, recovery?.[1] ?? '')).ok, 'the old ones open nothing')
  assert.ok((await factor.check(mailbox, renewed[0] ?? '')).ok)
  for (let n = 0; n < 10; n++) await factor.check(mailbox, '111111')
  time.now += 30_000
  assert.ok((await factor.check(mailbox, code())).waitMs > 0, 'even the right one waits')
  time.now += 15 * MINUTE
  assert.ok((await factor.check(mailbox, code())).ok)
})
