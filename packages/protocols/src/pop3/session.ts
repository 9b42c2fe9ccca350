import {
  type Connection,
  type ConnectionHandler,
  DomainError,
  type Language,
  type Logger,
  type Principal,
  type Timed,
  timed,
  type Together,
} from '@postrider/domain'
import { challenge, err, ok, type Pop3Event, Pop3Receiver, type Pop3ResponseCode } from '@postrider/wire/pop3'
import { commands } from './commands/index.ts'
import { Maildrop } from './maildrop.ts'
import type { Pop3Services } from './ports.ts'
import type { PopSettings } from './settings.ts'
import { say, type TextKey } from './texts.ts'

/** What a command answers: the bytes to send, and what happens to the connection. */
export interface Answer {
  readonly text: string
  readonly close?: boolean
  /** ms to wait first. */
  readonly delay?: number
}

/** Input that may wait while a command is being worked on. */
const MAX_WAITING_INPUT = 64 * 1024
/** Output that may wait for a slow reader before the session stops producing more. */
const MAX_PENDING_OUTPUT = 128 * 1024

/** One connection: RFC 1939 §3. See `index.ts` for what it keeps. */
export class Pop3Session implements ConnectionHandler {
  readonly connection: Connection
  readonly settings: PopSettings
  readonly services: Pop3Services
  readonly log: Logger
  language: Language = 'en'
  /** The name given by USER. */
  user: string | undefined
  principal: Principal | undefined
  maildrop: Maildrop | undefined
  logonFailures = 0

  readonly #receiver: Pop3Receiver
  readonly #together: Together
  #leaveAccount: (() => void) | undefined
  readonly #onClosed: () => void
  readonly #timer: Timed
  #out = ''
  #running = false
  #upgrading = false
  #closed = false
  #protocolErrors = 0
  #authLine: ((line: string | undefined) => void) | undefined
  #endSession: (() => void) | undefined

  constructor(
    connection: Connection,
    settings: PopSettings,
    services: Pop3Services,
    together: Together,
    onClosed: () => void,
  ) {
    this.connection = connection
    this.settings = settings
    this.services = services
    this.#together = together
    this.#onClosed = onClosed
    this.log = services.log.child({ protocol: 'pop3', session: connection.id, remote: connection.remoteAddress })
    this.#receiver = new Pop3Receiver({ maxCommandSize: settings.maxCommandSize })
    this.#timer = timed(() => this.hangUp('timeout'))
    services.wheel.add(this.#timer, settings.preAuthenticatedConnectionTimeout)
  }

  greet(): void {
    this.connection.write(ok(say(this.language, 'greeting')))
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** A positive answer. */
  ok(key: TextKey, parameters?: Readonly<Record<string, string | number>>): Answer {
    return { text: ok(say(this.language, key, parameters)) }
  }

  /** A negative answer. */
  err(key: TextKey, code?: Pop3ResponseCode): Answer {
    return { text: err(say(this.language, key), code) }
  }

  data(chunk: Uint8Array): void {
    // What comes between STLS and the handshake is never looked at (P7).
    if (this.#closed || (this.#upgrading && !this.connection.secure)) return
    this.#receiver.push(chunk)
    if (this.#authLine !== undefined) this.#pumpAuth()
    else if (!this.#running) void this.#run()
    else if (this.#receiver.buffered > MAX_WAITING_INPUT) this.connection.pause()
  }

  /** A client that went away gives its place back at once. */
  ended(): boolean {
    return !this.#running && this.#receiver.buffered === 0
  }

  closed(): void {
    if (this.#closed) return
    this.#closed = true
    this.services.wheel.remove(this.#timer)
    this.#endSession?.()
    this.#authLine?.(undefined)
    this.#leaveAccount?.()
    this.#onClosed()
  }

  /** Ends the connection from our side; nothing that was marked is deleted. */
  hangUp(key: TextKey): void {
    if (this.#closed) return
    this.connection.end(this.#out + err(say(this.language, key), 'SYS/TEMP'))
    this.#out = ''
    this.closed()
  }

  /** Sends a challenge and waits for the client's line; undefined when it was none. */
  challenge(base64: string): Promise<string | undefined> {
    this.#receiver.expectAuthLine()
    this.#out += challenge(base64)
    this.flush()
    return new Promise((resolve) => {
      this.#authLine = resolve
      this.#pumpAuth()
    })
  }

  /** Takes the snapshot and enters the TRANSACTION state. */
  async enter(principal: Principal): Promise<Answer> {
    // Gone while the password was looked at.
    if (this.#closed) return { text: '', close: true }
    const { account } = principal
    this.#leaveAccount = this.#together.enter('pop3 account', account, this.settings.maxConnectionsPerUser)
    if (this.#leaveAccount === undefined) return { ...this.err('tooManyConnections', 'SYS/TEMP'), close: true }
    this.principal = principal
    this.connection.belongsTo?.(principal.address)
    this.#endSession = this.services.authenticator.session(principal, () => this.hangUp('revoked'))
    try {
      const handle = await this.services.door.open(principal, principal.mailbox)
      this.maildrop = await Maildrop.open(handle, this.settings.messageRetrievalSortOrder)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      this.log.warn({ err: error }, 'mailbox could not be opened')
      return { ...this.err('unavailable', 'SYS/TEMP'), close: true }
    }
    this.alive()
    this.log.info({ account, messages: this.maildrop.messages.length }, 'pop3 login')
    return this.ok('loggedIn')
  }

  /** Starts TLS and forgets what was said before (RFC 2595 §4). */
  async upgrade(): Promise<void> {
    this.#upgrading = true
    this.#receiver.reset()
    this.user = undefined
    this.#out += ok(say(this.language, 'beginTls'))
    this.flush()
    try {
      await this.connection.startTls()
      this.#upgrading = false
    } catch (error) {
      // The client's doing, and any stranger can: no error of ours.
      this.log.info({ reason: String(error) }, 'no TLS')
      this.connection.destroy()
      this.closed()
    }
  }

  /** A sign of life: after login only, before it one minute is all there is. */
  alive(): void {
    if (this.maildrop !== undefined && !this.#closed)
      this.services.wheel.add(this.#timer, this.settings.authenticatedConnectionTimeout)
  }

  /** Writes bytes of an answer that is too long to hold; resolves when the peer has taken enough of it. */
  async stream(bytes: Uint8Array): Promise<void> {
    this.flush()
    if (this.#closed) return
    this.connection.write(bytes)
    if (this.connection.pendingBytes > MAX_PENDING_OUTPUT) await this.connection.drained()
    this.alive()
  }

  flush(): void {
    if (this.#out === '' || this.#closed) return
    this.connection.write(this.#out)
    this.#out = ''
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      for (let event = this.#receiver.next(); event !== undefined && !this.#closed; event = this.#receiver.next()) {
        const answer = await this.#handle(event)
        if (this.#closed) return
        if (answer.delay !== undefined && answer.delay > 0) {
          this.flush()
          await new Promise((resolve) => setTimeout(resolve, answer.delay).unref())
          if (this.#closed) return
        }
        this.#out += answer.text
        if (answer.close) {
          this.connection.end(this.#out)
          this.#out = ''
          this.closed()
          return
        }
        if (this.connection.pendingBytes > MAX_PENDING_OUTPUT) await this.connection.drained()
      }
    } catch (error) {
      this.log.error({ err: error }, 'pop3 session failed')
      this.hangUp('internalError')
    } finally {
      this.#running = false
      if (!this.#closed) {
        this.flush()
        this.connection.resume()
      }
    }
  }

  #handle(event: Pop3Event): Answer | Promise<Answer> {
    this.alive()
    switch (event.kind) {
      case 'command':
        return commands(this, event.command)
      case 'refusal':
        if (++this.#protocolErrors > this.settings.maxProtocolErrors)
          return { ...this.err('tooManyErrors'), close: true }
        return { text: err(event.refusal.text), close: event.refusal.fatal ?? false }
      case 'authLine':
        return { text: '' }
    }
  }

  #pumpAuth(): void {
    if (this.#authLine === undefined) return
    const event = this.#receiver.next()
    if (event === undefined) return
    const resolve = this.#authLine
    this.#authLine = undefined
    resolve(event.kind === 'authLine' ? event.line : undefined)
  }
}
