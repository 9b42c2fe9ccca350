import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '@postrider/domain'
import { createAuthenticator } from './authenticator.ts'
import { openDirectory } from './open.ts'
import { openReplica, remoteAuthenticator } from './replica.ts'

const hashCost = { memory: 64, passes: 1 }
const outside = '192.0.2.1'

/** A directory with some of everything, and a copy that follows it. */
async function both() {
  const directory = openDirectory({ file: ':memory:', hashCost })
  await directory.addDomain('example.com', 'Authoritative')
  await directory.addDomain('contoso.com', 'InternalRelay')
  const ann = await directory.addMailbox({ address: 'ann@example.com', password: 'one', aliases: ['a@example.com'] })
  await directory.addGroup({ address: 'all@example.com', members: ['ann@example.com'] })
  await directory.setSetting('color', { of: 'doors' })
  const copy = openReplica((method, args) => {
    const write = directory[method] as (...of: readonly unknown[]) => Promise<unknown>
    return write.apply(directory, [...args])
  })
  for (const news of directory.steps()) copy.take(news)
  directory.follow((news) => copy.take(news))
  return { directory, copy, ann }
}
const shown = (one: { steps?: unknown } & Pick<Awaited<ReturnType<typeof both>>['copy'], 'mailboxes'>) => [
  ...one.mailboxes(),
]

test('a copy answers as the directory does, at first and after every kind of change', async () => {
  const { directory, copy, ann } = await both()
  const same = (): void => {
    assert.equal(copy.organization, directory.organization)
    assert.deepEqual(copy.domains(), directory.domains())
    assert.deepEqual(shown(copy), shown(directory))
    assert.deepEqual([...copy.groups()], [...directory.groups()])
    assert.deepEqual(copy.setting('color'), directory.setting('color'))
    assert.deepEqual(copy.find('a', 10), directory.find('a', 10))
    assert.deepEqual(copy.secret, directory.secret)
    for (const { account, address } of directory.mailboxes()) {
      assert.equal(copy.credential(account)?.version, directory.credential(account)?.version)
      assert.deepEqual(copy.appPasswords(address), directory.appPasswords(address))
    }
    for (const address of [
      'ann@example.com',
      'A@example.com',
      'all@example.com',
      'x@contoso.com',
      'postmaster@example.com',
    ])
      assert.deepEqual(copy.resolve(address), directory.resolve(address))
  }
  same()
  let changes = 0
  copy.watch(() => changes++)
  // Through the copy, as a client-access process does it.
  const bob = await copy.addMailbox({ address: 'bob@example.com', password: 'two', isAdministrator: true })
  same()
  await copy.updateMailbox(ann.account, { address: 'anna@example.com', fullAccess: [bob.account] })
  await copy.setPassword(ann.account, 'three')
  const app = await copy.addAppPassword(ann.account, 'phone', ['activesync'])
  same()
  assert.deepEqual(copy.appPassword(ann.account, app.id)?.protocols, ['activesync'])
  await copy.removeAppPassword(ann.account, app.id)
  await copy.updateGroup('all@example.com', { members: ['bob@example.com'] })
  await copy.setDefaultDomain('contoso.com')
  await copy.setSetting('organization', 'Contoso')
  await copy.setSetting('color', undefined)
  same()
  await copy.removeGroup('all@example.com')
  await copy.removeMailbox(ann.account)
  await copy.removeDomain('example.com').catch(() => {})
  same()
  assert.equal(copy.credential(ann.account), undefined)
  assert.ok(changes >= 10)
  // Hashes never leave.
  assert.doesNotMatch(JSON.stringify([...directory.steps()]), /argon2|scrypt|storedKey|digest/i)
})

test('a login through a copy ends with the next password, also when that comes between login and session', async () => {
  const { directory, copy, ann } = await both()
  const deciding = createAuthenticator({ directory, hashCost })
  const sent = (verdict: Awaited<ReturnType<typeof deciding.verify>>) => ({
    verdict: structuredClone(verdict),
    version: verdict.ok ? deciding.provedWith(verdict.principal) : 0,
  })
  const here = remoteAuthenticator(copy, {
    verify: async (attempt) => sent(await deciding.verify(attempt)),
    scram: (login, protocol) => deciding.scram(login, protocol),
    scramDone: async (...of) => sent(await deciding.scramDone(...of)),
  })
  const login = async (password: string): Promise<Principal | undefined> => {
    const verdict = await here.verify({ login: 'ann@example.com', password, protocol: 'imap', remoteAddress: outside })
    return verdict.ok ? verdict.principal : undefined
  }
  const first = await login('one')
  assert.ok(first !== undefined)
  let ended = 0
  here.session(first, () => ended++)
  const late = await login('one')
  assert.ok(late !== undefined)
  await directory.setPassword(ann.account, 'two')
  assert.equal(ended, 1)
  here.session(late, () => ended++)
  await Promise.resolve()
  assert.equal(ended, 2)
  assert.equal(await login('one'), undefined)
  const now = await login('two')
  assert.ok(now !== undefined)
  here.session(now, () => ended++)
  await directory.updateMailbox(ann.account, { protocols: { imap: false } })
  assert.equal(ended, 3)
  deciding.close()
})
