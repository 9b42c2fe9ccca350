/** A session with a real directory and authenticator, a pretended connection and an intake that remembers what it was given. */
import {
  type Connection,
  type ConnectionHandler,
  noMeter,
  silentLog,
  systemClock,
  TimerWheel,
  type Traces,
} from '@postrider/domain'
import { createAuthenticator, openDirectory } from '@postrider/store/directory'
import { ReplyReceiver } from '@postrider/wire/smtp'
import {
  clientFrontend,
  defaultFrontend,
  type InboundMail,
  type IntakeResult,
  type MailIntake,
  type ReceiveConnector,
  type SmtpOptions,
  smtpService,
} from '../index.ts'

export class FakeConnection implements Connection {
  readonly id = 'c1'
  readonly remoteAddress: string
  readonly remotePort = 50_000
  readonly localPort = 25
  secure: boolean
  handler: ConnectionHandler = { data: () => {}, closed: () => {} }
  readonly pendingBytes = 0
  readonly replies = new ReplyReceiver()
  output = ''
  ended = false
  paused = false
  #wake: (() => void) | undefined

  constructor(secure: boolean, remoteAddress: string) {
    this.secure = secure
    this.remoteAddress = remoteAddress
  }
  write(bytes: Uint8Array | string): boolean {
    const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()
    this.output += text
    this.replies.push(Buffer.from(text))
    this.#wake?.()
    return true
  }
  drained(): Promise<void> {
    return Promise.resolve()
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  async startTls(): Promise<void> {
    // What a man in the middle gets in before the handshake.
    this.handler.data(Buffer.from('RSET\r\n'))
    await Promise.resolve()
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

  /** Sends raw text. */
  send(text: string | Buffer): void {
    this.handler.data(typeof text === 'string' ? Buffer.from(text, 'utf8') : text)
  }
  /** The next reply, "code status first-line"; "closed" when the connection ended without one. */
  async reply(): Promise<string> {
    for (;;) {
      const event = this.replies.next()
      if (event?.kind === 'reply') {
        const { code, status, lines } = event.reply
        return [code, status, lines.join('|')].filter((part) => part !== undefined).join(' ')
      }
      if (event?.kind === 'error') return `bad reply: ${event.problem}`
      if (this.ended) return 'closed'
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no reply after: ${this.output.slice(-200)}`)), 8000)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  /** Sends lines one after the other and gives the code and status of each reply. */
  async talk(...lines: string[]): Promise<string[]> {
    const answers: string[] = []
    for (const line of lines) {
      this.send(`${line}\r\n`)
      answers.push((await this.reply()).split(' ').slice(0, 2).join(' ').trim())
      // A real client would now shake hands.
      if (line === 'STARTTLS') await new Promise((resolve) => setImmediate(resolve))
    }
    return answers
  }
}

export class FakeIntake implements MailIntake {
  readonly mails: InboundMail[] = []
  result: IntakeResult = { outcome: 'accepted' }
  state: 'ready' | 'diskFull' | 'busy' = 'ready'
  full = new Set<string>()
  /** What an accepted message waits for, as for a slow disk. */
  slow: Promise<void> | undefined
  condition(): 'ready' | 'diskFull' | 'busy' {
    return this.state
  }
  hasRoom(entry: { address: string }): Promise<boolean> {
    return Promise.resolve(!this.full.has(entry.address))
  }
  async accept(mail: InboundMail): Promise<IntakeResult> {
    this.mails.push(mail)
    await this.slow
    return this.result
  }
}

export interface World {
  intake: FakeIntake
  directory: ReturnType<typeof openDirectory>
  service: ReturnType<typeof smtpService>
  connect(connectors: readonly ReceiveConnector[], how?: { secure?: boolean; from?: string }): Promise<FakeConnection>
  mx(change?: Partial<ReceiveConnector>): Promise<FakeConnection>
  submission(login?: string): Promise<FakeConnection>
  /** Every connection goes away, as at the end of a test. */
  hangUp(): void
  close(): void
}

const HOST = 'mail.example.com'

/** example.com with bob (alias robert), alice, a group `team` for insiders, `open` for all; example.net is an internal relay domain. */
export async function world(options: SmtpOptions = {}, traces?: Traces): Promise<World> {
  const clock = systemClock
  const hashCost = { memory: 8, passes: 1 }
  const directory = openDirectory({ file: ':memory:', hashCost })
  await directory.addDomain('example.com', 'Authoritative')
  await directory.addDomain('example.net', 'InternalRelay')
  const admin = { address: 'administrator@example.com', password: 'admin pass', isAdministrator: true }
  await directory.addMailbox(admin)
  await directory.addMailbox({ address: 'bob@example.com', password: 'bob pass', aliases: ['robert@example.com'] })
  const alice = await directory.addMailbox({ address: 'alice@example.com', password: 'alice pass' })
  const shared = await directory.addMailbox({ address: 'sales@example.com', type: 'shared' })
  await directory.updateMailbox(shared.account, { sendAs: [alice.account] })
  await directory.addGroup({ address: 'team@example.com', members: ['bob@example.com'] })
  await directory.updateGroup('team@example.com', { requireSenderAuthentication: true })
  await directory.addGroup({ address: 'open@example.com', members: ['bob@example.com'] })
  await directory.updateGroup('open@example.com', { requireSenderAuthentication: false })
  const authenticator = createAuthenticator({ directory, hashCost })
  const intake = new FakeIntake()
  const wheel = new TimerWheel({ tickMs: 10, clock })
  const services = {
    directory,
    authenticator,
    intake,
    clock,
    wheel,
    log: silentLog,
    meter: noMeter,
    ...(traces && { traces }),
  }
  const service = smtpService(services, options)
  const connections: FakeConnection[] = []
  const connect: World['connect'] = async (connectors, { secure = false, from = '192.0.2.7' } = {}) => {
    const connection = new FakeConnection(secure, from)
    service.accept(connection, connectors)
    connections.push(connection)
    return connection
  }
  return {
    intake,
    directory,
    service,
    connect,
    async mx(change = {}) {
      const connection = await connect([defaultFrontend(HOST, { tarpitInterval: 0, ...change })])
      await connection.reply()
      await connection.talk('EHLO client.example')
      return connection
    },
    async submission(login = 'bob') {
      const connection = await connect([clientFrontend(HOST)], { secure: true })
      await connection.reply()
      const plain = Buffer.from(`\0${login}@example.com\0${login} pass`).toString('base64')
      await connection.talk('EHLO client.example', `AUTH PLAIN ${plain}`)
      return connection
    },
    hangUp() {
      for (const connection of connections.splice(0)) connection.handler.closed()
    },
    close() {
      authenticator.close()
      directory.close()
    },
  }
}
