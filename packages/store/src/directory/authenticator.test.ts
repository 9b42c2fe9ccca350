import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import type { Clock, LoginAttempt, ProtocolName, Verdict } from '@postrider/domain'
import { CACHE_MS, createAuthenticator, type DirectoryAuthenticator } from './authenticator.ts'
import { type DirectoryStore, openDirectory } from './open.ts'
import { hashIsOld, hashPassword, verifyPassword } from './password.ts'
import { defaultThrottle, networkOf, Throttle } from './throttle.ts'

const hashCost = { memory: 64, passes: 1 }
const PASSWORD = 'correct horse'

class TestClock implements Clock {
  at = 1_700_000_000_000
  now(): number {
    return this.at
  }
  monotonic(): number {
    return this.at
  }
}
interface Setup {
  directory: DirectoryStore
  auth: DirectoryAuthenticator
  clock: TestClock
  bob: string
  login(login: string, password?: string, protocol?: ProtocolName, remoteAddress?: string): Promise<Verdict>
}
async function setup(cost = hashCost): Promise<Setup> {
  const clock = new TestClock()
  const directory = openDirectory({ file: ':memory:', clock, hashCost: cost })
  await directory.addDomain('example.com', 'Authoritative')
  await directory.addMailbox({ address: 'administrator@example.com', password: PASSWORD, isAdministrator: true })
  const bob = await directory.addMailbox({
    address: 'bob@example.com',
    password: PASSWORD,
    aliases: ['rob@example.com'],
  })
  const auth = createAuthenticator({ directory, clock, hashCost: cost })
  return {
    directory,
    auth,
    clock,
    bob: bob.account,
    login: (login, password = PASSWORD, protocol = 'imap', remoteAddress = '192.0.2.1') =>
      auth.verify({ login, password, protocol, remoteAddress } satisfies LoginAttempt),
  }
}
const reason = (verdict: Verdict): string => (verdict.ok ? 'ok' : verdict.reason)

test('all login forms mean the same account', async () => {
  const { login, bob } = await setup()
  const forms = [
    'bob@example.com',
    'BOB@Example.com',
    'rob@example.com',
    'EXAMPLE\\bob',
    'example.com\\Bob',
    '\\bob',
    'bob',
    'x\\bob@example.com',
  ]
  for (const form of forms) {
    const verdict = await login(form)
    assert.equal(verdict.ok && verdict.principal.account, bob, form)
  }
  for (const form of [
    'eve',
    'OTHER\\bob',
    'bob@other.example',
    'bob@example.com\0',
    'all',
    `${'b'.repeat(500)}@example.com`,
  ])
    assert.equal(reason(await login(form)), 'invalid', form)
})

test('R39: anonymous, guest, empty user and empty password are refused even when such a mailbox exists', async () => {
  const { directory, login } = await setup()
  for (const name of ['anonymous', 'guest']) {
    await directory.addMailbox({ address: `${name}@example.com`, password: PASSWORD })
    for (const form of [name, `${name}@example.com`, `EXAMPLE\\${name.toUpperCase()}`])
      assert.equal(reason(await login(form)), 'invalid')
  }
  assert.equal(reason(await login('')), 'invalid')
  assert.equal(reason(await login('bob@example.com', '')), 'invalid')
  await directory.addMailbox({ address: 'nopassword@example.com' })
  assert.equal(reason(await login('nopassword@example.com', '')), 'invalid')
  assert.equal(reason(await login('nopassword@example.com', 'x')), 'invalid')
})

test('R40: the Administrator is refused by POP3 and IMAP, by app password too, and accepted by web and ActiveSync', async () => {
  const { directory, login } = await setup()
  const app = await directory.addAppPassword('administrator@example.com', 'tool', ['imap', 'smtp'])
  for (const protocol of ['pop3', 'imap'] as const) {
    assert.equal(reason(await login('administrator', PASSWORD, protocol)), 'protocolDisabled')
    assert.equal(reason(await login('administrator', app.password, protocol)), 'protocolDisabled')
    assert.equal(reason(await login('administrator', 'wrong', protocol)), 'invalid')
  }
  for (const protocol of ['web', 'activesync', 'admin'] as const)
    assert.equal(reason(await login('administrator', PASSWORD, protocol)), 'ok')
  assert.equal(reason(await login('bob', PASSWORD, 'admin')), 'protocolDisabled')
})

test('R28: protocol switches and disabled accounts, told only to who knows the password', async () => {
  const { directory, login, bob } = await setup()
  await directory.updateMailbox(bob, { protocols: { pop3: false } })
  assert.equal(reason(await login('bob', PASSWORD, 'pop3')), 'protocolDisabled')
  assert.equal(reason(await login('bob', 'wrong', 'pop3')), 'invalid')
  assert.equal(reason(await login('bob', PASSWORD, 'imap')), 'ok')
  await directory.updateMailbox(bob, { enabled: false })
  assert.equal(reason(await login('bob')), 'accountDisabled')
  assert.equal(reason(await login('bob', 'wrong')), 'invalid')
})

test('app passwords: scope, spelling, revocation, never for web', async () => {
  const { directory, login, bob } = await setup()
  const { id, password } = await directory.addAppPassword(bob, 'phone', ['imap', 'smtp'])
  assert.match(password, /^[a-z2-7]{5}(-[a-z2-7]{5}){4}-[a-z2-7]$/)
  const verdict = await login('bob', password)
  assert.equal(verdict.ok && verdict.principal.appPassword, id)
  assert.equal(reason(await login('bob', password.replaceAll('-', ' ').toUpperCase())), 'ok')
  assert.equal(reason(await login('bob', password, 'activesync')), 'protocolDisabled')
  assert.equal(reason(await login('bob', password, 'web')), 'protocolDisabled')
  assert.equal(reason(await login('administrator', password, 'smtp')), 'invalid')
  assert.equal(reason(await login('bob', password, 'autodiscover')), 'protocolDisabled')
  const phone = await directory.addAppPassword(bob, 'phone', ['activesync'])
  assert.equal(reason(await login('bob', phone.password, 'autodiscover')), 'ok', 'a phone sets itself up with it')
  assert.ok(directory.appPasswords(bob)[0]?.lastUsed)
  assert.ok(!JSON.stringify(directory.appPasswords(bob)).includes('digest'))
  await directory.removeAppPassword(bob, id)
  assert.equal(reason(await login('bob', password)), 'invalid')
  await assert.rejects(directory.addAppPassword(bob, 'browser', ['web']), /not for web/)
  const program = await directory.addAppPassword(bob, 'program', ['jmap'])
  assert.equal(reason(await login('bob', program.password, 'jmap')), 'ok')
  assert.equal(reason(await login('bob', program.password, 'web')), 'protocolDisabled')
  await directory.updateMailbox(bob, { protocols: { jmap: false } })
  assert.equal(reason(await login('bob', program.password, 'jmap')), 'protocolDisabled')
  assert.equal(reason(await login('bob', PASSWORD, 'web')), 'ok')
})

test('cached verdicts are dropped when the password changes, wrong ones too', async () => {
  const { directory, login, bob } = await setup()
  assert.equal(reason(await login('bob')), 'ok')
  assert.equal(reason(await login('bob', 'new one')), 'invalid')
  await directory.setPassword(bob, 'new one')
  assert.equal(reason(await login('bob')), 'invalid')
  assert.equal(reason(await login('bob', 'new one')), 'ok')
  assert.equal(reason(await login('carol@example.com', 'hers')), 'invalid')
  await directory.addMailbox({ address: 'carol@example.com', password: 'hers' })
  assert.equal(reason(await login('carol@example.com', 'hers')), 'ok')
})

test('a cached verdict costs microseconds, a cold one a hash; it ends after CACHE_MS', async () => {
  const { login, clock } = await setup({ memory: 8_192, passes: 2 })
  const timed = async (): Promise<number> => {
    const start = performance.now()
    assert.equal(reason(await login('bob')), 'ok')
    return performance.now() - start
  }
  const cold = await timed()
  const warm = []
  for (let i = 0; i < 200; i++) warm.push(await timed())
  const median = warm.sort((a, b) => a - b)[100]!
  assert.ok(median < 0.5 && median < cold / 5, `warm ${median} ms, cold ${cold} ms`)
  clock.at += CACHE_MS + 1
  assert.ok((await timed()) > median * 5)
})

test('P17: unknown user, wrong password, disabled and passwordless account take the same time', async () => {
  const cost = { memory: 2_048, passes: 1 }
  const { directory, auth, bob } = await setup(cost)
  await directory.addMailbox({ address: 'none@example.com' })
  await directory.addMailbox({ address: 'off@example.com', password: PASSWORD })
  await directory.updateMailbox('off@example.com', { enabled: false })
  assert.ok(bob)
  const logins = ['bob@example.com', 'nobody@example.com', 'off@example.com', 'none@example.com', 'anonymous']
  const times = new Map<string, number[]>(logins.map((login) => [login, []]))
  for (let i = 0; i < 60; i++)
    for (const login of logins) {
      const start = performance.now()
      // Another address each time, so that no budget answers; another password, so that no cache answers.
      const verdict = await auth.verify({
        login,
        password: `wrong ${i}`,
        protocol: 'imap',
        remoteAddress: `198.51.100.${i}`,
      })
      times.get(login)?.push(performance.now() - start)
      assert.equal(reason(verdict), 'invalid')
    }
  const medians = logins.map((login) => times.get(login)!.sort((a, b) => a - b)[30]!)
  assert.ok(Math.max(...medians) < Math.min(...medians) * 1.5, medians.map((ms) => ms.toFixed(3)).join(' '))
})

test('P16: one budget for all protocols; it throttles, tells for how long, and ends by itself', async () => {
  const { login, clock } = await setup()
  const protocols = ['imap', 'pop3', 'smtp', 'activesync', 'ews'] as const
  for (let i = 0; i < 10; i++) assert.equal(reason(await login('bob', `guess ${i}`, protocols[i % 5])), 'invalid')
  const verdict = await login('bob', PASSWORD, 'dav')
  assert.equal(reason(verdict), 'throttled')
  const wait = verdict.ok ? 0 : verdict.retryAfterMs
  assert.ok(wait > 0 && wait <= 5_000)
  assert.equal(
    reason(await login('bob', PASSWORD, 'imap', '192.0.2.77')),
    'ok',
    'the owner elsewhere is not locked out',
  )
  assert.equal(
    reason(await login('administrator', PASSWORD, 'web')),
    'ok',
    'another account of the same address goes on',
  )
  clock.at += wait + 1
  assert.equal(reason(await login('bob')), 'ok')
})

test('P16: guessing many accounts from one address blocks the address, but not who logged in from there before', async () => {
  const { login, clock } = await setup()
  assert.equal(reason(await login('bob')), 'ok')
  for (let i = 0; i < 100; i++) await login(`user${i}@example.com`, 'Summer2026')
  assert.equal(reason(await login('administrator', PASSWORD, 'web')), 'throttled')
  assert.equal(reason(await login('bob')), 'ok')
  clock.at += 5_001
  assert.equal(reason(await login('administrator', PASSWORD, 'web')), 'ok')
})

test('P16: guessing one account from thousands of addresses never locks its owner for long', async () => {
  const { login, clock } = await setup()
  assert.equal(reason(await login('bob')), 'ok')
  for (let i = 0; i < 1_000; i++) await login('bob', `guess ${i}`, 'imap', `10.1.${i >> 8}.${i & 255}`)
  assert.equal(reason(await login('bob')), 'ok', 'from an address that was good before')
  clock.at += 5_001
  assert.equal(reason(await login('bob', PASSWORD, 'imap', '203.0.113.9')), 'ok', 'from a new address after seconds')
})

test('unknown and known accounts are throttled alike', async () => {
  const { login } = await setup()
  const run = async (who: string, address: string): Promise<string[]> => {
    const answers = []
    for (let i = 0; i < 14; i++) answers.push(JSON.stringify(await login(who, `guess ${i}`, 'imap', address)))
    return answers
  }
  assert.deepEqual(await run('bob', '192.0.2.10'), await run('nobody@example.com', '192.0.2.11'))
})

test('old failures are forgiven', () => {
  const clock = new TestClock()
  const throttle = new Throttle(clock, defaultThrottle)
  for (let i = 0; i < 100; i++) {
    assert.equal(throttle.failed('bob', '192.0.2.1'), 0, 'one wrong password a minute, for ever')
    clock.at += 60_000
  }
})

test('an IPv6 customer is one network', () => {
  assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:0db8:0001:0002::1'))
  assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf('::1'), '0:0:0:0::/64')
})

test('live sessions end when the account, the password, the protocol or the app password goes', async () => {
  const { directory, auth, login, bob } = await setup()
  const app = await directory.addAppPassword(bob, 'phone', ['imap'])
  const open = async (protocol: ProtocolName, password = PASSWORD): Promise<{ ended: number }> => {
    const verdict = await login('bob', password, protocol)
    assert.ok(verdict.ok)
    const state = { ended: 0 }
    auth.session(verdict.principal, () => state.ended++)
    return state
  }
  const imap = await open('imap')
  const pop = await open('pop3')
  const phone = await open('imap', app.password)
  await directory.updateMailbox(bob, { displayName: 'Robert' })
  assert.deepEqual([imap.ended, pop.ended, phone.ended], [0, 0, 0])
  await directory.updateMailbox(bob, { protocols: { pop3: false } })
  assert.deepEqual([imap.ended, pop.ended, phone.ended], [0, 1, 0])
  await directory.setPassword(bob, 'other')
  assert.deepEqual([imap.ended, pop.ended, phone.ended], [1, 1, 0], 'the app password is still good')
  await directory.removeAppPassword(bob, app.id)
  assert.deepEqual([imap.ended, pop.ended, phone.ended], [1, 1, 1])
  const later = await open('smtp', 'other')
  await directory.removeMailbox(bob)
  assert.equal(later.ended, 1)
  assert.equal(auth.sessionCount(bob), 0)
})

test('a session that registers after the password changed ends at once; one that unregistered is not told', async () => {
  const { directory, auth, login, bob } = await setup()
  const verdict = await login('bob')
  assert.ok(verdict.ok)
  await directory.setPassword(bob, 'other')
  const ended: string[] = []
  auth.session(verdict.principal, () => ended.push('late'))
  await Promise.resolve()
  assert.deepEqual(ended, ['late'])
  const second = await login('bob', 'other')
  assert.ok(second.ok)
  auth.session(second.principal, () => ended.push('closed'))()
  await directory.updateMailbox(bob, { enabled: false })
  assert.deepEqual(ended, ['late'])
})

test('SCRAM-SHA-256 keys fit the password; unknown users get stable keys of the same shape: RFC 5802 §3', async () => {
  const { directory, auth } = await setup()
  const keys = await auth.scram('bob@example.com', 'imap')
  const salted = pbkdf2Sync(PASSWORD, keys.salt, keys.iterations, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  assert.deepEqual(Buffer.from(keys.storedKey), createHash('sha256').update(clientKey).digest())
  const nobody = await auth.scram('nobody@example.com', 'imap')
  assert.equal(nobody.iterations, keys.iterations)
  assert.equal(nobody.salt.length, keys.salt.length)
  assert.deepEqual(nobody, await createAuthenticator({ directory, hashCost }).scram('NOBODY@example.com', 'pop3'))
  assert.notDeepEqual(nobody.salt, (await auth.scram('other@example.com', 'imap')).salt)
  assert.equal(reason(await auth.scramDone('bob', 'imap', '192.0.2.1', true)), 'ok')
  assert.equal(reason(await auth.scramDone('bob', 'imap', '192.0.2.1', false)), 'invalid')
  assert.equal(reason(await auth.scramDone('nobody@example.com', 'imap', '192.0.2.1', true)), 'invalid')
  assert.equal(reason(await auth.scramDone('administrator', 'imap', '192.0.2.1', true)), 'protocolDisabled')
})

test('SCRAM failures count in the same budget', async () => {
  const { auth, login } = await setup()
  for (let i = 0; i < 10; i++) await auth.scramDone('bob', 'imap', '192.0.2.1', false)
  assert.equal(reason(await login('bob')), 'throttled')
})

test('a hash of another cost is renewed at the next login', async () => {
  const { directory, auth, bob, login } = await setup()
  const version = directory.credential(bob)!.version
  directory.rehashed(bob, version, await hashPassword(PASSWORD, { memory: 128, passes: 1 }))
  assert.ok(hashIsOld(directory.credential(bob)!.hash, hashCost))
  assert.equal(reason(await login('bob')), 'ok')
  assert.ok(!hashIsOld(directory.credential(bob)!.hash, hashCost))
  assert.equal(directory.credential(bob)!.version, version)
  assert.ok(auth)
})

test('a directory that cannot be written keeps nobody out', async () => {
  const { directory, bob, login } = await setup()
  const app = await directory.addAppPassword(bob, 'phone', ['imap'])
  directory.appPasswordUsed = () => {
    throw new Error('database or disk is full')
  }
  assert.equal(reason(await login('bob', app.password)), 'ok')
})

test('hash strings of any form give false, never an error', async () => {
  for (const hash of [
    '',
    'x',
    '$argon2id$v=19$m=9999999,t=99,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
    '$argon2id$v=19$m=1,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  ])
    assert.equal(await verifyPassword(hash, 'x'), false)
  assert.equal(await verifyPassword(await hashPassword('e\u0301'), '\u00e9'), true)
})

test('too many waiting hashes are refused as busy, and the pool goes on', async () => {
  const { auth } = await setup()
  const many = await Promise.all(
    Array.from({ length: 1_200 }, (_, i) =>
      auth.verify({ login: 'bob', password: `p${i}`, protocol: 'imap', remoteAddress: `10.0.${i >> 8}.${i & 255}` }),
    ),
  )
  assert.ok(many.some((verdict) => reason(verdict) === 'busy'))
  assert.ok(many.every((verdict) => ['busy', 'invalid'].includes(reason(verdict))))
})
