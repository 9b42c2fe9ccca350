/** A room for tests: the memory store, a real directory, and any number of clients on pretended connections. */
import {
  type Connection,
  type ConnectionHandler,
  createDoor,
  Flag,
  HeldTable,
  type MailboxEntry,
  mailItem,
  resultOf,
  systemClock,
  TimerWheel,
} from '@postrider/domain'
import { createAuthenticator, openDirectory } from '@postrider/store/directory'
import { type MemoryStore, openMemoryStore } from '@postrider/store/memory'
import { createImap, type ImapService, type ImapSettings } from '../index.ts'

/** A client that sees lines. */
export class Client implements Connection {
  readonly id: string
  readonly remoteAddress = '192.0.2.7'
  readonly remotePort = 50_000
  readonly localPort = 993
  secure: boolean
  handler: ConnectionHandler = { data: () => {}, closed: () => {} }
  ended = false
  paused = false
  /** Everything received, as bytes; `lines` takes from here. */
  received: Buffer = Buffer.alloc(0)
  /** Stop reading: `write` answers false until `read()`. */
  reading = true
  pendingBytes = 0
  writes = 0
  #wake: (() => void)[] = []
  #drained: (() => void)[] = []

  constructor(id: string, secure: boolean) {
    this.id = id
    this.secure = secure
  }

  write(bytes: Uint8Array | string, sent?: () => void): boolean {
    if (this.ended) return true
    const chunk = Buffer.from(bytes as Uint8Array)
    // They were copied: from now on they may be written over.
    sent?.()
    this.writes++
    this.received = Buffer.concat([this.received, chunk])
    if (!this.reading) this.pendingBytes += chunk.length
    for (const wake of this.#wake.splice(0)) wake()
    return this.reading
  }
  drained(): Promise<void> {
    return this.reading ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve))
  }
  /** Reads on. */
  read(): void {
    this.reading = true
    this.pendingBytes = 0
    for (const go of this.#drained.splice(0)) go()
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  async startTls(): Promise<void> {
    await Promise.resolve()
    this.secure = true
  }
  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes)
    this.destroy()
  }
  destroy(): void {
    if (this.ended) return
    this.ended = true
    for (const wake of this.#wake.splice(0)) wake()
    for (const go of this.#drained.splice(0)) go()
    queueMicrotask(() => this.handler.closed())
  }

  send(text: string | Uint8Array): void {
    this.handler.data(typeof text === 'string' ? Buffer.from(text, 'utf8') : text)
  }

  /** Waits for anything new. Rejects after two seconds of silence. */
  async more(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.id}: silence after ${this.received.toString()}`)), 2_000)
      this.#wake.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** The next line without CRLF; undefined once the connection has ended. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const line = this.poll()
      if (line !== undefined) return line
      if (this.ended) return undefined
      await this.more()
    }
  }

  /** A line that is here already. */
  poll(): string | undefined {
    const end = this.received.indexOf('\r\n')
    if (end < 0) return undefined
    const line = this.received.toString('utf8', 0, end)
    this.received = this.received.subarray(end + 2)
    return line
  }

  /** Sends a command and answers the lines up to the tagged one. */
  async command(text: string): Promise<string[]> {
    const tag = `t${++this.#tags}`
    this.send(`${tag} ${text}\r\n`)
    const lines: string[] = []
    for (;;) {
      const line = await this.line()
      if (line === undefined) return lines
      lines.push(line.startsWith(`${tag} `) ? line.slice(tag.length + 1) : line)
      if (line.startsWith(`${tag} `)) return lines
    }
  }
  #tags = 0
}

export interface Room {
  readonly store: MemoryStore
  readonly service: ImapService
  readonly directory: ReturnType<typeof openDirectory>
  readonly bob: MailboxEntry
  /** Connects; the greeting is read. */
  connect(secure?: boolean): Promise<Client>
  /** Connects and logs in. */
  login(): Promise<Client>
  /** The same at a server that has just been started over the same mailboxes. */
  loginElsewhere(): Promise<Client>
  /** Puts a message into a folder of bob's, behind everybody's back. Answers its UID. */
  deliver(
    message: string | Buffer,
    options?: { folder?: string; seen?: boolean; received?: number; keywords?: string[] },
  ): Promise<number>
  close(): Promise<void>
}

export async function openRoom(settings: Partial<ImapSettings> = {}): Promise<Room> {
  const hashCost = { memory: 8, passes: 1 }
  const directory = openDirectory({ file: ':memory:', hashCost })
  await directory.addDomain('example.com', 'Authoritative')
  await directory.addMailbox({ address: 'administrator@example.com', password: 'secret', isAdministrator: true })
  const bob = await directory.addMailbox({ address: 'bob@example.com', password: 'secret' })
  const store = openMemoryStore()
  for (const entry of directory.mailboxes()) {
    await store.create(entry.mailbox, { language: 'en', quota: entry.quota, database: entry.database })
  }
  const authenticator = createAuthenticator({ directory, hashCost })
  const start = (): ImapService =>
    createImap(
      {
        door: createDoor(store, directory),
        directory,
        authenticator,
        held: new HeldTable(store),
        wheel: new TimerWheel({ tickMs: 10, clock: systemClock }),
      },
      { tarpit: 0, ...settings },
    )
  const service = start()
  const clients: Client[] = []
  const connectTo = async (server: ImapService, secure = true): Promise<Client> => {
    const client = new Client(`c${clients.length}`, secure)
    clients.push(client)
    server.accept(client)
    await client.line()
    return client
  }
  const connect = (secure = true): Promise<Client> => connectTo(service, secure)
  const loginTo = async (server: ImapService): Promise<Client> => {
    const client = await connectTo(server)
    const answer = (await client.command('LOGIN bob@example.com secret')).at(-1)
    if (!answer?.startsWith('OK')) throw new Error(answer)
    return client
  }
  return {
    store,
    service,
    directory,
    bob,
    connect,
    login: () => loginTo(service),
    loginElsewhere: () => loginTo(start()),
    async deliver(
      message,
      { folder = 'inbox', seen = false, received = Date.UTC(2026, 0, 2, 3, 4, 5), keywords = [] } = {},
    ) {
      const folders = await store.folders(bob.mailbox)
      const target = folders.find((one) => one.role === folder || one.name === folder)
      if (target === undefined) throw new Error(`no folder ${folder}`)
      const item = mailItem(Buffer.from(message as Buffer), { received, flags: seen ? Flag.seen : 0, keywords })
      const applied = await store.apply(bob.mailbox, [{ op: 'add', folder: target.id, item }])
      return resultOf(applied, 0, 'add').uid
    },
    async close() {
      for (const client of clients) client.destroy()
      await service.drain(0)
      authenticator.close()
      directory.close()
      await store.close()
    },
  }
}

/** A small mail. */
export function mail(subject: string, fields: Readonly<Record<string, string>> = {}, body = 'Hello\r\n'): string {
  const all = {
    From: 'Ann Author <ann@example.net>',
    To: 'bob@example.com',
    Subject: subject,
    Date: 'Fri, 2 Jan 2026 03:04:05 +0000',
    'Message-ID': `<${subject.replace(/\W/g, '')}@example.net>`,
    ...fields,
  }
  return `${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`
}
