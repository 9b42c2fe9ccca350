import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectPlain, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectSecure } from 'node:tls'
import {
  isDomainError,
  type MailboxEntry,
  type MailboxId,
  type MailboxService,
  movedEpoch,
  silentLog,
} from '@postrider/domain'
import { Caller, connectTls, listenTls, type NodeCertificate, type Purpose, serveChannel } from '@postrider/link'
import { createAuthenticator, openDirectory, openFollower } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import { issueNode, makeAuthority } from './authority.ts'
import { followDirectory, serveDirectory } from './directory-link.ts'
import { hostedService } from './hosted.ts'
import {
  fingerprintOf,
  type NodeIdentity,
  nodeNameValid,
  parseAddress,
  readIdentity,
  writeIdentity,
} from './identity.ts'

const MAILBOXES: Purpose = 'postrider-mailboxes/1'
const DIRECTORY: Purpose = 'postrider-directory/1'
const authority = makeAuthority(Date.now())
const stranger = makeAuthority(Date.now())
const shown = (name: string, by = authority): NodeCertificate => {
  const { key, certificate } = issueNode(by, name, Date.now())
  return { key, certificate, authority: by.certificate }
}
const [alpha, beta] = [shown('alpha'), shown('beta')]
const box = 1 as MailboxId
const init = { language: 'en', quota: undefined, database: 'db' } as const

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nodes-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000
  while (!condition()) {
    assert.ok(performance.now() < end, 'it does not happen')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Alpha listens; `service` is asked. */
async function listening(t: TestContext, service: MailboxService, admits = (name: string) => name === 'beta') {
  let joined = 0
  const server = await listenTls({
    own: alpha,
    host: '127.0.0.1',
    port: 0,
    purposes: [MAILBOXES],
    admits: ({ name, fingerprint }) => admits(name) && fingerprint === fingerprintOf(beta.certificate),
    joined: (channel) => {
      joined++
      serveChannel(service, channel)
    },
  })
  t.after(() => server.close())
  return { ...server, joined: () => joined }
}
const dial = (port: number, own = beta, name = 'alpha', purpose: Purpose = MAILBOXES) =>
  connectTls({ own, host: '127.0.0.1', port, purpose, peer: { name } })

test('nodes know each other by name and by the certificates of their own authority', async (t) => {
  const store = openMemoryStore({})
  const server = await listening(t, store)
  const caller = new Caller()
  t.after(() => caller.close())
  caller.attach(await dial(server.port))
  await caller.service.create(box, init)
  assert.equal((await caller.service.info(box)).database, 'db')
  assert.equal(server.joined(), 1)
  // Somebody else answers there.
  await assert.rejects(dial(server.port, beta, 'gamma'), /is "alpha", not gamma/)
  await assert.rejects(
    connectTls({
      own: beta,
      host: '127.0.0.1',
      port: server.port,
      purpose: MAILBOXES,
      peer: { name: 'alpha', fingerprint: fingerprintOf(beta.certificate) },
    }),
    /not alpha/,
  )
  // Nobody there speaks this.
  await assert.rejects(dial(server.port, beta, 'alpha', DIRECTORY))
})

test('who has no certificate of the authority, another’s name, or was removed, reaches nothing', async (t) => {
  let asked = 0
  const service = new Proxy(openMemoryStore({}), {
    get: () => {
      asked++
      return () => Promise.reject(new Error('asked'))
    },
  })
  const server = await listening(t, service)
  for (const own of [shown('beta', stranger), shown('gamma'), shown('beta')]) {
    const caller = new Caller()
    t.after(() => caller.close())
    // In TLS 1.3 the client hears afterwards that it was turned away.
    const channel = await dial(server.port, { ...own, authority: alpha.authority }).catch(() => undefined)
    if (channel !== undefined) caller.attach(channel)
    await assert.rejects(caller.service.info(box), (error) => isDomainError(error, 'unavailable'))
  }
  const bare = connectSecure({
    port: server.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: [MAILBOXES],
  })
  bare.on('error', () => {})
  bare.on('secureConnect', () => bare.write(Buffer.alloc(1_000)))
  await new Promise((resolve) => bare.once('close', resolve))
  assert.equal(server.joined(), 0)
  assert.equal(asked, 0)
})

test('any bytes before the handshake end the connection, and crowds of strangers are turned away', async (t) => {
  const server = await listening(t, openMemoryStore({}))
  const closed: Promise<unknown>[] = []
  const open: Socket[] = []
  for (let n = 0; n < 100; n++) {
    const socket = connectPlain({ port: server.port, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.resume()
    closed.push(new Promise((resolve) => socket.once('close', resolve)))
    open.push(socket)
    if (n % 2 === 0) socket.write(Buffer.alloc(64, n))
  }
  t.after(() => {
    for (const socket of open) socket.destroy()
  })
  // Those that say nothing have ten seconds.
  await Promise.all(closed)
  const caller = new Caller()
  t.after(() => caller.close())
  caller.attach(await dial(server.port))
  await caller.service.create(box, init)
})

test('a connection cut in the middle of a call: a temporary error, and what is tried again happens once', async (t) => {
  const store = openMemoryStore({})
  await store.create(box, init)
  let cut = (): void => {}
  const answered = Promise.withResolvers<void>()
  const slow: MailboxService = Object.assign(Object.create(store) as MailboxService, {
    apply: async (...args: Parameters<MailboxService['apply']>) => {
      const done = await store.apply(...args)
      cut()
      await answered.promise
      return done
    },
  })
  const server = await listening(t, slow)
  // A wire that can be cut.
  const sockets = new Set<Socket>()
  const wire = createServer((near) => {
    const far = connectPlain({ port: server.port, host: '127.0.0.1' })
    for (const one of [near, far]) {
      sockets.add(one)
      one.on('error', () => {})
    }
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    wire.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = wire.address() as { port: number }
  cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const caller = new Caller()
  t.after(() => caller.close())
  caller.attach(await dial(port))
  const once = [{ op: 'once', key: 'delivery', keepMs: 60_000 }] as const
  await assert.rejects(caller.service.apply(box, once), (error) => isDomainError(error, 'unavailable'))
  answered.resolve()
  caller.attach(await dial(port))
  // It had been done: whoever tries again hears so.
  await assert.rejects(caller.service.apply(box, once), (error) => isDomainError(error, 'duplicate'))
})

test('what other nodes ask for and is elsewhere is answered “moved”, also when this node hears of it a moment later', async () => {
  const asked: unknown[] = []
  const service = {
    info: async (mailbox: MailboxId) => void asked.push(mailbox),
    queueList: async () => [],
  } as unknown as MailboxService
  const entries = new Map([
    [1, { database: 'here', epoch: 1 }],
    [2, { database: 'there', epoch: 4 }],
    [3, { database: 'there', epoch: 6 }],
  ])
  const listeners = new Set<(change: object) => void>()
  const directory = {
    mailbox: (id: MailboxId) => entries.get(id) as MailboxEntry | undefined,
    watch: (listener: (change: object) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const hosted = hostedService(service, directory, (database) => database === 'here')
  await hosted.info(1 as MailboxId)
  await assert.rejects(hosted.info(2 as MailboxId), (error) => movedEpoch(error) === 4)
  const later = hosted.info(3 as MailboxId)
  entries.set(3, { database: 'here', epoch: 7 })
  for (const listener of listeners) listener({})
  await later
  assert.deepEqual(asked, [1, 3])
  assert.deepEqual(await hosted.queueList({ limit: 1 }), [])
})

test('a node’s copy of the directory lets people in, forgets what is gone, and is there again without the other', async (t) => {
  const folder = folderOf(t)
  const head = openDirectory({ file: ':memory:' })
  t.after(() => head.close())
  await head.addDomain('example.com', 'Authoritative')
  const ann = await head.addMailbox({ address: 'ann@example.com', password: 'first password' })
  await head.addMailbox({ address: 'bob@example.com' })
  const app = await head.addAppPassword(ann.account, 'phone', ['imap'])
  const wrote: number[] = []
  const serve = () =>
    listenTls({
      own: alpha,
      host: '127.0.0.1',
      port: 0,
      purposes: [DIRECTORY],
      admits: () => true,
      joined: (channel) =>
        serveDirectory(channel, head, { wrote: async () => void wrote.push(1), held: () => {} }, silentLog),
    })
  const server = await serve()
  const identity: NodeIdentity = {
    name: 'beta',
    number: 1,
    host: '127.0.0.1',
    port: 1,
    head: { name: 'alpha', host: '127.0.0.1', port: server.port },
    certificate: beta,
  }
  const followed = await followDirectory(folder, identity, silentLog)
  const { directory } = followed
  const tries = createAuthenticator({ directory })
  t.after(() => tries.close())
  const login = async (password: string): Promise<boolean> =>
    (await tries.verify({ login: 'ann@example.com', password, protocol: 'imap', remote: '127.0.0.1' } as never)).ok
  assert.equal(await login('first password'), true)
  assert.equal(await login(app.password), true)
  assert.equal(await login('wrong'), false)
  // Changes of there come here; changes made here are made there.
  await head.setPassword(ann.account, 'second password')
  await until(() => directory.credential(ann.account)?.version === 2)
  assert.equal(await login('second password'), true)
  await directory.updateMailbox(ann.account, { displayName: 'Ann' })
  assert.equal(head.account(ann.account)?.displayName, 'Ann')
  assert.equal(directory.account(ann.account)?.displayName, 'Ann')
  assert.deepEqual(wrote, [1])
  await head.removeMailbox('bob@example.com')
  await until(() => directory.mailboxCount === 1)
  // Refused in words.
  await assert.rejects(directory.addMailbox({ address: 'ann@example.com' }), /belongs to/)
  server.close()
  followed.close()
  const again = await followDirectory(folder, identity, silentLog)
  t.after(() => again.close())
  assert.equal(again.directory.account(ann.account)?.displayName, 'Ann')
  assert.equal(again.directory.credential(ann.account)?.version, 2)
  await assert.rejects(again.directory.setPassword(ann.account, 'third'), (error) =>
    isDomainError(error, 'unavailable'),
  )
  // What was removed while it was away goes when it hears everything anew.
  const copy = openFollower(() => Promise.reject(new Error('not asked')))
  t.after(() => copy.close())
  for (const news of [...again.directory.nodeSteps()]) copy.take(news)
  await head.removeMailbox('ann@example.com').catch(() => undefined)
  for (const news of [...head.nodeSteps()]) copy.take(news)
  assert.equal(copy.mailboxCount, head.mailboxCount)
})

test('certificates of nodes: signed by the authority, for both sides, by name', () => {
  const certificate = new X509Certificate(beta.certificate)
  assert.ok(certificate.checkIssued(new X509Certificate(authority.certificate)))
  assert.ok(certificate.verify(new X509Certificate(authority.certificate).publicKey))
  assert.equal(certificate.subject, 'CN=beta')
  assert.ok(new X509Certificate(authority.certificate).ca)
  assert.equal(certificate.ca, false)
})

test('an identity is kept; addresses and names are checked', (t) => {
  const folder = folderOf(t)
  assert.equal(readIdentity(folder), undefined)
  const identity: NodeIdentity = { name: 'beta', number: 1, host: '::1', port: 5, certificate: beta }
  writeIdentity(folder, identity)
  assert.deepEqual(readIdentity(folder), identity)
  assert.deepEqual(parseAddress('[::1]:24'), { host: '::1', port: 24 })
  assert.deepEqual(parseAddress('mail.example.com:2424'), { host: 'mail.example.com', port: 2424 })
  for (const bad of ['', 'host', 'host:0', 'host:70000', '::1:5', 'a b:5']) assert.equal(parseAddress(bad), undefined)
  assert.ok(nodeNameValid('mail-2'))
  for (const bad of ['', '-a', 'A', 'a.b', 'x'.repeat(40)]) assert.equal(nodeNameValid(bad), false)
})
