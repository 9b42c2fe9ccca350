import { MULTIPLE, PropType, type PropValue, propType } from './types.ts'

/**
 * The property bag: property tag (id << 16 | type, unsigned) → value. Named properties use ids from 0x8000, numbered by the mailbox.
 * Its one binary codec serves the store now and FastTransfer-like streams later: sorted by tag, every value with its length checked.
 * Unknown properties survive every protocol: nobody drops what it does not know.
 */
export type PropertyBag = ReadonlyMap<number, PropValue>

/** Limits of one bag: properties, bytes of one value, bytes of all. */
export const MAX_PROPERTIES = 8_192
export const MAX_PROPERTY_BYTES = 32 * 1024 * 1024
export const MAX_BAG_BYTES = 48 * 1024 * 1024

export const emptyBag: PropertyBag = new Map()

const BAG_VERSION = 1
const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

class Writer {
  #bytes = new Uint8Array(512)
  #view = new DataView(this.#bytes.buffer)
  #at = 0
  #room(n: number): number {
    const at = this.#at
    if (at + n > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, at + n))
      bigger.set(this.#bytes.subarray(0, at))
      this.#bytes = bigger
      this.#view = new DataView(bigger.buffer)
    }
    this.#at = at + n
    return at
  }
  u8(n: number): void {
    const at = this.#room(1)
    this.#bytes[at] = n
  }
  u32(n: number): void {
    const at = this.#room(4)
    this.#view.setUint32(at, n >>> 0, true)
  }
  f64(n: number): void {
    const at = this.#room(8)
    this.#view.setFloat64(at, n, true)
  }
  i64(n: bigint): void {
    const at = this.#room(8)
    this.#view.setBigInt64(at, n, true)
  }
  varint(n: number): void {
    let rest = n
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.u8(rest)
  }
  bytes(b: Uint8Array): void {
    if (b.length > MAX_PROPERTY_BYTES) throw new RangeError('property value too large')
    this.varint(b.length)
    const at = this.#room(b.length)
    this.#bytes.set(b, at)
  }
  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  #take(n: number): number {
    const at = this.#at
    if (at + n > this.#bytes.length) throw new RangeError('property bag cut short')
    this.#at = at + n
    return at
  }
  u8(): number {
    return this.#bytes[this.#take(1)] as number
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }
  varint(): number {
    let value = 0
    let factor = 1
    for (let i = 0; i < 7; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
    throw new RangeError('number too long in property bag')
  }
  bytes(): Uint8Array {
    const n = this.varint()
    const at = this.#take(n)
    return this.#bytes.slice(at, at + n)
  }
  get end(): boolean {
    return this.#at === this.#bytes.length
  }
}

type Single = number | bigint | string | Uint8Array | boolean

function writeSingle(w: Writer, type: number, value: Single): void {
  switch (type) {
    case PropType.integer16:
    case PropType.integer32:
    case PropType.errorCode:
      w.u32(value as number)
      return
    case PropType.boolean:
      w.u8(value ? 1 : 0)
      return
    case PropType.floating32:
    case PropType.floating64:
    case PropType.floatingTime:
      w.f64(value as number)
      return
    case PropType.integer64:
    case PropType.currency:
    case PropType.time:
      w.i64(BigInt.asIntN(64, value as bigint))
      return
    case PropType.string:
      w.bytes(utf8.encode(value as string))
      return
    case PropType.guid:
    case PropType.binary:
    case PropType.object:
      w.bytes(value as Uint8Array)
      return
    default:
      throw new RangeError(`unknown property type 0x${type.toString(16)}`)
  }
}

function readSingle(r: Reader, type: number): Single {
  switch (type) {
    case PropType.integer16:
      return (r.u32() << 16) >> 16
    case PropType.integer32:
    case PropType.errorCode:
      return r.u32() | 0
    case PropType.boolean:
      return r.u8() === 1
    case PropType.floating32:
    case PropType.floating64:
    case PropType.floatingTime:
      return r.f64()
    case PropType.integer64:
    case PropType.currency:
    case PropType.time:
      return r.i64()
    case PropType.string:
      return fromUtf8.decode(r.bytes())
    case PropType.guid:
    case PropType.binary:
    case PropType.object:
      return r.bytes()
    default:
      throw new RangeError(`unknown property type 0x${type.toString(16)}`)
  }
}

/** Encodes a bag; tags ascending, so equal bags have equal bytes. Throws RangeError beyond the limits or for unknown types. */
export function encodeBag(bag: PropertyBag): Uint8Array {
  if (bag.size > MAX_PROPERTIES) throw new RangeError('too many properties')
  const w = new Writer()
  w.u8(BAG_VERSION)
  w.varint(bag.size)
  for (const tag of [...bag.keys()].sort((a, b) => a - b)) {
    const type = propType(tag)
    const value = bag.get(tag) as PropValue
    w.u32(tag)
    if ((type & MULTIPLE) !== 0) {
      const values = value as readonly Single[]
      w.varint(values.length)
      for (const one of values) writeSingle(w, type & ~MULTIPLE, one)
    } else writeSingle(w, type, value as Single)
  }
  const bytes = w.done()
  if (bytes.length > MAX_BAG_BYTES) throw new RangeError('property bag too large')
  return bytes
}

/** Decodes what `encodeBag` wrote. Throws RangeError for anything else. No bytes at all are the empty bag. */
export function decodeBag(bytes: Uint8Array): PropertyBag {
  if (bytes.length === 0) return emptyBag
  const r = new Reader(bytes)
  const version = r.u8()
  if (version !== BAG_VERSION) throw new RangeError(`property bag version ${version}`)
  const count = r.varint()
  if (count > MAX_PROPERTIES) throw new RangeError('too many properties')
  const bag = new Map<number, PropValue>()
  for (let i = 0; i < count; i++) {
    const tag = r.u32()
    const type = propType(tag)
    if ((type & MULTIPLE) !== 0) {
      const n = r.varint()
      if (n > bytes.length) throw new RangeError('property bag cut short')
      const values: Single[] = []
      for (let k = 0; k < n; k++) values.push(readSingle(r, type & ~MULTIPLE))
      bag.set(tag, values as readonly string[])
    } else bag.set(tag, readSingle(r, type))
  }
  if (!r.end) throw new RangeError('bytes behind the property bag')
  return bag
}
