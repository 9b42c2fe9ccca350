import {
  type Connection,
  type ConnectionHandler,
  type Logger,
  type Principal,
  type Timed,
  timed,
} from '@postrider/domain'
import { Gathered } from '@postrider/wire/bytes'
import {
  encodeReply,
  type MailParameters,
  type MessageNotes,
  type RcptParameters,
  type SmtpEvent,
  type SmtpMailbox,
  SmtpReceiver,
  type SmtpReply,
  smtpReply,
} from '@postrider/wire/smtp'
import { commands } from './commands/index.ts'
import type { ReceiveConnector } from './connector.ts'
import { finishMessage } from './finish.ts'
import { LookingOn } from './looking-on.ts'
import type { SmtpServices } from './ports.ts'
import { replies } from './replies.ts'

/** What a handler answers: a reply (none for BDAT, whose reply comes after its bytes), and what happens to the connection. */
export interface Answer {
  reply?: SmtpReply
  /** Close after the reply. */
  close?: boolean
  /** ms to wait before the reply: it was earned by guessing. */
  delay?: number
  /** Counts against MaxProtocolErrors. */
  protocolError?: boolean
}

/** A mail transaction: RFC 5321 §3.3. */
export interface Transaction {
  readonly from: SmtpMailbox | null
  readonly parameters: MailParameters
  readonly recipients: { readonly path: SmtpMailbox; readonly address: string; readonly parameters: RcptParameters }[]
}

/** Text of the message being received. */
interface Incoming {
  readonly text: Gathered
  /** More than this process may hold at once: the rest is read and dropped. */
  overflow: boolean
  /** BDAT: the reply that ends this message before its last chunk (RFC 3030 §2). */
  failed: SmtpReply | undefined
}

/** Counters that all sessions of a server share. */
export interface SharedState {
  bufferedBytes: number
  readonly maxBufferedBytes: number
  draining: boolean
  nextId: number
}

/** Input that may wait while a command is being worked on; beyond it the peer is no longer read. */
const MAX_WAITING_INPUT = 128 * 1024
/** Output the peer may leave unread. */
const MAX_PENDING_OUTPUT = 64 * 1024
/** Bytes of a message that count as a sign of life: one byte every ten seconds does not (P1). */
const PROGRESS_BYTES = 4096

/** One connection: bytes to commands, commands to replies. See `index.ts` for what it keeps. */
export class SmtpSession implements ConnectionHandler {
  readonly connection: Connection
  readonly connector: ReceiveConnector
  readonly services: SmtpServices
  readonly shared: SharedState
  readonly log: Logger
  readonly receiver: SmtpReceiver

  /** The name given in EHLO or HELO; undefined before. */
  hello: string | undefined
  /** EHLO was used: extensions may be. */
  extended = false
  principal: Principal | undefined
  transaction: Transaction | undefined
  incoming: Incoming | undefined
  logonFailures = 0
  refusedRecipients = 0

  readonly #id: string
  readonly #onClosed: () => void
  readonly #inactivity: Timed
  readonly #lifetime: Timed
  /** Undefined while nobody is traced. */
  #lookingOn: LookingOn | undefined
  #messages = 0
  #protocolErrors = 0
  #progress = 0
  #out = ''
  #running = false
  /** A message is on its way to the intake. */
  #handingOver = false
  /** What is said once it has its answer. */
  #farewell: SmtpReply | undefined
  #upgrading = false
  #closed = false
  #authLine: ((line: string | undefined) => void) | undefined
  #endSession: (() => void) | undefined

  constructor(
    connection: Connection,
    connector: ReceiveConnector,
    services: SmtpServices,
    shared: SharedState,
    onClosed: () => void,
  ) {
    this.connection = connection
    this.connector = connector
    this.services = services
    this.shared = shared
    this.#onClosed = onClosed
    this.#id = `${services.clock.now().toString(36)}-${(shared.nextId++).toString(36)}`
    this.log = services.log.child({ protocol: 'smtp', session: this.#id, remote: connection.remoteAddress })
    this.receiver = new SmtpReceiver({
      maxMessageBytes: connector.maxMessageSize,
      maxHeaderBytes: connector.maxHeaderSize,
    })
    this.#inactivity = timed(() => this.hangUp(replies.timeout))
    this.#lifetime = timed(() => this.hangUp(replies.timeout))
    services.wheel.add(this.#inactivity, connector.connectionInactivityTimeout)
    services.wheel.add(this.#lifetime, connector.connectionTimeout)
  }

  /** Sends the greeting: RFC 5321 §3.1. */
  greet(): void {
    const { traces, directory } = this.services
    if (traces?.active === true)
      this.#lookingOn = new LookingOn(traces, directory, this.connection.id, this.connection.remoteAddress)
    const greeting = smtpReply(220, undefined, `${this.connector.fqdn} ESMTP Postrider`)
    this.#lookingOn?.reply(greeting)
    this.connection.write(encodeReply(greeting))
  }

  /** A new identifier for a message of this session: Received's id, the queue id the client is told. */
  nextMessageId(): string {
    return `${this.#id}-${++this.#messages}`
  }

  get isClosed(): boolean {
    return this.#closed
  }

  data(chunk: Uint8Array): void {
    // What a peer sends between STARTTLS and the handshake is never looked at (P7).
    if (this.#closed || (this.#upgrading && !this.connection.secure)) return
    this.receiver.push(chunk)
    if (this.#authLine !== undefined) this.#pumpAuth()
    else if (!this.#running) void this.#run()
    else if (this.receiver.buffered > MAX_WAITING_INPUT) this.connection.pause()
  }

  closed(): void {
    if (this.#closed) return
    this.#closed = true
    this.#lookingOn?.closed()
    this.services.wheel.remove(this.#inactivity)
    this.services.wheel.remove(this.#lifetime)
    this.dropIncoming()
    this.#endSession?.()
    this.#authLine?.(undefined)
    this.#onClosed()
  }

  /**
   * Ends the connection from our side with a last reply. A message being handed over gets its own answer first: the client would send what we
   * have taken once more. Asked a second time it ends at once, so that nothing stuck holds a connection for ever.
   */
  hangUp(reply: SmtpReply): void {
    if (this.#closed) return
    if (this.#handingOver && this.#farewell === undefined) {
      this.#farewell = reply
      return
    }
    this.#lookingOn?.reply(reply)
    const last = this.#out + encodeReply(reply)
    this.#out = ''
    this.connection.end(last)
    this.closed()
  }

  /** Forgets the transaction: RSET, EHLO, the end of a message. */
  endTransaction(): void {
    this.transaction = undefined
    this.dropIncoming()
    this.receiver.endMessage()
  }

  /** Begins to keep the text of a message. */
  beginIncoming(): Incoming {
    this.incoming ??= { text: new Gathered(), overflow: false, failed: undefined }
    return this.incoming
  }

  /** Gives the memory of the message being received back. */
  dropIncoming(): void {
    if (this.incoming === undefined) return
    this.shared.bufferedBytes -= this.incoming.text.length
    this.incoming = undefined
  }

  /** Sends a 334 and waits for the client's line; undefined when it was none, or the connection is gone. */
  challenge(base64: string): Promise<string | undefined> {
    this.receiver.expectAuthLine()
    this.#out += `334 ${base64}\r\n`
    this.#flush()
    // The line may be here already (a client that does not wait) or come with a later chunk.
    return new Promise((resolve) => {
      this.#authLine = resolve
      this.#pumpAuth()
    })
  }

  /** The client has logged in; ends with the account (disabled, new password, protocol switched off). */
  login(principal: Principal): void {
    this.principal = principal
    this.connection.belongsTo?.(principal.address)
    // From here on it is a conversation of its user, which is traced by its bytes.
    this.#lookingOn = undefined
    this.#endSession = this.services.authenticator.session(principal, () => this.hangUp(replies.revoked))
  }

  /** Replies 220, starts TLS and forgets everything learnt before (RFC 3207 §4.2). */
  async upgrade(): Promise<void> {
    this.#upgrading = true
    const dropped = this.receiver.reset()
    if (dropped > 0) this.log.warn({ dropped }, 'bytes pipelined behind STARTTLS thrown away')
    this.endTransaction()
    this.hello = undefined
    this.extended = false
    this.principal = undefined
    this.#lookingOn?.reply(replies.readyForTls)
    this.#out += encodeReply(replies.readyForTls)
    this.#flush()
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

  async #run(): Promise<void> {
    this.#running = true
    try {
      for (let event = this.receiver.next(); event !== undefined && !this.#closed; event = this.receiver.next()) {
        const handled = this.#handle(event)
        let answer: Answer | undefined
        if (handled instanceof Promise) {
          this.#flush()
          answer = await handled
        } else answer = handled
        if (this.#closed) return
        if (answer !== undefined && !(await this.#answer(answer))) return
        if (this.#farewell !== undefined) return this.hangUp(this.#farewell)
        if (this.connection.pendingBytes > MAX_PENDING_OUTPUT) {
          this.#flush()
          await this.connection.drained()
        }
      }
    } catch (error) {
      this.log.error({ err: error }, 'smtp session failed')
      this.hangUp(replies.internalError)
    } finally {
      this.#running = false
      if (!this.#closed) {
        this.#flush()
        this.connection.resume()
      }
    }
  }

  /** Writes the answer; false when the session is over. */
  async #answer(answer: Answer): Promise<boolean> {
    if (answer.delay !== undefined && answer.delay > 0) {
      this.#flush()
      await this.#wait(answer.delay)
      if (this.#closed) return false
    }
    if (answer.reply !== undefined) {
      this.#lookingOn?.reply(answer.reply)
      this.#out += encodeReply(answer.reply)
    }
    if (answer.protocolError && ++this.#protocolErrors >= this.connector.maxProtocolErrors) {
      this.hangUp(replies.tooManyErrors)
      return false
    }
    if (answer.close) {
      this.connection.end(this.#out)
      this.#out = ''
      this.closed()
      return false
    }
    return true
  }

  #handle(event: SmtpEvent): Answer | undefined | Promise<Answer | undefined> {
    switch (event.kind) {
      case 'text':
        this.#keep(event.bytes)
        return undefined
      case 'command':
        this.#alive()
        this.#lookingOn?.command(event.command)
        return commands(this, event.command)
      case 'refusal':
        this.#alive()
        this.#lookingOn?.refused(event.refusal.word)
        return refused(event.refusal.word, event.refusal.reply, event.refusal.fatal)
      case 'dataEnd':
        this.#alive()
        this.#lookingOn?.message(this.incoming?.text.length ?? 0, true)
        return this.#handOver(event.notes, 'data')
      case 'chunkEnd': {
        this.#alive()
        this.#lookingOn?.message(this.incoming?.text.length ?? 0, event.last)
        const failed = this.incoming?.failed
        if (failed !== undefined) {
          if (event.last) this.endTransaction()
          return { reply: failed }
        }
        return event.last ? this.#handOver(event.notes, 'bdat') : { reply: replies.chunkOk }
      }
      case 'authLine':
        // Taken by `challenge`; one that arrives after the exchange broke off means nothing.
        return undefined
    }
  }

  async #handOver(notes: MessageNotes, how: 'data' | 'bdat'): Promise<Answer> {
    this.#handingOver = true
    try {
      return await finishMessage(this, notes, how)
    } finally {
      this.#handingOver = false
    }
  }

  #keep(bytes: Buffer): void {
    this.#progress += bytes.length
    if (this.#progress >= PROGRESS_BYTES) this.#alive()
    const incoming = this.incoming
    if (incoming === undefined || incoming.overflow || incoming.failed !== undefined) return
    if (this.shared.bufferedBytes + bytes.length > this.shared.maxBufferedBytes) {
      this.shared.bufferedBytes -= incoming.text.length
      incoming.text.clear()
      incoming.overflow = true
      return
    }
    incoming.text.add(bytes)
    this.shared.bufferedBytes += bytes.length
  }

  #alive(): void {
    this.#progress = 0
    this.services.wheel.add(this.#inactivity, this.connector.connectionInactivityTimeout)
  }

  #flush(): void {
    if (this.#out === '') return
    this.connection.write(this.#out)
    this.#out = ''
  }

  #pumpAuth(): void {
    if (this.#authLine === undefined) return
    const event = this.receiver.next()
    if (event === undefined) return
    const resolve = this.#authLine
    this.#authLine = undefined
    this.#alive()
    resolve(event.kind === 'authLine' ? event.line : undefined)
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      timer.unref()
    })
  }
}

function refused(word: string, reply: SmtpReply, fatal: boolean): Answer {
  // A browser was made to speak to us (cross-protocol request): nothing after the first line is meant for a mail server.
  if (/^(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|PATCH)$/.test(word)) return { reply: replies.notHttp, close: true }
  return { reply, close: fatal, protocolError: true }
}
