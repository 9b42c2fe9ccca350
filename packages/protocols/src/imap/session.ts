import type {
  Connection,
  ConnectionHandler,
  Hint,
  MailboxHandle,
  Overview,
  Principal,
  Timed,
  Waiter,
} from '@postrider/domain'
import { DomainError } from '@postrider/domain'
import {
  type CommandText,
  commandName,
  ImapReceiver,
  LIMITS_AFTER_LOGIN,
  limitsBeforeLogin,
  parseCommand,
  type ReceiverEvent,
  type ResponseWriter,
} from '@postrider/wire/imap'
import { type CapabilityContext, capabilityList, isOn } from './capabilities.ts'
import { Channel, FLUSH_BYTES } from './channel.ts'
import { type Answer, answerOf, bad, Refusal, SessionEnded } from './codes.ts'
import type { AnyCommand, StateName } from './command.ts'
import { acceptMessage } from './commands/append-literal.ts'
import { commands } from './dispatch.ts'
import type { ImapContext } from './service.ts'
import type { View } from './view/view.ts'

/** Received bytes that may wait while a command runs; more stops reading from the client. */
const MAX_INPUT_BUFFER = 256 * 1024
/** The longest a session works without letting others work, ms. A small command takes several turns, and each may have to wait so long. */
const SLICE_MS = 2
/** A mailbox that was away while something was to be told in IDLE is looked at again after this, ms. */
const IDLE_RETRY_MS = 1_000
/** SASL responses are short; RFC 9051 §6.2.2 names no limit, Dovecot's is the same. */
const MAX_SASL_LINE = 8_192

/** Who is logged in. */
export interface User {
  readonly principal: Principal
  readonly mailbox: MailboxHandle
  /** Takes the session off the authenticator's list of live ones. */
  readonly unregister: () => void
}

/** Where the messages go that are coming in, and the mailboxes as they were when the first of them was announced. */
export interface AppendTarget {
  readonly name: string
  readonly overview: Promise<Overview>
}

export type ImapState =
  | { readonly name: 'notAuthenticated' }
  | { readonly name: 'authenticated'; readonly user: User }
  | { readonly name: 'selected'; readonly user: User; readonly view: View }
  | { readonly name: 'logout' }

/** Extensions a client switches on for good: RFC 5161. */
export interface Enabled {
  condstore: boolean
  qresync: boolean
  utf8: boolean
  /** `utf8` by RFC 6855 and not by IMAP4rev2 alone. */
  utf8Accept: boolean
  rev2: boolean
}

/**
 * One connection: RFC 9051 §3. Bytes come in by `data`, one command runs at a time, answers go out through the channel. While the
 * client is silent or in IDLE it is this object, an entry in the timer wheel and one in the table of waiters; no promise is pending.
 */
export class Session implements ConnectionHandler, Waiter, Timed {
  readonly context: ImapContext
  readonly channel: Channel
  readonly enabled: Enabled = { condstore: false, qresync: false, utf8: false, utf8Accept: false, rev2: false }
  state: ImapState = { name: 'notAuthenticated' }
  /** Failed logins so far. */
  failedLogins = 0
  /** The tag of a running IDLE. */
  idleTag: string | undefined
  /** A response line is under way that a BYE would break. */
  midResponse = false
  /** Something happened in the mailbox that is being opened: its view must look once more. */
  hinted = false
  /** Bytes set aside for messages of the APPEND that is coming in. */
  reserved = 0
  /** Where that APPEND goes. */
  appendTo: AppendTarget | undefined = undefined
  readonly #receiver: ImapReceiver
  readonly #started: number
  #lastActivity: number
  #busy = false
  #peerEnded = false
  #paused = false
  readonly #leave: () => void
  #closed = false
  #ended = false
  #bye: { readonly text: string; readonly code: string | undefined } | undefined
  #badCommands = 0
  #sliceStart = 0
  #wakeLine: (() => void) | undefined

  // Timed: this object is its own entry in the wheel.
  slot = -1
  rounds = 0
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined

  /** `leave`: called once when it is over. */
  constructor(context: ImapContext, connection: Connection, leave: () => void = () => {}) {
    this.context = context
    this.#leave = leave
    this.channel = new Channel(connection)
    this.#receiver = new ImapReceiver(limitsBeforeLogin(context.settings.maxCommandSize))
    this.#started = context.clock.monotonic()
    this.#lastActivity = this.#started
    context.sessions.all.add(this)
    context.meter.gauge('imap_connections', context.sessions.all.size)
  }

  get out(): ResponseWriter {
    return this.channel.out
  }

  get connection(): Connection {
    return this.channel.connection
  }

  /** Who is logged in; commands are dispatched only in the states they name. */
  get user(): User {
    if ('user' in this.state) return this.state.user
    throw new Refusal(bad('Log in first'))
  }

  get view(): View {
    if (this.state.name === 'selected') return this.state.view
    throw new Refusal(bad('No mailbox is selected'))
  }

  get capabilityContext(): CapabilityContext {
    const user = 'user' in this.state ? this.state.user : undefined
    return {
      authenticated: user !== undefined,
      secure: this.connection.secure,
      account: user?.principal.account,
      settings: this.context.settings,
    }
  }

  capabilities(): string {
    return capabilityList(this.capabilityContext)
  }

  offers(capability: string): boolean {
    return isOn(capability, this.capabilityContext)
  }

  /** RFC 9051 §7.1.1: the greeting tells the capabilities, so that a client saves a round trip. */
  greet(): void {
    this.context.wheel.add(this, this.context.settings.preAuthenticatedTimeout)
    const { banner } = this.context.settings
    this.out.ascii(`* OK [CAPABILITY ${this.capabilities()}] `).humanText(banner).crlf()
    this.channel.flush()
  }

  /** RFC 7162 §3.1: a command that needs mod-sequences switches them on; a client with a mailbox open is told where they stand. */
  enableCondstore(): void {
    if (this.enabled.condstore) return
    this.enabled.condstore = true
    if (this.state.name !== 'selected') return
    this.out.ascii('* OK [HIGHESTMODSEQ ').number(this.state.view.highestModSeq).ascii('] CONDSTORE is on\r\n')
  }

  // ---- bytes in

  data(chunk: Uint8Array): void {
    if (this.#closed) return
    this.#lastActivity = this.context.clock.monotonic()
    if (!this.channel.inflate(chunk)) this.received(chunk)
  }

  /** The client's bytes after TLS and decompression. */
  received(chunk: Uint8Array): void {
    if (this.#closed) return
    this.#receiver.push(chunk)
    if (this.#wakeLine !== undefined) this.#wakeLine()
    else if (!this.#busy) void this.#pump()
    if (this.#busy && !this.#paused && this.#receiver.buffered > MAX_INPUT_BUFFER) {
      this.#paused = true
      this.channel.pause()
    }
  }

  /** A client that went away gives its place back at once: it may be here again in the same second. */
  ended(): boolean {
    if (this.channel.compressed) return false
    this.#peerEnded = true
    return !this.#busy
  }

  closed(): void {
    if (this.#closed) return
    this.#closed = true
    this.channel.closed()
    this.leave()
    this.context.wheel.remove(this)
    this.context.sessions.all.delete(this)
    this.#leave()
    this.context.meter.gauge('imap_connections', this.context.sessions.all.size)
    this.#wakeLine?.()
  }

  /** Gives back everything the session holds of others: mailbox, waiter, account slot, memory. */
  leave(): void {
    this.releaseReserved()
    if ('user' in this.state) {
      const { user } = this.state
      if (this.state.name === 'selected') this.state.view.close()
      user.unregister()
    }
    this.state = { name: 'logout' }
  }

  releaseReserved(): void {
    this.context.sessions.release(this.reserved)
    this.reserved = 0
    this.appendTo = undefined
  }

  /** The receiver forgets what the client sent before TLS: RFC 9051 §6.2.1, reliability P7. */
  forgetInput(): void {
    this.#receiver.discard()
  }

  /** Bytes sent behind COMPRESS belong to the compressed stream. */
  takeInput(): Uint8Array {
    return this.#receiver.takeRest()
  }

  /** After login longer commands are welcome. */
  widenLimits(): void {
    this.#receiver.setLimits(LIMITS_AFTER_LOGIN)
  }

  // ---- the loop

  async #pump(): Promise<void> {
    this.#busy = true
    this.#sliceStart = performance.now()
    try {
      for (;;) {
        if (this.#ending) break
        while (this.#wakesIdle && (await this.#tellIdle()));
        if (this.#closed) return
        const event = this.#receiver.next()
        if (event === undefined) break
        await this.#handle(event)
        if (this.out.length >= FLUSH_BYTES) await this.drain()
        else await this.#breathe()
      }
      this.channel.flush()
    } catch (error) {
      if (!(error instanceof SessionEnded)) this.#failed(error)
    } finally {
      this.#busy = false
      // What a command took after the connection had closed.
      if (this.#closed) this.leave()
      if (this.#bye !== undefined) this.#sayBye()
      else if (this.#peerEnded) this.channel.end()
      else this.#resume()
    }
  }

  /** Tells what waits; false when the mailbox is away for now: it is looked at again, and the session stays. */
  async #tellIdle(): Promise<boolean> {
    try {
      await this.update(true)
      return true
    } catch (error) {
      if (!(error instanceof DomainError) || (error.code !== 'unavailable' && error.code !== 'busy')) throw error
      if (this.state.name === 'selected') this.state.view.soil()
      setTimeout(() => {
        if (this.#wakesIdle && !this.#busy && !this.#closed) void this.#pump()
      }, IDLE_RETRY_MS).unref()
      return false
    }
  }

  /** In IDLE something waits to be told; also when it came while the last was being told. */
  get #wakesIdle(): boolean {
    return (
      this.idleTag !== undefined && this.state.name === 'selected' && this.state.view.dirty && this.#bye === undefined
    )
  }

  #resume(): void {
    if (this.#closed || !this.#paused) return
    this.#paused = false
    this.channel.resume()
  }

  #failed(error: unknown): void {
    this.context.log.error({ error, remote: this.connection.remoteAddress }, 'imap session failed')
    this.#bye ??= { text: 'Internal error', code: 'SERVERBUG' }
  }

  /** Lets others work when this session has worked for long enough. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#sliceStart < SLICE_MS) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#sliceStart = performance.now()
  }

  /**
   * For long answers: sends what is written, waits while the client does not read, lets others work. Raises SessionEnded when the
   * session is to end meanwhile.
   */
  async drain(): Promise<void> {
    const { clock, settings, wheel } = this.context
    await this.channel.drain(clock.monotonic(), () => wheel.add(this, settings.writeTimeout))
    await this.#breathe()
    if (this.#bye !== undefined || this.#closed) throw new SessionEnded()
  }

  /** As `drain`, once enough is written or time is up. */
  async pace(): Promise<void> {
    if (this.out.length >= FLUSH_BYTES) return this.drain()
    return this.#breathe()
  }

  async #handle(event: ReceiverEvent): Promise<void> {
    switch (event.kind) {
      case 'continue':
        this.out.ascii('+ OK\r\n')
        this.channel.flush()
        return
      case 'message': {
        const refusal = await acceptMessage(this, event)
        if (refusal === undefined) {
          this.#receiver.accept()
          if (event.waits) {
            this.out.ascii('+ OK\r\n')
            this.channel.flush()
          }
          return
        }
        this.releaseReserved()
        this.answer(event.command.tag, refusal)
        const fatal = this.#receiver.refuse(event.waits)
        if (fatal?.kind === 'error') this.bye(fatal.text, 'TOOBIG')
        return
      }
      case 'line':
        return this.#endIdle(event.text)
      case 'error':
        return this.#wrong(event.tag, event.text, event.fatal)
      case 'command':
        return this.#run(event.command)
    }
  }

  #wrong(tag: string | undefined, text: string, fatal: boolean): void {
    this.releaseReserved()
    const about = tag ?? this.idleTag ?? '*'
    this.idleTag = undefined
    this.answer(about, bad(text))
    if (fatal) this.bye(text, 'TOOBIG')
    else if (++this.#badCommands >= this.context.settings.maxBadCommands) this.bye('Too many invalid commands')
  }

  async #run(text: CommandText): Promise<void> {
    const name = commandName(text)
    const command = name === undefined ? undefined : commands.get(name)
    if (command === undefined || (command.capability !== undefined && !this.offers(command.capability))) {
      return this.#wrong(text.tag, 'Unknown command', false)
    }
    if (!command.states.includes(this.state.name as StateName)) {
      return this.#wrong(text.tag, this.state.name === 'notAuthenticated' ? 'Log in first' : 'Not in this state', false)
    }
    const parsed = parseCommand(text, this.enabled.utf8)
    if (!parsed.ok) {
      if (parsed.code === undefined) return this.#wrong(parsed.tag, parsed.text, false)
      return this.answer(parsed.tag, { status: 'NO', code: 'BADCHARSET (US-ASCII UTF-8)', text: parsed.text })
    }
    const started = performance.now()
    let answer: Answer | undefined
    try {
      // The table pairs each name with its own command; the compiler cannot follow the pair through a map.
      const run = command.run as (session: Session, command: unknown) => ReturnType<AnyCommand['run']>
      answer = await run.call(command, this, parsed.command)
      if (answer !== undefined && command.updates !== 'none') {
        await this.update(command.updates === 'all' || parsed.command.uid, command.looks ?? false)
      }
    } catch (error) {
      answer = this.#answerOfError(error, text)
      if (this.state.name === 'selected' && command.updates !== 'none') {
        await this.update(false).catch((later: unknown) => this.#answerOfError(later, text))
      }
    } finally {
      this.releaseReserved()
    }
    this.context.meter.observe('imap_command_seconds', (performance.now() - started) / 1000, { command: command.name })
    if (answer === undefined) return
    if (answer.status === 'BAD') this.#badCommands++
    this.answer(text.tag, answer)
  }

  #answerOfError(error: unknown, text: CommandText): Answer {
    if (error instanceof Refusal) return error.answer
    if (error instanceof SessionEnded) throw error
    if (error instanceof DomainError) {
      this.context.log.debug({ code: error.code, command: text.name, cause: error.message }, 'imap command refused')
      return answerOf(error.code)
    }
    this.context.log.error({ error, command: text.name }, 'imap command failed')
    return { status: 'NO', code: 'SERVERBUG', text: 'Internal error' }
  }

  /** Writes a tagged answer (or an untagged one, tag `*`). */
  answer(tag: string, { status, code, text }: Answer): void {
    this.out.ascii(`${tag} ${status} ${code === undefined ? '' : `[${code}] `}`)
    this.out.humanText(text).crlf()
  }

  /**
   * Tells what others did in the selected mailbox. `expunge`: sequence numbers may change now. `look`: read the feed although no hint
   * came.
   */
  async update(expunge: boolean, look = false): Promise<void> {
    if (this.state.name !== 'selected') return
    const { view } = this.state
    await view.update(this, expunge, look)
    if (view.deleted && this.state.name === 'selected' && this.state.view === view) {
      this.bye('The selected mailbox was deleted', 'UNAVAILABLE')
    }
  }

  // ---- lines that are no commands

  /** The client's next line (SASL), without CRLF. Raises SessionEnded when the connection goes away first. */
  async line(): Promise<string> {
    this.#receiver.expectLine(MAX_SASL_LINE)
    for (;;) {
      if (this.#closed || this.#bye !== undefined) throw new SessionEnded()
      const event = this.#receiver.next()
      if (event?.kind === 'line') return event.text
      if (event !== undefined) throw new Refusal(bad('Line too long'))
      this.channel.flush()
      await new Promise<void>((resolve) => {
        this.#wakeLine = resolve
      })
      this.#wakeLine = undefined
    }
  }

  /** RFC 9051 §6.3.13: from here on hints alone wake this session, until DONE. */
  startIdle(tag: string): void {
    this.idleTag = tag
    this.#receiver.expectLine(64)
    this.context.wheel.add(this, this.context.settings.idleKeepAlive)
  }

  async #endIdle(text: string): Promise<void> {
    const tag = this.idleTag
    this.idleTag = undefined
    if (tag === undefined) return
    this.context.wheel.add(this, this.context.settings.authenticatedTimeout)
    await this.#tellIdle()
    this.answer(tag, text.toUpperCase() === 'DONE' ? { status: 'OK', text: 'IDLE ended' } : bad('DONE expected'))
  }

  /** Waiter: something happened in the mailbox. It is looked at now in IDLE, else with the next command. */
  hint(hint: Hint): void {
    if (this.state.name !== 'selected') {
      this.hinted = true
      return
    }
    this.state.view.hint(hint)
    if (this.idleTag !== undefined && this.state.view.dirty && !this.#busy && !this.#closed) void this.#pump()
  }

  // ---- ends

  /** Timed: looks what time means for this session now. */
  due(): void {
    if (this.#closed) return
    const { clock, settings, wheel } = this.context
    const now = clock.monotonic()
    const blocked = this.channel.blockedSince
    const patience = blocked === undefined ? 1 : blocked + settings.writeTimeout - now
    if (patience <= 0 || this.#ending) {
      this.destroy()
    } else if (blocked !== undefined) {
      wheel.add(this, patience)
    } else if (this.state.name === 'notAuthenticated') {
      const left = this.#started + settings.preAuthenticatedTimeout - now
      if (left > 500) wheel.add(this, left)
      else this.bye('Too slow to log in')
    } else if (this.idleTag !== undefined) {
      wheel.add(this, settings.idleKeepAlive)
      if (!this.#busy) this.#keepAlive()
    } else {
      const left = this.#lastActivity + settings.authenticatedTimeout - now
      if (left > 500 || this.#busy) wheel.add(this, Math.max(left, Math.min(60_000, settings.writeTimeout)))
      else this.bye('Idle for too long')
    }
  }

  /** The client was told to go, or goes. */
  get #ending(): boolean {
    return this.#bye !== undefined || this.state.name === 'logout'
  }

  /** A sign of life in IDLE; a hint that was lost costs delay only, for the feed is looked at too. */
  #keepAlive(): void {
    if (this.state.name === 'selected') this.state.view.soil()
    this.out.ascii('* OK Still here\r\n')
    void this.#pump()
  }

  /** Ends the session with an untagged BYE once the running command allows it; 10 s later at the latest. */
  bye(text: string, code?: string): void {
    if (this.#closed || this.#bye !== undefined) return
    this.#bye = { text, code }
    if (this.#busy) {
      this.context.wheel.add(this, 10_000)
      this.#wakeLine?.()
    } else {
      this.#sayBye()
    }
  }

  #sayBye(): void {
    if (this.#closed || this.#bye === undefined) return
    const { text, code } = this.#bye
    // A half-sent literal cannot be interrupted by a line: then the closed connection says it.
    if (!this.midResponse) {
      this.out.ascii(`* BYE ${code === undefined ? '' : `[${code}] `}`)
      this.out.humanText(text).crlf()
    }
    this.end()
  }

  /** All is said and read; the peer only has to close its side. */
  get waitsForPeer(): boolean {
    return this.#ended && this.channel.connection.pendingBytes === 0
  }

  /** Sends what is written and closes: LOGOUT. */
  end(): void {
    this.leave()
    this.#ended = true
    // A peer that does not close its side in time is cut off.
    this.context.wheel.add(this, 10_000)
    this.channel.end()
  }

  destroy(): void {
    this.channel.destroy()
    this.closed()
  }
}
