import { isUtf8 } from 'node:buffer'
import { ImapSyntaxError } from './errors.ts'
import { MAX_LIST_MEMBERS, MAX_NESTING_DEPTH } from './limits.ts'
import type { CommandText, Literal } from './receiver.ts'
import { parseSequenceSet, type SequenceSet } from './sequence-set.ts'
import { decodeUtf7 } from './utf7.ts'

const SPACE = 0x20
const QUOTE = 0x22
const OPEN = 0x28
const CLOSE = 0x29
const BACKSLASH = 0x5c

/** Octets of a string argument, one character per byte. */
export type ByteString = string

/** True for a byte an `atom` may hold: RFC 9051 §9 `ATOM-CHAR`; `]` is a resp-special and allowed by `ASTRING-CHAR` only. */
const atomChar = new Uint8Array(256)
const astringChar = new Uint8Array(256)
const listChar = new Uint8Array(256)
const attributeChar = new Uint8Array(256)
for (let code = 0x21; code < 0x7f; code++) {
  const char = String.fromCharCode(code)
  if (!'(){%*"\\]'.includes(char)) atomChar[code] = 1
  if (!'(){%*"\\'.includes(char)) astringChar[code] = 1
  if (!'(){"\\'.includes(char)) listChar[code] = 1
  if (/[A-Za-z0-9._-]/.test(char)) attributeChar[code] = 1
}
// UTF-8 in bare words is against the grammar, but old clients write mailbox names so; lenient input, strict output.
for (let code = 0x80; code < 0x100; code++) {
  astringChar[code] = 1
  listChar[code] = 1
}

/** Bytes as text: UTF-8 where they are UTF-8, else Latin-1, so that no byte a client sent is lost. */
export function textOf(bytes: ByteString): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes
  const buffer = Buffer.from(bytes, 'latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : bytes
}

/**
 * Reads a command's arguments from left to right: the terminals of RFC 9051 §9. Every method either moves on or raises
 * `ImapSyntaxError`, which `parseCommand` catches.
 */
export class ArgumentReader {
  readonly #text: CommandText
  #line = 0
  #at: number
  #depth = 0
  /** Mailbox names are UTF-8 (after ENABLE UTF8=ACCEPT or IMAP4rev2) and not modified UTF-7. */
  readonly utf8: boolean
  /** The command is not complete: it ends where a message was announced. */
  readonly prefix: boolean

  constructor(text: CommandText, utf8: boolean, prefix: boolean) {
    this.prefix = prefix
    this.#text = text
    this.#at = text.argumentsAt
    this.utf8 = utf8
  }

  get #current(): string {
    return this.#text.lines[this.#line] as string
  }

  /** The next byte, or -1 at the end of the line. */
  peek(): number {
    const line = this.#current
    return this.#at < line.length ? line.charCodeAt(this.#at) : -1
  }

  /** True when nothing is left. */
  get done(): boolean {
    return this.#at >= this.#current.length && this.#line === this.#text.lines.length - 1
  }

  /** True when a literal comes next. */
  get atLiteral(): boolean {
    return this.#at >= this.#current.length && this.#line < this.#text.literals.length
  }

  end(): void {
    // A space before CRLF is a frequent slip.
    while (this.peek() === SPACE) this.#at++
    if (!this.done) this.fail('Unexpected arguments')
  }

  fail(message: string): never {
    throw new ImapSyntaxError(message)
  }

  /** One space; more are forgiven. */
  space(): this {
    if (this.peek() !== SPACE) this.fail(this.done ? 'Missing argument' : 'Space expected')
    while (this.peek() === SPACE) this.#at++
    return this
  }

  /** Takes a space when something follows it. */
  optionalSpace(): boolean {
    if (this.peek() !== SPACE) return false
    while (this.peek() === SPACE) this.#at++
    return !this.done
  }

  /** Takes one character if it is next. */
  take(char: string): boolean {
    if (this.peek() !== char.charCodeAt(0)) return false
    this.#at++
    return true
  }

  expect(char: string): this {
    if (!this.take(char)) this.fail(`"${char}" expected`)
    return this
  }

  /** Takes a keyword, whatever its case, when it stands here as a whole word. */
  takeWord(word: string): boolean {
    const line = this.#current
    const end = this.#at + word.length
    if (end > line.length || line.slice(this.#at, end).toUpperCase() !== word) return false
    if (end < line.length && atomChar[line.charCodeAt(end)] === 1) return false
    this.#at = end
    return true
  }

  /** Takes the text, whatever its case, when exactly it stands here. */
  takeText(text: string): boolean {
    const end = this.#at + text.length
    if (this.#current.slice(this.#at, end).toUpperCase() !== text) return false
    this.#at = end
    return true
  }

  #run(table: Uint8Array, what: string): string {
    const line = this.#current
    let end = this.#at
    while (end < line.length && table[line.charCodeAt(end)] === 1) end++
    if (end === this.#at) this.fail(`${what} expected`)
    const run = line.slice(this.#at, end)
    this.#at = end
    return run
  }

  atom(): string {
    return this.#run(atomChar, 'Atom')
  }

  /** Letters, digits, `.`, `-`, `_` in upper case; stops before brackets: the names of fetch attributes. */
  attribute(): string {
    return this.#run(attributeChar, 'Attribute').toUpperCase()
  }

  /** An atom in upper case. */
  keyword(): string {
    return this.atom().toUpperCase()
  }

  number(max = 0xffff_ffff): number {
    const line = this.#current
    let value = 0
    let i = this.#at
    for (; i < line.length; i++) {
      const digit = line.charCodeAt(i) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      if (value > max) this.fail('Number too large')
    }
    if (i === this.#at) this.fail('Number expected')
    this.#at = i
    return value
  }

  /** RFC 9051 `number64`, RFC 7162 `mod-sequence-valzer`: change numbers have 48 bits, larger ones mean "later than everything". */
  number64(): number {
    const line = this.#current
    let i = this.#at
    while (i < line.length && line.charCodeAt(i) >= 0x30 && line.charCodeAt(i) <= 0x39) i++
    if (i === this.#at) this.fail('Number expected')
    if (i - this.#at > 20) this.fail('Number too large')
    const value = Math.min(Number(line.slice(this.#at, i)), Number.MAX_SAFE_INTEGER)
    this.#at = i
    return value
  }

  nonZero(): number {
    const value = this.number()
    return value === 0 ? this.fail('Number must not be 0') : value
  }

  /** The octets of a quoted string or literal. */
  string(): ByteString {
    if (this.atLiteral) return latin1(this.literal().bytes)
    if (this.peek() !== QUOTE) this.fail('String expected')
    const line = this.#current
    const from = this.#at + 1
    for (let i = from; i < line.length; i++) {
      const code = line.charCodeAt(i)
      if (code === BACKSLASH) return this.#escaped(line, from)
      if (code === QUOTE) {
        this.#at = i + 1
        return line.slice(from, i)
      }
    }
    return this.fail('Unterminated string')
  }

  #escaped(line: string, from: number): ByteString {
    let out = ''
    let i = from
    let start = from
    for (; i < line.length; i++) {
      const code = line.charCodeAt(i)
      if (code === QUOTE) {
        out += line.slice(start, i)
        this.#at = i + 1
        return out
      }
      if (code === BACKSLASH) {
        out += line.slice(start, i)
        i++
        start = i
      }
    }
    return this.fail('Unterminated string')
  }

  /** A literal and how it was announced. */
  literal(): Literal {
    if (!this.atLiteral) this.fail('Literal expected')
    const literal = this.#text.literals[this.#line] as Literal
    this.#line++
    this.#at = 0
    return literal
  }

  astring(): ByteString {
    if (this.atLiteral || this.peek() === QUOTE) return this.string()
    return this.#run(astringChar, 'String')
  }

  /** `astring` as text. */
  text(): string {
    return textOf(this.astring())
  }

  nstring(): ByteString | undefined {
    if (this.takeWord('NIL')) return undefined
    return this.string()
  }

  /** A mailbox name in Unicode; `INBOX` in its one spelling: RFC 9051 §5.1. */
  mailbox(): string {
    return this.mailboxName(this.astring())
  }

  /** A name with wildcards: `list-mailbox`. */
  pattern(): string {
    const bytes = this.atLiteral || this.peek() === QUOTE ? this.string() : this.#run(listChar, 'Pattern')
    return this.mailboxName(bytes)
  }

  mailboxName(bytes: ByteString): string {
    if (bytes.toUpperCase() === 'INBOX') return 'INBOX'
    // A name that is not modified UTF-7 (a bare `&`, raw UTF-8) is taken as it stands rather than refused.
    return this.utf8 ? textOf(bytes) : (decodeUtf7(bytes) ?? textOf(bytes))
  }

  sequenceSet(): SequenceSet {
    const line = this.#current
    let end = this.#at
    while (end < line.length && '0123456789:,*$'.includes(line[end] as string)) end++
    const set = parseSequenceSet(line.slice(this.#at, end))
    if (set === undefined) this.fail('Invalid message set')
    this.#at = end
    return set
  }

  /** A flag or keyword: system flags in their usual spelling, RFC 9051 §2.3.2. */
  flag(): string {
    if (!this.take('\\')) return this.atom()
    const name = this.atom()
    const known = systemFlags.get(name.toUpperCase())
    return known ?? this.fail('Unknown system flag')
  }

  /** `(` members apart by spaces `)`. */
  list<T>(member: () => T, empty: 'empty' | 'filled' = 'empty'): T[] {
    this.expect('(')
    this.enter()
    const members: T[] = []
    while (this.peek() === SPACE) this.#at++
    while (this.peek() !== CLOSE) {
      if (members.length >= MAX_LIST_MEMBERS) this.fail('Too many list members')
      members.push(member())
      if (this.peek() !== CLOSE) this.space()
    }
    this.expect(')')
    this.leave()
    if (members.length === 0 && empty === 'filled') this.fail('Empty list')
    return members
  }

  /** Notes one more level of nesting. */
  enter(): void {
    if (++this.#depth > MAX_NESTING_DEPTH) this.fail('Nesting too deep')
  }

  leave(): void {
    this.#depth--
  }

  get atList(): boolean {
    return this.peek() === OPEN
  }
}

function latin1(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

const systemFlags = new Map(
  ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft', '\\Recent'].map((flag) => [
    flag.slice(1).toUpperCase(),
    flag,
  ]),
)
