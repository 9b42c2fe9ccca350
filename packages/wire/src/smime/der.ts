import { MAX_DEPTH, MAX_VALUES } from './limits.ts'

/** ASN.1 as X.690 writes it: BER is read (mail programs write indefinite lengths and octet strings in pieces), DER is written. */

export type Problem =
  | 'unreadable'
  | 'unsupported'
  | 'tooLarge'
  | 'noCertificate'
  | 'changed'
  | 'weak'
  | 'notForMe'
  | 'wrongPassword'

/** What the readers of this folder throw among themselves; no function of its index lets it out. */
export class SmimeError extends Error {
  override readonly name = 'SmimeError'
  readonly problem: Problem
  constructor(problem: Problem, message: string = problem) {
    super(message)
    this.problem = problem
  }
}
const broken = (): never => {
  throw new SmimeError('unreadable')
}

/** One value. `children` of constructed ones. Views of its octets are made when somebody looks: a message may have very many values. */
export class Value {
  /** The identifier octet: class, constructed, number. */
  readonly tag: number
  readonly children: readonly Value[]
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #from: number
  readonly #to: number
  readonly #end: number
  constructor(
    bytes: Uint8Array,
    [start, from, to, end]: readonly [number, number, number, number],
    children: readonly Value[],
  ) {
    this.tag = bytes[start] as number
    this.children = children
    this.#bytes = bytes
    this.#start = start
    this.#from = from
    this.#to = to
    this.#end = end
  }
  /** All octets, identifier and length included. */
  get whole(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end)
  }
  /** The contents. */
  get content(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#to)
  }
}
const noChildren: readonly Value[] = []

const CONSTRUCTED = 0x20
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const
/** Context-specific tags, constructed and primitive. */
export const context = (n: number): number => 0xa0 | n
export const plainContext = (n: number): number => 0x80 | n

/** Reads one value; octets behind it are left alone. Linear, within MAX_DEPTH and MAX_VALUES. */
export function readValue(bytes: Uint8Array): Value {
  const budget = { values: MAX_VALUES }
  const { value } = readAt(bytes, 0, bytes.length, 0, budget)
  return value
}

interface Read {
  readonly value: Value
  readonly end: number
}

function readAt(bytes: Uint8Array, start: number, limit: number, depth: number, budget: { values: number }): Read {
  if (depth > MAX_DEPTH || --budget.values < 0) throw new SmimeError('tooLarge')
  if (limit - start < 2) broken()
  const tag = bytes[start] as number
  if ((tag & 0x1f) === 0x1f) broken()
  const first = bytes[start + 1] as number
  let at = start + 2
  let end: number
  if (first < 0x80) end = at + first
  else if (first === 0x80) return readIndefinite(bytes, start, limit, depth, budget)
  else {
    const octets = first & 0x7f
    if (octets > 5 || at + octets > limit) broken()
    let length = 0
    for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at + i] as number)
    at += octets
    end = at + length
  }
  if (end > limit) broken()
  if ((tag & CONSTRUCTED) === 0) return { value: new Value(bytes, [start, at, end, end], noChildren), end }
  const children: Value[] = []
  for (let next = at; next < end; ) {
    const read = readAt(bytes, next, end, depth + 1, budget)
    children.push(read.value)
    next = read.end
  }
  return { value: new Value(bytes, [start, at, end, end], children), end }
}

function readIndefinite(
  bytes: Uint8Array,
  start: number,
  limit: number,
  depth: number,
  budget: { values: number },
): Read {
  const tag = bytes[start] as number
  if ((tag & CONSTRUCTED) === 0) broken()
  const children: Value[] = []
  let next = start + 2
  for (;;) {
    if (limit - next < 2) broken()
    if (bytes[next] === 0 && bytes[next + 1] === 0) break
    const read = readAt(bytes, next, limit, depth + 1, budget)
    children.push(read.value)
    next = read.end
  }
  const end = next + 2
  return { value: new Value(bytes, [start, start + 2, next, end], children), end }
}

/** The child at a place; it must be there, with this tag where one is given. */
export function child(of: Value, index: number, tag?: number): Value {
  const found = of.children[index]
  if (found === undefined || (tag !== undefined && found.tag !== tag)) return broken()
  return found
}
export function expect(value: Value, tag: number): Value {
  return value.tag === tag ? value : broken()
}
export const find = (of: Value, tag: number): Value | undefined => of.children.find((one) => one.tag === tag)

/** An octet string in one piece or in several; `tag`: that of an implicit one. */
export function octetsOf(value: Value): Uint8Array<ArrayBuffer> {
  if ((value.tag & CONSTRUCTED) === 0) return copy(value.content)
  let size = 0
  const pieces: Uint8Array[] = []
  const gather = (one: Value): void => {
    if ((one.tag & CONSTRUCTED) !== 0) for (const piece of one.children) gather(piece)
    else {
      if (one.tag !== Tag.octets) broken()
      pieces.push(one.content)
      size += one.content.length
    }
  }
  for (const piece of value.children) gather(piece)
  const out = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

export function oidOf(value: Value): string {
  if (value.tag !== Tag.oid || value.content.length === 0 || value.content.length > 64) return broken()
  const parts: number[] = []
  let number = 0
  for (const octet of value.content) {
    if (number > 2 ** 40) return broken()
    number = number * 128 + (octet & 0x7f)
    if ((octet & 0x80) !== 0) continue
    if (parts.length === 0) {
      const top = Math.min(2, Math.floor(number / 40))
      parts.push(top, number - top * 40)
    } else parts.push(number)
    number = 0
  }
  return parts.join('.')
}

export function bigOf(value: Value): bigint {
  expect(value, Tag.integer)
  return bigOfBytes(value.content)
}
export function bigOfBytes(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  return BigInt(`0x${hex(bytes)}`)
}
export function smallOf(value: Value): number {
  if (value.tag !== Tag.integer || value.content.length > 6) return broken()
  let number = 0
  for (const octet of value.content) number = number * 256 + octet
  return number
}

/** The octets of a bit string without unused bits. */
export function bitsOf(value: Value): Uint8Array<ArrayBuffer> {
  expect(value, Tag.bits)
  if (value.content[0] !== 0) return broken()
  return copy(value.content.subarray(1))
}

const decoder = new TextDecoder('utf-8')
const latin = new TextDecoder('latin1')
const wide = new TextDecoder('utf-16be')
/** Text of the string types of certificates. */
export function textOf({ tag, content }: Value): string {
  const some = content.subarray(0, 4_096)
  if (tag === 0x1e) return wide.decode(some)
  if (tag === 0x14) return latin.decode(some)
  return decoder.decode(some)
}

/** UTCTime and GeneralizedTime as DER writes them (RFC 5280 §4.1.2.5), ms since 1970. */
export function timeOf({ tag, content }: Value): number {
  const text = latin.decode(content.subarray(0, 32))
  const parts = (
    tag === 0x17 ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?Z$/
  ).exec(text)
  if (parts === null || (tag !== 0x17 && tag !== 0x18)) return broken()
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1).map((one) => Number(one ?? 0))
  const full = tag === 0x17 ? (year < 50 ? 2000 + year : 1900 + year) : year
  return Date.UTC(full, month - 1, day, hour, minute, second)
}

export const copy = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes)
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}
export function hex(bytes: Uint8Array): string {
  let out = ''
  for (const octet of bytes) out += octet.toString(16).padStart(2, '0')
  return out
}

// Writing

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0))
  let at = 0
  for (const one of parts) {
    out.set(one, at)
    at += one.length
  }
  return out
}

export function value(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, one) => sum + one.length, 0)
  const length: number[] = []
  if (size < 0x80) length.push(size)
  else {
    for (let left = size; left > 0; left = Math.floor(left / 256)) length.unshift(left % 256)
    length.unshift(0x80 | length.length)
  }
  return joined(Uint8Array.of(tag, ...length), ...parts)
}
export const sequence = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => value(Tag.sequence, ...parts)
export const octets = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => value(Tag.octets, bytes)
export const none = value(Tag.null)

/** SET OF: in the order of their octets (X.690 §11.6). */
export function setOf(tag: number, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const order = (a: Uint8Array, b: Uint8Array): number => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
    return a.length - b.length
  }
  return value(tag, ...[...parts].sort(order))
}

export function oid(text: string): Uint8Array<ArrayBuffer> {
  const [top = 0, second = 0, ...rest] = text.split('.').map(Number)
  const out: number[] = []
  for (const number of [top * 40 + second, ...rest]) {
    const septets = [number % 128]
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift((left % 128) | 0x80)
    out.push(...septets)
  }
  return value(Tag.oid, Uint8Array.from(out))
}

/** A whole number that is not negative, from its octets. */
export function integer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const rest = bytes.subarray(start)
  return value(
    Tag.integer,
    ...((rest[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []),
    rest.length === 0 ? Uint8Array.of(0) : rest,
  )
}
export const small = (number: number): Uint8Array<ArrayBuffer> => integer(Uint8Array.of(number))

/** UTCTime until 2049, GeneralizedTime from then on: RFC 5652 §11.3. */
export function time(ms: number): Uint8Array<ArrayBuffer> {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\..*$/g, '')
  const short = ms < Date.UTC(2050, 0, 1)
  return value(short ? 0x17 : 0x18, new TextEncoder().encode(`${short ? digits.slice(2) : digits}Z`))
}
