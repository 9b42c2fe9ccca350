import { FRAME_VERSION, HEADER_BYTES, LENGTH_U16, LENGTH_U32, MAX_KEY_BYTES, NEW_KEY, OLD_KEY, Tag } from './format.ts'
import { knownKeys } from './keys.ts'
import { FrameError, MAX_BIGINT_BYTES, MAX_DEPTH, MAX_FRAME_BYTES, MAX_VALUES } from './limits.ts'

const FIRST_ROOM = 64 * 1024
/** A buffer that grew beyond this is not kept. */
const KEPT_ROOM = 1024 * 1024
/** Shorter strings are written letter by letter: the call into the runtime costs more. */
const SHORT_TEXT = 64
const MIN_I64 = -(2n ** 63n)
const MAX_I64 = 2n ** 63n - 1n

const keyNumbers: ReadonlyMap<string, number> = new Map(knownKeys.map((key, i) => [key, i]))

/** Writes values behind one another into a buffer that is used again. Plain public fields: this is the hot path. */
class Writer {
  bytes = Buffer.alloc(FIRST_ROOM)
  view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
  at = 0
  values = 0
  depth = 0
  frameKeys: Map<string, number> | undefined = undefined

  start(kind: number, id: number): void {
    this.at = HEADER_BYTES
    this.values = 0
    this.depth = 0
    this.frameKeys = undefined
    this.view.setUint32(0, FRAME_VERSION | (kind << 8), true)
    this.view.setUint32(4, id, true)
  }

  /** The frame as bytes of its own. */
  finish(): Uint8Array {
    const frame = new Uint8Array(Buffer.allocUnsafeSlow(this.at).buffer)
    frame.set(this.bytes.subarray(0, this.at))
    return frame
  }

  /** Gives a large buffer back. */
  shrink(): void {
    if (this.bytes.length > KEPT_ROOM) this.#resize(FIRST_ROOM, 0)
  }

  #resize(room: number, keep: number): void {
    const bytes = Buffer.allocUnsafeSlow(room)
    bytes.set(this.bytes.subarray(0, keep))
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Makes room for `n` bytes. */
  room(n: number): void {
    const needed = this.at + n
    if (needed <= this.bytes.length) return
    if (needed > MAX_FRAME_BYTES) throw new FrameError('frame too large', true)
    this.#resize(Math.min(MAX_FRAME_BYTES, Math.max(needed, this.bytes.length * 2)), this.at)
  }

  /** A tag and a length. Room for six more bytes. */
  head(tag: number, length: number): void {
    this.room(6)
    const { bytes, view } = this
    let at = this.at
    bytes[at++] = tag
    if (length < LENGTH_U16) bytes[at++] = length
    else if (length <= 0xffff) {
      bytes[at++] = LENGTH_U16
      view.setUint16(at, length, true)
      at += 2
    } else {
      bytes[at++] = LENGTH_U32
      view.setUint32(at, length, true)
      at += 4
    }
    this.at = at
  }

  value(value: unknown): void {
    if (++this.values > MAX_VALUES) throw new FrameError('too many values', true)
    switch (typeof value) {
      case 'string':
        this.string(value)
        return
      case 'number':
        this.number(value)
        return
      case 'boolean':
        this.tag(value ? Tag.true : Tag.false)
        return
      case 'undefined':
        this.tag(Tag.undefined)
        return
      case 'bigint':
        this.bigint(value)
        return
      case 'object':
        if (value === null) this.tag(Tag.null)
        else this.object(value)
        return
      default:
        throw new FrameError(`a ${typeof value} cannot be sent`)
    }
  }

  tag(tag: number): void {
    this.room(1)
    this.bytes[this.at++] = tag
  }

  number(n: number): void {
    this.room(9)
    const { bytes, view, at } = this
    if ((n | 0) === n && (n !== 0 || 1 / n > 0)) {
      if (n >= 0) {
        if (n < 64) {
          bytes[at] = Tag.small | n
          this.at = at + 1
        } else if (n <= 0xff) {
          bytes[at] = Tag.u8
          bytes[at + 1] = n
          this.at = at + 2
        } else if (n <= 0xffff) {
          bytes[at] = Tag.u16
          view.setUint16(at + 1, n, true)
          this.at = at + 3
        } else {
          bytes[at] = Tag.u32
          view.setUint32(at + 1, n, true)
          this.at = at + 5
        }
        return
      }
      bytes[at] = Tag.i32
      view.setInt32(at + 1, n, true)
      this.at = at + 5
      return
    }
    bytes[at] = Tag.f64
    view.setFloat64(at + 1, n, true)
    this.at = at + 9
  }

  string(text: string): void {
    const { length } = text
    if (length < SHORT_TEXT) {
      this.room(length + 1)
      const { bytes } = this
      let at = this.at
      bytes[at++] = Tag.shortAscii | length
      let all = 0
      for (let i = 0; i < length; i++) {
        const c = text.charCodeAt(i)
        all |= c
        bytes[at++] = c
      }
      if (all < 0x80) {
        this.at = at
        return
      }
    }
    this.longString(text)
  }

  longString(text: string): void {
    const byteLength = Buffer.byteLength(text, 'utf8')
    const ascii = byteLength === text.length
    if (!ascii && !text.isWellFormed()) {
      this.head(Tag.utf16, text.length * 2)
      this.room(text.length * 2)
      this.at += this.bytes.write(text, this.at, 'utf16le')
      return
    }
    this.head(ascii ? Tag.ascii : Tag.utf8, byteLength)
    this.room(byteLength)
    this.at += this.bytes.write(text, this.at, ascii ? 'latin1' : 'utf8')
  }

  bigint(n: bigint): void {
    if (n >= MIN_I64 && n <= MAX_I64) {
      this.room(9)
      this.bytes[this.at] = Tag.i64
      this.view.setBigInt64(this.at + 1, n, true)
      this.at += 9
      return
    }
    const hex = (n < 0n ? -n : n).toString(16)
    const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
    if (magnitude.length > MAX_BIGINT_BYTES) throw new FrameError('bigint too large', true)
    this.tag(Tag.bigint)
    this.head(n < 0n ? 1 : 0, magnitude.length)
    this.raw(magnitude)
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  words(tag: number, array: Uint32Array | Float64Array): void {
    const { BYTES_PER_ELEMENT: size } = array
    this.head(tag, array.length)
    this.room(size)
    while (this.at % size !== 0) this.bytes[this.at++] = 0
    this.raw(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  }

  object(value: object): void {
    if (value instanceof Uint8Array) {
      this.head(Tag.bytes, value.length)
      this.raw(value)
      return
    }
    if (++this.depth > MAX_DEPTH) throw new FrameError('too deep')
    if (Array.isArray(value)) {
      this.head(Tag.array, value.length)
      for (let i = 0; i < value.length; i++) this.value(value[i])
    } else this.record(value)
    this.depth--
  }

  record(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) {
      const keys = Object.keys(value)
      this.head(Tag.object, keys.length)
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i] as string
        this.key(key)
        this.value((value as Record<string, unknown>)[key])
      }
    } else if (value instanceof Map) {
      this.head(Tag.map, value.size)
      for (const [key, one] of value) {
        this.value(key)
        this.value(one)
      }
    } else if (value instanceof Uint32Array) this.words(Tag.u32Array, value)
    else if (value instanceof Float64Array) this.words(Tag.f64Array, value)
    else throw new FrameError(`a ${value.constructor?.name ?? 'value'} cannot be sent`)
  }

  key(key: string): void {
    const known = keyNumbers.get(key)
    this.room(3)
    if (known !== undefined) this.bytes[this.at++] = known
    else this.otherKey(key)
  }

  otherKey(key: string): void {
    if (key === '__proto__') throw new FrameError('no key for an object')
    this.frameKeys ??= new Map()
    const old = this.frameKeys.get(key)
    if (old !== undefined) {
      this.bytes[this.at] = OLD_KEY
      this.view.setUint16(this.at + 1, old, true)
      this.at += 3
      return
    }
    const byteLength = Buffer.byteLength(key, 'utf8')
    if (byteLength > MAX_KEY_BYTES || !key.isWellFormed()) throw new FrameError('no key for an object')
    if (this.frameKeys.size < 0xffff) this.frameKeys.set(key, this.frameKeys.size)
    this.room(byteLength + 2)
    this.bytes[this.at++] = NEW_KEY
    this.bytes[this.at++] = byteLength
    this.at += this.bytes.write(key, this.at, 'utf8')
  }
}

const writer = new Writer()

/**
 * A frame of this kind and number with this value in it. The value is plain data: null, undefined, booleans, numbers, bigints, strings,
 * Uint8Array, Uint32Array, Float64Array, arrays, plain objects and Maps of such. Throws FrameError for anything else, and beyond the limits.
 */
export function encodeFrame(kind: number, id: number, value: unknown): Uint8Array {
  try {
    writer.start(kind, id)
    writer.value(value)
    return writer.finish()
  } finally {
    writer.shrink()
  }
}
