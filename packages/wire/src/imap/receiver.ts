import {
  LIMITS_AFTER_LOGIN,
  LITERAL_FIRST_ALLOCATION,
  limitsBeforeLogin,
  MAX_LITERALS,
  MAX_TAG_LENGTH,
  type ReceiverLimits,
} from './limits.ts'

/**
 * One complete command as it stood on the wire. `lines` has one member more than `literals`: a literal stands between two
 * lines. Lines are byte strings (one character per byte, no line end, no literal marker).
 */
export interface CommandText {
  readonly tag: string
  /** Upper case, with `UID ` in front where the client wrote it. */
  readonly name: string
  /** Where the arguments begin in `lines[0]`. */
  readonly argumentsAt: number
  readonly lines: readonly string[]
  readonly literals: readonly Literal[]
}

/** A literal's octets, and whether it was a literal8 (RFC 3516 §4.4). */
export interface Literal {
  readonly bytes: Uint8Array
  readonly binary: boolean
}

/** What `next()` answers; each event must be dealt with before the next is asked for. */
export type ReceiverEvent =
  /** A command is complete. */
  | { readonly kind: 'command'; readonly command: CommandText }
  /** The line asked for by `expectLine()`. */
  | { readonly kind: 'line'; readonly text: string }
  /** The client waits for `+` before it sends an argument. */
  | { readonly kind: 'continue' }
  /** A message is about to come (APPEND, REPLACE): answer with `accept()` or `refuse()`. Nothing is allocated yet. */
  | {
      readonly kind: 'message'
      readonly size: number
      /** The client waits for `+` (RFC 7888). */
      readonly waits: boolean
      readonly binary: boolean
      /** The command so far; the announced literal is not in it. */
      readonly command: CommandText
    }
  /** Not a command. `fatal`: the stream can no longer be understood, close it. */
  | { readonly kind: 'error'; readonly tag: string | undefined; readonly text: string; readonly fatal: boolean }

const CR = 0x0d
const LF = 0x0a
/** Chunks shorter than this are put together while they wait, in blocks of at most MAX_TAIL. */
const MIN_CHUNK = 1_024
const MAX_TAIL = 65_536

const states = { line: 0, literal: 1, skipLiteral: 2, skipLine: 3, decision: 4, dead: 5 } as const
type State = (typeof states)[keyof typeof states]

const tagAndName = /^([^\x00-\x20\x7f-\xff(){%*"\\+]+) (?:(UID) )?([A-Za-z][A-Za-z0-9.=-]*)/i
const marker = /(~?)\{(\d+)([+-]?)\}$/

/**
 * The server's side of RFC 9051 §2.2 without a socket: bytes in by `push`, events out by `next`, so that whoever holds it may
 * change its mind (TLS, login, IDLE, SASL) between two events. It keeps no more than the named limits allow, and never
 * allocates what a client merely announces.
 */
export class ImapReceiver {
  #limits: ReceiverLimits
  #state: State = states.line
  #queue: Uint8Array[] = []
  #at = 0
  #buffered = 0
  /** The last member of the queue when it is our own memory, and its bytes in use: small chunks that wait are put together there. */
  #tail: Buffer | undefined
  #tailLength = 0
  /** A line that began in an earlier chunk. */
  #partial: Buffer | undefined
  #partialLength = 0
  #lines: string[] = []
  #literals: Literal[] = []
  #tag: string | undefined
  #name = ''
  #argumentsAt = 0
  #lineBytes = 0
  #argumentBytes = 0
  #literal: Buffer | undefined
  #literalLength = 0
  #literalSize = 0
  #literalBinary = false
  #skip = 0
  /** The command was refused: read it to its end and forget it. */
  #refused = false
  #expectLine = 0

  constructor(limits: ReceiverLimits = limitsBeforeLogin()) {
    this.#limits = limits
  }

  /** Other limits from the next command on: after login pass `LIMITS_AFTER_LOGIN`. */
  setLimits(limits: ReceiverLimits = LIMITS_AFTER_LOGIN): void {
    this.#limits = limits
  }

  /** Takes bytes from the client. The array must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#state === states.dead) return
    this.#buffered += chunk.length
    if (this.#queue.length > 1 && chunk.length < MIN_CHUNK) this.#append(chunk)
    else {
      this.#queue.push(chunk)
      this.#tail = undefined
    }
  }

  /** A client that sends single bytes while a command runs must not cost us an object and a look for each (P1). */
  #append(chunk: Uint8Array): void {
    let tail = this.#tail
    if (tail === undefined || this.#tailLength + chunk.length > tail.length) {
      tail = Buffer.allocUnsafeSlow(Math.min(MAX_TAIL, Math.max(MIN_CHUNK, 2 * (tail?.length ?? 0))))
      this.#tail = tail
      this.#tailLength = 0
      this.#queue.push(tail)
    }
    tail.set(chunk, this.#tailLength)
    this.#tailLength += chunk.length
    this.#queue[this.#queue.length - 1] = tail.subarray(0, this.#tailLength)
  }

  /** The next line is not a command (RFC 9051 §6.2.2 response, RFC 2177 DONE): answer it as a `line` event of at most `limit` bytes. */
  expectLine(limit: number): void {
    this.#expectLine = limit
  }

  /** Takes the bytes that were received but not yet understood, and forgets them here: RFC 4978 §3. */
  takeRest(): Uint8Array {
    const rest = this.#queue.map((chunk, index) => (index === 0 ? chunk.subarray(this.#at) : chunk))
    this.discard()
    return rest.length === 1 ? (rest[0] as Uint8Array) : Buffer.concat(rest)
  }

  /** Forgets everything received and not yet answered: RFC 9051 §6.2.1, commands sent before TLS must not survive it. */
  discard(): void {
    this.#queue = []
    this.#at = 0
    this.#buffered = 0
    this.#tail = undefined
    this.#partial = undefined
    this.#partialLength = 0
    this.#reset()
    if (this.#state !== states.dead) this.#state = states.line
  }

  /** Bytes received and not yet looked at. */
  get buffered(): number {
    return this.#buffered - this.#at
  }

  /** True between commands: nothing of a command has arrived. */
  get idle(): boolean {
    return (
      this.#state === states.line && this.#lines.length === 0 && this.#partialLength === 0 && this.#queue.length === 0
    )
  }

  /** Takes the announced message. The caller sends `+` when the event said `waits`. */
  accept(): void {
    if (this.#state !== states.decision) return
    this.#beginLiteral()
  }

  /** Declines the announced message. The caller answers the tag; the rest of the command is swallowed where it is on its way. */
  refuse(waits: boolean): ReceiverEvent | undefined {
    if (this.#state !== states.decision) return undefined
    if (waits) {
      // The client has seen our tagged answer instead of `+`: what follows is a new command.
      this.#reset()
      this.#state = states.line
      return undefined
    }
    return this.#swallow(this.#tag)
  }

  /** The next event, or undefined when more bytes (or a decision) are needed. */
  next(): ReceiverEvent | undefined {
    for (;;) {
      if (this.#state === states.decision || this.#state === states.dead) return undefined
      if (this.#state === states.literal && this.#literalLength === this.#literalSize) {
        const event = this.#endLiteral()
        if (event !== undefined) return event
        continue
      }
      const chunk = this.#queue[0]
      if (chunk === undefined) return undefined
      const event = this.#consume(chunk)
      if (this.#queue[0] === chunk && this.#at >= chunk.length) {
        this.#queue.shift()
        this.#at = 0
        this.#buffered -= chunk.length
        if (this.#queue.length === 0) this.#tail = undefined
      }
      if (event !== undefined) return event
    }
  }

  #consume(chunk: Uint8Array): ReceiverEvent | undefined {
    switch (this.#state) {
      case states.literal:
        this.#takeLiteral(chunk)
        return undefined
      case states.skipLiteral: {
        const step = Math.min(this.#skip, chunk.length - this.#at)
        this.#at += step
        this.#skip -= step
        if (this.#skip === 0) this.#state = states.line
        return undefined
      }
      case states.skipLine: {
        const end = chunk.indexOf(LF, this.#at)
        this.#at = end < 0 ? chunk.length : end + 1
        if (end >= 0) {
          this.#reset()
          this.#state = states.line
        }
        return undefined
      }
      default:
        return this.#takeLine(chunk)
    }
  }

  #takeLine(chunk: Uint8Array): ReceiverEvent | undefined {
    const lf = chunk.indexOf(LF, this.#at)
    const end = lf < 0 ? chunk.length : lf
    const length = this.#partialLength + end - this.#at
    const limit = this.#expectLine > 0 ? this.#expectLine : this.#limits.lineBytes - this.#lineBytes
    if (length > limit + 1) return this.#lineTooLong(chunk, lf)
    if (lf < 0) {
      this.#keepPartial(chunk.subarray(this.#at, end), limit)
      this.#at = end
      return undefined
    }
    let line: string
    if (this.#partialLength === 0) {
      line = latin1(chunk, this.#at, end)
    } else {
      this.#keepPartial(chunk.subarray(this.#at, end), limit)
      line = (this.#partial as Buffer).toString('latin1', 0, this.#partialLength)
      this.#partialLength = 0
      this.#partial = undefined
    }
    this.#at = end + 1
    if (line.charCodeAt(line.length - 1) === CR) line = line.slice(0, -1)
    return this.#endLine(line)
  }

  #keepPartial(bytes: Uint8Array, limit: number): void {
    const length = this.#partialLength + bytes.length
    if (this.#partial === undefined || this.#partial.length < length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(length, 2 * this.#partialLength, 128), limit + 1))
      this.#partial?.copy(grown, 0, 0, this.#partialLength)
      this.#partial = grown
    }
    this.#partial.set(bytes, this.#partialLength)
    this.#partialLength = length
  }

  #lineTooLong(chunk: Uint8Array, lf: number): ReceiverEvent | undefined {
    const silent = this.#refused
    if (this.#lines.length === 0 && this.#expectLine === 0) {
      const head =
        (this.#partial?.toString('latin1', 0, Math.min(this.#partialLength, 512)) ?? '') +
        latin1(chunk, this.#at, Math.min(chunk.length, this.#at + 512))
      this.#tag = tagAndName.exec(head)?.[1]
    }
    const tag = this.#expectLine > 0 ? undefined : validTag(this.#tag)
    this.#partial = undefined
    this.#partialLength = 0
    this.#expectLine = 0
    this.#at = lf < 0 ? chunk.length : lf + 1
    this.#reset()
    this.#state = lf < 0 ? states.skipLine : states.line
    return silent ? undefined : { kind: 'error', tag, text: 'Line too long', fatal: false }
  }

  #endLine(line: string): ReceiverEvent | undefined {
    if (this.#expectLine > 0) {
      this.#expectLine = 0
      return { kind: 'line', text: line }
    }
    const first = this.#lines.length === 0 && !this.#refused
    if (first) {
      // An empty line between commands is what a careless client leaves behind a literal.
      if (line.length === 0) return undefined
      const match = tagAndName.exec(line)
      this.#tag = validTag(match?.[1])
      this.#name = match === null ? '' : `${match[2] === undefined ? '' : 'UID '}${match[3]?.toUpperCase()}`
      this.#argumentsAt = match?.[0].length ?? 0
    }
    const found = line.charCodeAt(line.length - 1) === 0x7d ? marker.exec(line) : null
    if (found === null) return this.#endCommand(line)
    return this.#announced(found[0].length, found[1] === '~', found[2] as string, found[3] as string, line)
  }

  #endCommand(line: string): ReceiverEvent | undefined {
    const { tag, name } = { tag: this.#tag, name: this.#name }
    if (this.#refused) {
      this.#reset()
      return undefined
    }
    this.#lines.push(line)
    const command = this.#soFar()
    this.#reset()
    if (tag === undefined) return { kind: 'error', tag: taggedOnly(line), text: 'Command expected', fatal: false }
    if (name === '') return { kind: 'error', tag, text: 'Command expected', fatal: false }
    if (line.includes('\0')) return { kind: 'error', tag, text: 'NUL in command', fatal: false }
    return { kind: 'command', command }
  }

  #announced(
    markerLength: number,
    binary: boolean,
    digits: string,
    plus: string,
    line: string,
  ): ReceiverEvent | undefined {
    const waits = plus === ''
    // 2^53 is far beyond every limit; longer digit strings only have to stay comparable.
    const size = digits.length > 15 ? Number.MAX_SAFE_INTEGER : Number(digits)
    this.#literalSize = size
    this.#literalBinary = binary
    if (this.#refused) return this.#swallow(this.#tag)
    if (this.#tag === undefined || this.#name === '') return this.#decline(waits, 'Command expected')
    this.#lines.push(line.slice(0, line.length - markerLength))
    this.#lineBytes += line.length
    if (this.#literals.length >= MAX_LITERALS) return this.#decline(waits, 'Too many literals')
    if (size > 0xffff_ffff) return this.#decline(waits, 'Literal too large')
    if (this.#lineBytes > this.#limits.lineBytes) return this.#decline(waits, 'Command too large')
    if (isMessage(this.#name, this.#lines, this.#argumentsAt)) {
      this.#state = states.decision
      return { kind: 'message', size, waits, binary, command: this.#soFar() }
    }
    this.#argumentBytes += size
    const { argumentLiteralBytes, commandBytes } = this.#limits
    if (this.#argumentBytes > argumentLiteralBytes || this.#argumentBytes + this.#lineBytes > commandBytes) {
      return this.#decline(waits, 'Literal too large')
    }
    this.#beginLiteral()
    return waits ? { kind: 'continue' } : undefined
  }

  #beginLiteral(): void {
    this.#state = states.literal
    this.#literalLength = 0
    this.#literal = undefined
  }

  #takeLiteral(chunk: Uint8Array): void {
    const step = Math.min(this.#literalSize - this.#literalLength, chunk.length - this.#at)
    const length = this.#literalLength + step
    if (this.#literal === undefined || this.#literal.length < length) {
      const size = Math.min(this.#literalSize, Math.max(length, 2 * this.#literalLength, LITERAL_FIRST_ALLOCATION))
      const grown = Buffer.allocUnsafeSlow(size)
      this.#literal?.copy(grown, 0, 0, this.#literalLength)
      this.#literal = grown
    }
    this.#literal.set(chunk.subarray(this.#at, this.#at + step), this.#literalLength)
    this.#literalLength = length
    this.#at += step
  }

  #endLiteral(): undefined {
    const bytes = this.#literal ?? new Uint8Array(0)
    this.#literals.push({ bytes, binary: this.#literalBinary })
    this.#literal = undefined
    this.#literalLength = 0
    this.#literalSize = 0
    this.#state = states.line
  }

  /** Answers an announced literal with an error; a waiting client will not send it, any other one will. */
  #decline(waits: boolean, text: string): ReceiverEvent {
    const tag = this.#tag
    if (waits) {
      this.#reset()
      this.#state = states.line
      return { kind: 'error', tag, text, fatal: false }
    }
    return this.#swallow(tag) ?? { kind: 'error', tag, text, fatal: false }
  }

  #swallow(tag: string | undefined): ReceiverEvent | undefined {
    const size = this.#literalSize
    if (size > this.#limits.skippedLiteralBytes) {
      this.discard()
      this.#state = states.dead
      return { kind: 'error', tag, text: 'Literal too large', fatal: true }
    }
    this.#reset()
    this.#refused = true
    this.#tag = tag
    this.#skip = size
    this.#state = size === 0 ? states.line : states.skipLiteral
    return undefined
  }

  #soFar(): CommandText {
    return {
      tag: this.#tag ?? '',
      name: this.#name,
      argumentsAt: this.#argumentsAt,
      lines: this.#lines.slice(),
      literals: this.#literals.slice(),
    }
  }

  #reset(): void {
    this.#lines = []
    this.#literals = []
    this.#tag = undefined
    this.#name = ''
    this.#argumentsAt = 0
    this.#lineBytes = 0
    this.#argumentBytes = 0
    this.#literal = undefined
    this.#literalLength = 0
    this.#literalSize = 0
    this.#refused = false
  }
}

/** In APPEND and REPLACE every literal is a message but the one that stands where the mailbox name belongs. */
function isMessage(name: string, lines: readonly string[], argumentsAt: number): boolean {
  const text = (lines[0] as string).slice(argumentsAt).trim()
  if (name === 'APPEND') return !(lines.length === 1 && text === '')
  if (name === 'REPLACE' || name === 'UID REPLACE') return !(lines.length === 1 && !text.includes(' '))
  return false
}

function validTag(tag: string | undefined): string | undefined {
  return tag !== undefined && tag.length <= MAX_TAG_LENGTH ? tag : undefined
}

/** The tag of a line that has nothing sensible behind it, so that the client hears of it at least. */
function taggedOnly(line: string): string | undefined {
  return validTag(/^[^\x00-\x20\x7f-\xff(){%*"\\+]+(?= |$)/.exec(line.slice(0, MAX_TAG_LENGTH + 1))?.[0])
}

function latin1(chunk: Uint8Array, from: number, to: number): string {
  const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  return buffer.toString('latin1', from, to)
}
