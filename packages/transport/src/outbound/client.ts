/** Our own SMTP client: RFC 5321 over an egress socket. One server, any number of messages one after the other. */
import {
  bdatCommand,
  commandLine,
  DotStuffer,
  type EhloCapabilities,
  type MailParameters,
  mailCommand,
  parseEhlo,
  type RcptParameters,
  rcptCommand,
  type ReceivedReply,
  ReplyReceiver,
} from '@postrider/wire/smtp'
import { EgressError, type EgressSocket } from '../egress/egress.ts'

/** The dialogue broke: nothing can be said on this connection any more. */
export class DialogueError extends Error {
  override readonly name = 'DialogueError'
  /** A reply that ended it, if there was one. */
  readonly reply: ReceivedReply | undefined
  constructor(message: string, options?: ErrorOptions & { reply?: ReceivedReply }) {
    super(message, options)
    this.reply = options?.reply
  }
}

/** RFC 5321 §4.5.3.2, ms. */
export const timeouts = {
  greeting: 5 * 60_000,
  command: 5 * 60_000,
  dataStart: 2 * 60_000,
  dataBlock: 3 * 60_000,
  dataEnd: 10 * 60_000,
  tls: 60_000,
  quit: 5_000,
} as const
export type Timeouts = { readonly [K in keyof typeof timeouts]: number }

/** Bytes written at once: the loop breathes in between, and a slow peer is noticed. */
const BLOCK = 64 * 1024

export interface ClientEnvelope {
  readonly from: string
  readonly recipients: readonly { readonly address: string; readonly parameters: RcptParameters }[]
  readonly parameters: MailParameters
  readonly message: Buffer
  /** By BDAT: only for messages that DATA would change (bare CR or LF). */
  readonly chunking: boolean
}

/** A reply for every recipient, in order. `lost` instead where the connection broke after the message was sent. */
export type RecipientReply = ReceivedReply | 'lost'

export class SmtpClient {
  readonly #socket: EgressSocket
  readonly #receiver = new ReplyReceiver()
  readonly #timeouts: Timeouts
  capabilities: EhloCapabilities = parseEhlo({ code: 250, status: undefined, lines: [''] })

  constructor(socket: EgressSocket, wanted: Timeouts = timeouts) {
    this.#socket = socket
    this.#timeouts = wanted
  }

  get secure(): boolean {
    return this.#socket.secure
  }

  /** Waits for the greeting and says EHLO, or HELO to servers that know no better. */
  async greet(ourName: string): Promise<void> {
    const greeting = await this.#reply(this.#timeouts.greeting)
    if (greeting.code !== 220) throw new DialogueError('greeting', { reply: greeting })
    await this.hello(ourName)
  }

  async hello(ourName: string): Promise<void> {
    const ehlo = await this.command(commandLine('EHLO', ourName))
    if (ehlo.code === 250) {
      this.capabilities = parseEhlo(ehlo)
      return
    }
    if (ehlo.code < 500) throw new DialogueError('EHLO', { reply: ehlo })
    const helo = await this.command(commandLine('HELO', ourName))
    if (helo.code !== 250) throw new DialogueError('HELO', { reply: helo })
    this.capabilities = parseEhlo({ ...helo, lines: helo.lines.slice(0, 1) })
  }

  /** STARTTLS and EHLO again. Bytes that came before the handshake mean somebody is in between (P7). */
  async startTls(ourName: string, verify: boolean): Promise<void> {
    const reply = await this.command(commandLine('STARTTLS'))
    if (reply.code !== 220) throw new DialogueError('STARTTLS', { reply })
    if (this.#receiver.reset() > 0) throw new DialogueError('replies injected before TLS')
    await this.#socket.startTls({ verify }, this.#timeouts.tls)
    await this.hello(ourName)
  }

  /** AUTH PLAIN or LOGIN; the caller makes sure that this is inside TLS or allowed without. */
  async login(user: string, password: string): Promise<void> {
    const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
    const { auth } = this.capabilities
    let reply: ReceivedReply
    if (auth.includes('PLAIN') || !auth.includes('LOGIN')) {
      reply = await this.command(commandLine('AUTH', 'PLAIN', base64(`\0${user}\0${password}`)))
    } else {
      reply = await this.command(commandLine('AUTH', 'LOGIN'))
      if (reply.code === 334) reply = await this.command(`${base64(user)}\r\n`)
      if (reply.code === 334) reply = await this.command(`${base64(password)}\r\n`)
    }
    if (reply.code !== 235) throw new DialogueError('AUTH', { reply })
  }

  async command(line: string): Promise<ReceivedReply> {
    await this.#socket.write(line, this.#timeouts.command)
    return this.#reply(this.#timeouts.command)
  }

  /** One mail transaction. Rejects with DialogueError or EgressError when the connection broke before anything was decided. */
  async send(envelope: ClientEnvelope): Promise<RecipientReply[]> {
    const mail = mailCommand(envelope.from, envelope.parameters)
    const rcpts = envelope.recipients.map(({ address, parameters }) => rcptCommand(address, parameters))
    const [mailReply, ...rcptReplies] = await this.#group([mail, ...rcpts])
    if (mailReply === undefined) throw new DialogueError('no reply to MAIL')
    if (mailReply.code !== 250) {
      await this.#reset(mailReply)
      return envelope.recipients.map(() => mailReply)
    }
    const replies: RecipientReply[] = rcptReplies
    if (!rcptReplies.some(isTaken)) {
      await this.#reset(rcptReplies.at(-1))
      return replies
    }
    const final = await this.#content(envelope)
    return rcptReplies.map((reply) => (isTaken(reply) ? final : reply))
  }

  /** Says good-bye; never rejects. */
  async quit(): Promise<void> {
    try {
      await this.#socket.write(commandLine('QUIT'), this.#timeouts.quit)
      await this.#reply(this.#timeouts.quit)
    } catch (error) {
      // The message is delivered whatever the peer says to QUIT.
      if (!(error instanceof EgressError) && !(error instanceof DialogueError)) throw error
    } finally {
      this.close()
    }
  }

  close(): void {
    this.#socket.close()
  }

  /** Commands together where the server takes them so (RFC 2920), else one by one; always a reply for each. */
  async #group(commands: readonly string[]): Promise<ReceivedReply[]> {
    const replies: ReceivedReply[] = []
    if (this.capabilities.pipelining) {
      await this.#socket.write(commands.join(''), this.#timeouts.command)
      for (const _ of commands) replies.push(await this.#reply(this.#timeouts.command))
      return replies
    }
    for (const command of commands) {
      const reply = await this.command(command)
      replies.push(reply)
      if (replies.length === 1 && reply.code !== 250) break
    }
    return replies
  }

  async #content(envelope: ClientEnvelope): Promise<RecipientReply> {
    if (envelope.chunking) {
      await this.#socket.write(bdatCommand(envelope.message.length, true), this.#timeouts.command)
      await this.#blocks(envelope.message)
      return this.#lastReply()
    }
    const start = await this.#replyTo(commandLine('DATA'), this.#timeouts.dataStart)
    if (start.code !== 354) return start
    const stuffer = new DotStuffer()
    for (let at = 0; at < envelope.message.length; at += BLOCK)
      await this.#blocks(stuffer.push(envelope.message.subarray(at, at + BLOCK)))
    await this.#blocks(stuffer.end())
    return this.#lastReply()
  }

  async #blocks(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += BLOCK)
      await this.#socket.write(bytes.subarray(at, at + BLOCK), this.#timeouts.dataBlock)
  }

  /** D11: without this reply nobody knows; sending again may give one duplicate, not sending again might lose the message. */
  async #lastReply(): Promise<RecipientReply> {
    try {
      return await this.#reply(this.#timeouts.dataEnd)
    } catch (error) {
      if (error instanceof EgressError || error instanceof DialogueError) return 'lost'
      throw error
    }
  }

  async #reset(after: ReceivedReply | undefined): Promise<void> {
    if (after?.code === 421) return
    await this.command(commandLine('RSET'))
  }

  async #replyTo(line: string, timeoutMs: number): Promise<ReceivedReply> {
    await this.#socket.write(line, this.#timeouts.command)
    return this.#reply(timeoutMs)
  }

  async #reply(timeoutMs: number): Promise<ReceivedReply> {
    for (;;) {
      const event = this.#receiver.next()
      if (event?.kind === 'reply') return event.reply
      if (event?.kind === 'error') throw new DialogueError(event.problem)
      const chunk = await this.#socket.read(timeoutMs)
      if (chunk === undefined) throw new DialogueError('the server closed the connection')
      this.#receiver.push(chunk)
    }
  }
}

function isTaken(reply: RecipientReply): boolean {
  return reply !== 'lost' && reply.code >= 200 && reply.code < 300
}
