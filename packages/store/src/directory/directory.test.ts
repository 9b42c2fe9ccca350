import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { DirectoryError } from '@postrider/domain'
import fc from 'fast-check'
import { addressKey, addressValid } from './address.ts'
import { type DirectoryStore, openDirectory } from './open.ts'
import { DirectoryTooNew, upgrade, upgrades } from './schema.ts'

const hashCost = { memory: 64, passes: 1 }
async function company(file = ':memory:'): Promise<DirectoryStore> {
  const directory = openDirectory({ file, hashCost, databases: ['one', 'two'] })
  if (directory.domains().length === 0) {
    await directory.addDomain('Example.com', 'Authoritative')
    await directory.addDomain('relay.example', 'InternalRelay')
  }
  return directory
}
const code = (expected: string) => (error: unknown) => error instanceof DirectoryError && error.code === expected

test('a mailbox is found by all its addresses, whatever their case, and by +detail', async () => {
  const directory = await company()
  const bob = await directory.addMailbox({
    address: 'Bob@EXAMPLE.com',
    aliases: ['robert@example.com'],
    displayName: 'Bob',
  })
  assert.equal(bob.address, 'Bob@example.com')
  for (const address of [
    'bob@example.com',
    'BOB@Example.Com',
    'Robert@example.com',
    'bob+news@example.com',
    '"bob"@example.com.',
  ])
    assert.deepEqual(directory.resolve(address), { kind: 'mailbox', entry: bob }, address)
  assert.equal(directory.mailbox(bob.mailbox), bob)
  assert.equal(directory.account(bob.account), bob)
  assert.deepEqual(directory.resolve('nobody@example.com'), { kind: 'unknown' })
  assert.deepEqual(directory.resolve('nobody@relay.example'), { kind: 'outside', relay: true })
  assert.deepEqual(directory.resolve('bob@elsewhere.example'), { kind: 'outside', relay: false })
})

test('P14: names of JavaScript are ordinary addresses', async () => {
  const directory = await company()
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.deepEqual(directory.resolve(`${name}@example.com`), { kind: 'unknown' })
    const entry = await directory.addMailbox({ address: `${name}@example.com` })
    assert.deepEqual(directory.resolve(`${name}@example.com`), { kind: 'mailbox', entry })
    assert.deepEqual(directory.setting(name), undefined)
  }
})

test('postmaster reaches the administrator until somebody has the name: RFC 5321 §4.5.1', async () => {
  const directory = await company()
  assert.equal(directory.resolve('postmaster@example.com').kind, 'unknown')
  const administrator = await directory.addMailbox({ address: 'administrator@example.com', isAdministrator: true })
  assert.deepEqual(directory.resolve('Postmaster'), { kind: 'mailbox', entry: administrator })
  assert.deepEqual(directory.resolve('postmaster@example.com'), { kind: 'mailbox', entry: administrator })
  const own = await directory.addMailbox({ address: 'postmaster@example.com' })
  assert.deepEqual(directory.resolve('postmaster@example.com'), { kind: 'mailbox', entry: own })
})

test('errors say what to do', async () => {
  const directory = await company()
  await directory.addMailbox({ address: 'bob@example.com' })
  await assert.rejects(directory.addMailbox({ address: 'BOB@example.com' }), code('exists'))
  await assert.rejects(directory.addMailbox({ address: 'x@example.com', aliases: ['bob@example.com'] }), code('exists'))
  await assert.rejects(directory.addMailbox({ address: 'x@other.example' }), /postrider domain add other\.example/)
  for (const bad of [
    '',
    'bob',
    '@example.com',
    'a b@example.com',
    'a..b@example.com',
    'a\r\n@example.com',
    `${'a'.repeat(65)}@example.com`,
  ])
    await assert.rejects(directory.addMailbox({ address: bad }), code('invalid'), bad)
  await assert.rejects(directory.addMailbox({ address: 'y@example.com', password: '' }), code('invalid'))
  await assert.rejects(directory.updateMailbox('nobody@example.com', {}), code('notFound'))
  await assert.rejects(directory.updateMailbox('bob@example.com', { displayName: 'a\nb' }), code('invalid'))
  await assert.rejects(directory.removeDomain('example.com'), code('inUse'))
  await assert.rejects(directory.addDomain('example.com', 'Authoritative'), code('exists'))
  await assert.rejects(directory.addDomain('not a domain', 'Authoritative'), code('invalid'))
  assert.equal([...directory.mailboxes()].length, 1)
})

test('two additions of one address at the same time: one wins', async () => {
  const directory = await company()
  const both = await Promise.allSettled([
    directory.addMailbox({ address: 'bob@example.com', password: 'one' }),
    directory.addMailbox({ address: 'bob@example.com', password: 'two' }),
  ])
  assert.deepEqual(both.map((each) => each.status).sort(), ['fulfilled', 'rejected'])
})

test('a new primary address keeps the old one as alias; given aliases replace all', async () => {
  const directory = await company()
  const bob = await directory.addMailbox({ address: 'bob@example.com' })
  const renamed = await directory.updateMailbox(bob.account, { address: 'robert@example.com' })
  assert.deepEqual([renamed.address, renamed.aliases], ['robert@example.com', ['bob@example.com']])
  assert.equal(renamed.account, bob.account)
  const only = await directory.updateMailbox(bob.account, { aliases: [] })
  assert.deepEqual(only.aliases, [])
  assert.equal(directory.resolve('bob@example.com').kind, 'unknown')
})

test('mailbox ids and accounts are given once, databases filled evenly', async () => {
  const directory = await company()
  const a = await directory.addMailbox({ address: 'a@example.com' })
  const b = await directory.addMailbox({ address: 'b@example.com' })
  assert.notEqual(a.database, b.database)
  await directory.removeMailbox(b.account)
  const again = await directory.addMailbox({ address: 'b@example.com' })
  assert.ok(again.mailbox > b.mailbox)
  assert.notEqual(again.account, b.account)
  assert.equal(again.database, b.database)
})

test('groups expand with nesting, cycles, aliases and outside members, everybody once', async () => {
  const directory = await company()
  const a = await directory.addMailbox({ address: 'a@example.com', aliases: ['aa@example.com'] })
  const b = await directory.addMailbox({ address: 'b@example.com' })
  await directory.addGroup({ address: 'inner@example.com', members: ['a@example.com', 'x@far.example'] })
  await directory.addGroup({
    address: 'all@example.com',
    members: ['inner@example.com', 'b@example.com', 'aa@example.com'],
  })
  await directory.updateGroup('inner@example.com', { members: ['a@example.com', 'x@far.example', 'all@example.com'] })
  const expansion = directory.expand(['all@example.com', 'A@example.com', 'X@far.example', 'nobody@example.com'])
  assert.deepEqual(expansion.mailboxes, [a, b])
  assert.deepEqual(expansion.outside.map(addressKey), ['x@far.example'])
  assert.deepEqual(expansion.unknown, ['nobody@example.com'])
})

test('forwarding: with and without a copy, in a circle nothing is lost, to nobody it stays', async () => {
  const directory = await company()
  const names = (addresses: string[]): string[] =>
    directory.expand(addresses).mailboxes.map((entry) => entry.address[0]!)
  for (const name of 'abcd') await directory.addMailbox({ address: `${name}@example.com` })
  await directory.updateMailbox('a@example.com', { forwardTo: 'b@example.com' })
  assert.deepEqual(names(['a@example.com']), ['b'])
  await directory.updateMailbox('a@example.com', { deliverAndForward: true })
  assert.deepEqual(names(['a@example.com']).sort(), ['a', 'b'])
  await directory.updateMailbox('a@example.com', { deliverAndForward: false })
  await directory.updateMailbox('b@example.com', { forwardTo: 'a@example.com' })
  assert.equal(names(['a@example.com']).length, 1)
  await directory.updateMailbox('c@example.com', { forwardTo: 'c@example.com' })
  assert.deepEqual(names(['c@example.com']), ['c'])
  await directory.updateMailbox('d@example.com', { forwardTo: 'gone@example.com' })
  assert.deepEqual(directory.expand(['d@example.com']).unknown, [])
  assert.deepEqual(names(['d@example.com']), ['d'])
  await directory.updateMailbox('d@example.com', { forwardTo: 'd@far.example' })
  assert.deepEqual(directory.expand(['d@example.com']).outside, ['d@far.example'])
})

test('find: prefix of any word, all words, accents aside, hidden ones left out, in order', async () => {
  const directory = await company()
  await directory.addMailbox({ address: 'zoe.dupont@example.com', displayName: 'Zoë Dupont' })
  await directory.addMailbox({ address: 'bob@example.com', displayName: 'Bob Dupond' })
  await directory.addMailbox({ address: 'eve@example.com', displayName: 'Eve Duponne' })
  await directory.updateMailbox('eve@example.com', { hiddenFromAddressLists: true })
  await directory.addGroup({ address: 'team@example.com', displayName: 'Dupont Team' })
  const found = (text: string, limit = 10): string[] =>
    directory.find(text, limit).entries.map((entry) => entry.address)
  assert.deepEqual(found('dupon'), ['bob@example.com', 'team@example.com', 'zoe.dupont@example.com'])
  assert.deepEqual(found('ZOE dup'), ['zoe.dupont@example.com'])
  assert.deepEqual(found('bob@exa'), ['bob@example.com'])
  assert.deepEqual(found('upont'), [])
  assert.deepEqual(directory.find('dupon', 1), { total: 3, entries: directory.find('dupon', 3).entries.slice(0, 1) })
  await directory.removeMailbox('bob@example.com')
  assert.deepEqual(found('dupond'), [])
})

test('maySendAs', async () => {
  const directory = await company()
  const a = await directory.addMailbox({ address: 'a@example.com', aliases: ['also-a@example.com'] })
  const b = await directory.addMailbox({ address: 'b@example.com' })
  await directory.addMailbox({ address: 'c@example.com' })
  await directory.updateMailbox('b@example.com', { sendAs: ['a@example.com'] })
  await directory.updateMailbox('c@example.com', { sendOnBehalf: [a.account] })
  const may = (address: string) => directory.maySendAs(a.account, address)
  assert.deepEqual(
    ['A@example.com', 'also-a@example.com', 'a+x@example.com', 'b@example.com', 'c@example.com', 'x@far.example'].map(
      may,
    ),
    ['own', 'own', 'own', 'sendAs', 'onBehalf', 'no'],
  )
  await directory.removeMailbox(a.account)
  assert.deepEqual(directory.mailbox(b.mailbox)?.sendAs, [])
})

test('watch hears changes until it is closed', async () => {
  const directory = await company()
  const heard: (string | undefined)[] = []
  const stop = directory.watch((change) => heard.push(change.account))
  const bob = await directory.addMailbox({ address: 'bob@example.com' })
  await directory.setPassword('bob@example.com', 'secret')
  await directory.setSetting('organization', 'Us')
  stop()
  await directory.removeMailbox(bob.account)
  assert.deepEqual(heard, [bob.account, bob.account, undefined])
  assert.equal(directory.organization, 'Us')
})

test('everything is there again after a restart, and the counter goes on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'directory-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'directory.db')
  const first = await company(file)
  const bob = await first.addMailbox({ address: 'bob@example.com', password: 'secret', quota: 1_000 })
  await first.addGroup({ address: 'all@example.com', members: ['bob@example.com', 'x@far.example'] })
  const app = await first.addAppPassword(bob.account, 'phone', ['imap'])
  await first.setSetting('organization', 'Us')
  await first.setDefaultDomain('relay.example')
  const gone = await first.addMailbox({ address: 'gone@example.com' })
  await first.removeMailbox(gone.account)
  assert.deepEqual(first.pendingMailboxes()[0], { mailbox: bob.mailbox, work: 'create', database: bob.database })
  first.mailboxDone(first.pendingMailboxes()[0]!)
  const before = [
    first.domains(),
    [...first.mailboxes()],
    [...first.groups()],
    first.appPasswords(bob.account),
    first.secret,
  ]
  first.close()

  const second = await company(file)
  assert.deepEqual(
    [
      second.domains(),
      [...second.mailboxes()],
      [...second.groups()],
      second.appPasswords(bob.account),
      Buffer.from(second.secret),
    ],
    [...before.slice(0, 4), Buffer.from(before[4] as Uint8Array)],
  )
  assert.equal(second.organization, 'Us')
  assert.equal(second.appPasswords(bob.account)[0]?.id, app.id)
  assert.deepEqual(second.pendingMailboxes(), [{ mailbox: gone.mailbox, work: 'destroy', database: gone.database }])
  assert.ok((await second.addMailbox({ address: 'new@example.com' })).mailbox > gone.mailbox)
  second.close()
})

test('what the mailbox service has to do stays pending until exactly that is done', async () => {
  const directory = await company()
  const bob = await directory.addMailbox({ address: 'bob@example.com' })
  await directory.updateMailbox(bob.account, { quota: 1_000 })
  const [create] = directory.pendingMailboxes()
  assert.equal(create?.work, 'create', 'it will be made with the new quota')
  directory.mailboxDone(create!)
  assert.deepEqual(directory.pendingMailboxes(), [])
  await directory.updateMailbox(bob.account, { quota: 2_000 })
  const [quota] = directory.pendingMailboxes()
  assert.equal(quota?.work, 'quota')
  await directory.removeMailbox(bob.account)
  directory.mailboxDone(quota!)
  assert.deepEqual(
    directory.pendingMailboxes().map((one) => one.work),
    ['destroy'],
    'decided meanwhile',
  )
})

test('a directory of a newer program is refused, nothing of it changed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'directory-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'directory.db')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA user_version = 99')
  db.close()
  assert.throws(() => openDirectory({ file }), DirectoryTooNew)
})

test('an upgrade leaves a copy of what was before, and a step that fails changes nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'directory-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'directory.db')
  ;(await company(file)).close()
  const db = new DatabaseSync(file)
  assert.throws(() => upgrade(db, file, [...upgrades, 'CREATE TABLE more (x); CREATE TABLE domain (y)']))
  assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'more'").get()?.n, 0)
  upgrade(db, file, [...upgrades, 'CREATE TABLE more (x)'])
  assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, upgrades.length + 1)
  const copy = new DatabaseSync(`${file}.v${upgrades.length}`)
  assert.equal(copy.prepare('PRAGMA user_version').get()?.user_version, upgrades.length)
  assert.equal(copy.prepare('SELECT count(*) AS n FROM domain').get()?.n, 2)
  copy.close()
  db.close()
  assert.throws(() => openDirectory({ file }), DirectoryTooNew)
})

test('the only administrator stays', async () => {
  const directory = await company()
  await directory.addMailbox({ address: 'administrator@example.com', isAdministrator: true })
  await assert.rejects(directory.removeMailbox('administrator@example.com'), code('inUse'))
})

test('address keys are stable, and an address we accept resolves', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const key = addressKey(text)
      if (key !== '') assert.equal(addressKey(key), addressKey(addressKey(key)))
      addressValid(text)
    }),
  )
  assert.ok(addressValid('jürgen@bücher.example'))
  assert.equal(addressKey('Jürgen@Bücher.example'), 'jürgen@xn--bcher-kva.example')
})
