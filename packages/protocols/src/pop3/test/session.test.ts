import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import {
  type Connection,
  type ConnectionHandler,
  createDoor,
  DomainError,
  Flag,
  type MailboxEntry,
  mailItem,
  noMeter,
  silentLog,
  systemClock,
  TimerWheel,
} from '@postrider/domain'
import { createAuthenticator, openDirectory } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import { defaultPopSettings, type PopSettings, pop3Service } from '../index.ts'

class Client implements Connection {
  readonly id = 'c'
  readonly remoteAddress = '192.0.2.7'
  readonly remotePort = 1
  readonly localPort = 110
  secure: boolean
  handler: ConnectionHandler = { data: () => {}, closed: () => {} }
  pendingBytes = 0
  output = ''
  ended = false
  #wake: (() => void) | undefined
  constructor(secure: boolean) {
    this.secure = secure
  }
  write(bytes: Uint8Array | string): boolean {
    this.output += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')
    this.#wake?.()
    return true
  }
  async drained(): Promise<void> {}
  pause(): void {}
  resume(): void {}
  async startTls(): Promise<void> {
    this.handler.data(Buffer.from('USER evil\r\n'))
    this.secure = true
  }
  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes)
    this.ended = true
    this.#wake?.()
  }
  destroy(): void {
    this.end()
  }
  send(text: string): void {
    this.handler.data(Buffer.from(text))
  }
  async #until(found: () => number): Promise<string> {
    for (;;) {
      const end = found()
      if (end >= 0) {
        const taken = this.output.slice(0, end)
        this.output = this.output.slice(end)
        return taken
      }
      if (this.ended) return ''
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing came; have ${JSON.stringify(this.output)}`)), 5000)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  async line(): Promise<string> {
    const line = await this.#until(() => {
      const at = this.output.indexOf('\r\n')
      return at < 0 ? -1 : at + 2
    })
    return line.slice(0, -2)
  }
  /** One command, one status line. */
  async ask(command: string): Promise<string> {
    this.send(`${command}\r\n`)
    return this.line()
  }
  /** One command with a multi-line answer: everything behind the status line, unstuffed. */
  async list(command: string): Promise<string> {
    assert.match(await this.ask(command), /^\+OK/)
    const text = await this.#until(() => {
      if (this.output.startsWith('.\r\n')) return 3
      const at = this.output.indexOf('\r\n.\r\n')
      return at < 0 ? -1 : at + 5
    })
    return text.slice(0, -3).replace(/^\.\./gm, '.')
  }
}

const hashCost = { memory: 8, passes: 1 }
const directory = openDirectory({ file: ':memory:', hashCost })
const authenticator = createAuthenticator({ directory, hashCost })
const store = openMemoryStore()
const wheel = new TimerWheel({ tickMs: 10 })
const door = createDoor(store, directory)
const service = pop3Service({ door, authenticator, clock: systemClock, wheel, log: silentLog, meter: noMeter })
const clients: Client[] = []
let count = 0

before(() => directory.addDomain('example.com', 'Authoritative'))
after(() => {
  authenticator.close()
  directory.close()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.handler.closed()
})

async function user(change: { isAdministrator?: boolean } = {}): Promise<MailboxEntry> {
  const entry = await directory.addMailbox({ address: `u${++count}@example.com`, password: 'pass word', ...change })
  await store.create(entry.mailbox, { language: 'en', quota: undefined, database: entry.database })
  return entry
}
async function folder(entry: MailboxEntry, role = 'inbox') {
  return (await store.folders(entry.mailbox)).find((one) => one.role === role)!.id
}
async function deliver(entry: MailboxEntry, text: string, role = 'inbox'): Promise<void> {
  const item = mailItem(Buffer.from(text), { received: Date.now() })
  await store.apply(entry.mailbox, [{ op: 'add', folder: await folder(entry, role), item }])
}
async function open(secure = true, change: Partial<PopSettings> = {}): Promise<Client> {
  const client = new Client(secure)
  clients.push(client)
  service.accept(client, { ...defaultPopSettings, fqdn: 'mail.example.com', ...change })
  assert.match(await client.line(), /^\+OK /)
  return client
}
async function login(entry: MailboxEntry, change: Partial<PopSettings> = {}): Promise<Client> {
  const client = await open(true, change)
  assert.match(await client.ask(`USER ${entry.address}`), /^\+OK/)
  assert.match(await client.ask('PASS pass word'), /^\+OK/)
  return client
}
const mail = (n: number) => `From: a@x.example\r\nSubject: ${n}\r\n\r\nline one\r\n.dot\r\nline three ${n}\r\n`

test('STAT, LIST, RETR byte for byte, TOP, UIDL', async () => {
  const bob = await user()
  for (let i = 1; i <= 3; i++) await deliver(bob, mail(i))
  await deliver(bob, 'not: here\r\n\r\n', 'drafts')
  const client = await login(bob)
  const size = mail(1).length
  assert.equal(await client.ask('STAT'), `+OK 3 ${3 * size}`)
  assert.equal(await client.list('LIST'), `1 ${size}\r\n2 ${size}\r\n3 ${size}\r\n`)
  assert.equal(await client.ask('LIST 2'), `+OK 2 ${size}`)
  assert.equal(await client.list('RETR 2'), mail(2))
  assert.equal(await client.list('TOP 1 0'), 'From: a@x.example\r\nSubject: 1\r\n\r\n')
  assert.equal(await client.list('TOP 1 2'), 'From: a@x.example\r\nSubject: 1\r\n\r\nline one\r\n.dot\r\n')
  assert.equal(await client.list('TOP 3 99'), mail(3))
  const uids = (await client.list('UIDL')).trim().split('\r\n')
  assert.equal(new Set(uids.map((line) => line.split(' ')[1])).size, 3)
  for (const line of uids) assert.match(line, /^\d+ [\x21-\x7e]{1,70}$/)
  for (const command of ['RETR 4', 'LIST 0', 'TOP 9 1', 'UIDL 7', 'DELE 12'])
    assert.match(await client.ask(command), /^-ERR/)
})

test('a large message is streamed and arrives whole; a message without a line end gets one', async () => {
  const bob = await user()
  const text = `Subject: big\r\n\r\n${'.0123456789'.repeat(8)}\r\n`.concat(`${'.line\r\n'.repeat(100_000)}end`)
  await deliver(bob, text)
  const client = await login(bob)
  assert.equal(await client.list('RETR 1'), `${text}\r\n`)
  assert.equal((await client.list('TOP 1 90000')).split('\r\n').length, 90_003)
})

test('R34: DELE is only a mark: RSET takes it back, a dropped connection deletes nothing, QUIT does', async () => {
  const bob = await user()
  for (let i = 1; i <= 3; i++) await deliver(bob, mail(i))
  const dropped = await login(bob)
  for (const n of [1, 2, 3]) assert.match(await dropped.ask(`DELE ${n}`), /^\+OK/)
  dropped.handler.closed()
  const client = await login(bob)
  assert.match(await client.ask('STAT'), /^\+OK 3 /)
  await client.ask('DELE 1')
  assert.match(await client.ask('DELE 1'), /^-ERR/)
  assert.match(await client.ask('RETR 1'), /^-ERR/)
  assert.match(await client.ask('STAT'), /^\+OK 2 /)
  assert.match(await client.list('LIST'), /^2 \d+\r\n3 \d+\r\n$/)
  await client.ask('RSET')
  assert.match(await client.ask('STAT'), /^\+OK 3 /)
  await client.ask('DELE 2')
  await client.list('RETR 3')
  assert.match(await client.ask('QUIT'), /^\+OK/)
  assert.ok(client.ended)
  const rows = await store.scan(bob.mailbox, { folder: await folder(bob), columns: ['flags'] })
  assert.deepEqual([...rows.flags], [0, Flag.seen])
})

test('UIDLs stay for ever: through other deletions, other sessions, and a move away and back', async () => {
  const bob = await user()
  for (let i = 1; i <= 3; i++) await deliver(bob, mail(i))
  const inbox = await folder(bob)
  const archive = await folder(bob, 'archive')
  const uidOf = async (n: number) => {
    const client = await login(bob)
    const [, uid] = (await client.list('UIDL')).trim().split('\r\n')[n - 1]!.split(' ')
    await client.ask('QUIT')
    return uid
  }
  const third = await uidOf(3)
  const client = await login(bob)
  await client.ask('DELE 1')
  await client.ask('QUIT')
  assert.equal(await uidOf(2), third)
  const rows = await store.scan(bob.mailbox, { folder: inbox, columns: ['uid'] })
  await store.apply(bob.mailbox, [{ op: 'move', from: inbox, items: { uids: rows.uid.slice(1) }, to: archive }])
  const there = await store.scan(bob.mailbox, { folder: archive, columns: ['uid'] })
  await store.apply(bob.mailbox, [{ op: 'move', from: archive, items: { uids: there.uid }, to: inbox }])
  assert.equal(await uidOf(2), third)
})

test('the snapshot holds while others deliver and delete; what is gone is said, and QUIT still works', async () => {
  const bob = await user()
  for (let i = 1; i <= 2; i++) await deliver(bob, mail(i))
  const client = await login(bob)
  const inbox = await folder(bob)
  const rows = await store.scan(bob.mailbox, { folder: inbox, columns: ['uid'] })
  await store.apply(bob.mailbox, [{ op: 'remove', folder: inbox, items: { uids: rows.uid.slice(0, 1) } }])
  await deliver(bob, mail(3))
  assert.match(await client.ask('STAT'), /^\+OK 2 /)
  assert.match(await client.ask('RETR 1'), /^-ERR/)
  assert.equal(await client.list('RETR 2'), mail(2))
  await client.ask('DELE 1')
  await client.ask('DELE 2')
  assert.match(await client.ask('QUIT'), /^\+OK/)
  const left = await store.scan(bob.mailbox, { folder: inbox, columns: ['uid'] })
  assert.equal(left.count, 1)
})

test('R25: before TLS no password is taken or offered; STLS forgets what was pipelined', async () => {
  const bob = await user()
  const client = await open(false)
  const before = await client.list('CAPA')
  assert.ok(before.includes('STLS\r\n') && !/USER|SASL/.test(before))
  for (const command of [`USER ${bob.address}`, 'PASS pass word', 'AUTH PLAIN AGEAYg=='])
    assert.match(await client.ask(command), /^-ERR \[AUTH\]/)
  assert.equal(await client.list('AUTH'), '')
  client.send(`STLS\r\nUSER ${bob.address}\r\n`)
  assert.match(await client.line(), /^\+OK/)
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(await client.ask('PASS pass word'), /^-ERR/)
  const inside = await client.list('CAPA')
  assert.ok(
    inside.includes('USER\r\n') && inside.includes('SASL SCRAM-SHA-256 PLAIN LOGIN\r\n') && !inside.includes('STLS'),
  )
  for (const word of [
    'TOP',
    'UIDL',
    'PIPELINING',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'EXPIRE NEVER',
    'IMPLEMENTATION Postrider',
  ])
    assert.ok(inside.includes(`${word}\r\n`), word)
  assert.match(await client.ask('STLS'), /^-ERR/)
  assert.match(await client.ask(`USER ${bob.address}`), /^\+OK/)
  assert.match(await client.ask('PASS pass word'), /^\+OK/)
  assert.equal(await client.list('CAPA'), inside, 'RFC 2449 §6.2, §6.3: the same in both states')
  assert.match(await client.ask('USER x'), /^-ERR/)
})

test('AUTH PLAIN, LOGIN and SCRAM-SHA-256', async () => {
  const bob = await user()
  const b64 = (text: string) => Buffer.from(text).toString('base64')
  assert.match(await (await open()).ask(`AUTH PLAIN ${b64(`\0${bob.address}\0pass word`)}`), /^\+OK/)
  const two = await open()
  assert.equal(await two.ask('AUTH LOGIN'), `+ ${b64('Username:')}`)
  assert.equal(await two.ask(b64(bob.address)), `+ ${b64('Password:')}`)
  assert.match(await two.ask(b64('pass word')), /^\+OK/)
  const three = await open()
  assert.equal(await three.ask('AUTH PLAIN'), '+ ')
  assert.match(await three.ask('*'), /^-ERR/)
  assert.match(await three.ask('AUTH GSSAPI'), /^-ERR/)
  const bare = `n=${bob.address},r=nonce`
  const first = Buffer.from((await three.ask(`AUTH SCRAM-SHA-256 ${b64(`n,,${bare}`)}`)).slice(2), 'base64').toString()
  const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first)!
  const salted = pbkdf2Sync('pass word', Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256')
  const mac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const clientKey = mac(salted, 'Client Key')
  const without = `c=biws,r=${nonce}`
  const signature = mac(createHash('sha256').update(clientKey).digest(), `${bare},${first},${without}`)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString('base64')
  assert.match(await three.ask(b64(`${without},p=${proof}`)), /^\+ dj[01]/)
  assert.match(await three.ask(''), /^\+OK/)
})

test('R39, R40, P16: guests, the administrator and wrong passwords hear the same; the third ends the connection', async () => {
  const bob = await user()
  const admin = await user({ isAdministrator: true })
  const answers = new Set<string>()
  for (const [name, password] of [
    [bob.address, 'wrong'],
    ['nobody@example.com', 'wrong'],
    ['anonymous', 'x'],
    ['guest@example.com', 'x'],
    [admin.address, 'pass word'],
  ]) {
    const client = await open()
    await client.ask(`USER ${name}`)
    answers.add(await client.ask(`PASS ${password}`))
  }
  assert.deepEqual([...answers], ['-ERR [AUTH] Logon failure: unknown user name or bad password.'])
  const client = await open()
  for (let i = 0; i < 3; i++) {
    await client.ask('USER x@example.com')
    await client.ask('PASS y')
  }
  assert.ok(client.ended)
})

test('at most 16 connections for a user; one that ends makes room', async () => {
  const bob = await user()
  const open16 = []
  for (let i = 0; i < 16; i++) open16.push(await login(bob))
  const over = await open()
  await over.ask(`USER ${bob.address}`)
  assert.match(await over.ask('PASS pass word'), /^-ERR \[SYS\/TEMP\]/)
  assert.ok(over.ended)
  await open16[0]!.ask('QUIT')
  await login(bob)
})

test('R28: switching POP off for a user ends the live session and deletes nothing', async () => {
  const bob = await user()
  await deliver(bob, mail(1))
  const client = await login(bob)
  await client.ask('DELE 1')
  await directory.updateMailbox(bob.account, { protocols: { pop3: false } })
  assert.match(await client.line(), /^-ERR/)
  assert.ok(client.ended)
  const rows = await store.scan(bob.mailbox, { folder: await folder(bob), columns: ['uid'] })
  assert.equal(rows.count, 1)
})

test('D4: a failed update is told and deletes nothing; a stopped service is a temporary error', async () => {
  const bob = await user()
  await deliver(bob, mail(1))
  const client = await login(bob)
  await client.ask('DELE 1')
  const apply = store.apply
  store.apply = async () => {
    throw new DomainError('unavailable')
  }
  try {
    assert.match(await client.ask('QUIT'), /^-ERR \[SYS\/TEMP\]/)
  } finally {
    store.apply = apply
  }
  assert.match(await (await login(bob)).ask('STAT'), /^\+OK 1 /)
})

test('P1: whoever does not log in is let go after the pre-login time, dribbling or not', async () => {
  const client = await open(true, { preAuthenticatedConnectionTimeout: 100 })
  const dribble = setInterval(() => client.send('N'), 20)
  assert.match(await client.line().finally(() => clearInterval(dribble)), /^-ERR \[SYS\/TEMP\]/)
  assert.ok(client.ended)
})

test('RFC 2449 PIPELINING: a whole session in one segment', async () => {
  const bob = await user()
  await deliver(bob, mail(1))
  const client = await open()
  client.send(`USER ${bob.address}\r\nPASS pass word\r\nSTAT\r\nDELE 1\r\nNOOP\r\nQUIT\r\n`)
  const lines = []
  for (let i = 0; i < 6; i++) lines.push((await client.line()).slice(0, 3))
  assert.deepEqual(lines, ['+OK', '+OK', '+OK', '+OK', '+OK', '+OK'])
  assert.ok(client.ended)
})

test('LANG: English until asked, French then; unknown languages are refused', async () => {
  const client = await open()
  assert.match(await client.ask('NOOP'), /valid in this state/)
  assert.match(await client.list('LANG'), /^en English\r\nfr /)
  assert.match(await client.ask('LANG fr-CA'), /^\+OK fr /)
  assert.match(await client.ask('NOOP'), /non valable/)
  assert.match(await client.ask('LANG tlh'), /^-ERR/)
})
