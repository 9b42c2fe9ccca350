import { FRAME_VERSION, HEADER_BYTES, LENGTH_U16, LENGTH_U32, NEW_KEY, OLD_KEY, Tag } from './format.ts'
import { knownKeys } from './keys.ts'
import { FrameError, MAX_BIGINT_BYTES, MAX_DEPTH, MAX_FRAME_BYTES, MAX_VALUES } from './limits.ts'

/** Shorter arrays are copied out; longer ones too when they are a small part of what they would keep alive. */
const COPIED_BYTES = 1_024
const LEAST_PART = 1 / 16

export interface Frame {
  readonly kind: number
  /** Of the request or subscription. */
  readonly id: number
  readonly value: unknown
}

class Reader {
  readonly bytes: Buffer
  readonly view: DataView
  readonly end: number
  at = HEADER_BYTES
  values = 0
  depth = 0
  readonly frameKeys: string[] = []

  constructor(frame: Uint8Array) {
    this.bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
    this.view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    this.end = frame.byteLength
  }

  /** The place of the next `n` bytes. */
  take(n: number): number {
    const at = this.at
    if (n > this.end - at) throw new FrameError('frame cut short')
    this.at = at + n
    return at
  }

  u8(): number {
    return this.bytes[this.take(1)] as number
  }

  length(): number {
    const n = this.u8()
    if (n < LENGTH_U16) return n
    if (n === LENGTH_U16) return this.view.getUint16(this.take(2), true)
    if (n === LENGTH_U32) return this.view.getUint32(this.take(4), true)
    throw new FrameError('no length')
  }

  /** A count of things that take at least `least` bytes each. */
  count(least: number): number {
    const n = this.length()
    if (n * least > this.end - this.at) throw new FrameError('frame cut short')
    return n
  }

  value(): unknown {
    if (++this.values > MAX_VALUES) throw new FrameError('too many values', true)
    const tag = this.u8()
    if (tag >= Tag.shortAscii) {
      const length = tag - Tag.shortAscii
      if (length > 63) throw new FrameError(`tag ${tag}`)
      return this.text('latin1', length)
    }
    if (tag >= Tag.small) return tag - Tag.small
    switch (tag) {
      case Tag.object:
        return this.object()
      case Tag.undefined:
        return undefined
      case Tag.u8:
        return this.u8()
      case Tag.u16:
        return this.view.getUint16(this.take(2), true)
      case Tag.u32:
        return this.view.getUint32(this.take(4), true)
      case Tag.f64:
        return this.view.getFloat64(this.take(8), true)
      case Tag.ascii:
        return this.text('latin1', this.length())
      case Tag.utf8:
        return this.text('utf8', this.length())
      case Tag.array:
        return this.array()
      case Tag.bytes:
        return this.byteArray()
      case Tag.false:
        return false
      case Tag.true:
        return true
      case Tag.null:
        return null
      default:
        return this.rare(tag)
    }
  }

  rare(tag: number): unknown {
    switch (tag) {
      case Tag.i32:
        return this.view.getInt32(this.take(4), true)
      case Tag.i64:
        return this.view.getBigInt64(this.take(8), true)
      case Tag.u32Array: {
        const at = this.words(4)
        return new Uint32Array(this.aligned(at, 4), this.alignedAt(at, 4), (this.at - at) / 4)
      }
      case Tag.f64Array: {
        const at = this.words(8)
        return new Float64Array(this.aligned(at, 8), this.alignedAt(at, 8), (this.at - at) / 8)
      }
      case Tag.map:
        return this.map()
      case Tag.utf16:
        return this.text('utf16le', this.length())
      case Tag.bigint:
        return this.bigint()
      default:
        throw new FrameError(`tag ${tag}`)
    }
  }

  text(encoding: 'latin1' | 'utf8' | 'utf16le', length: number): string {
    const at = this.take(length)
    return this.bytes.toString(encoding, at, at + length)
  }

  byteArray(): Uint8Array {
    const n = this.length()
    const at = this.take(n)
    if (this.inPlace(at, 1)) return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, n)
    const copy = new Uint8Array(n)
    copy.set(this.bytes.subarray(at, at + n))
    return copy
  }

  /** Takes count, padding and words; answers where the words begin. */
  words(size: number): number {
    const n = this.count(size)
    const padding = (size - (this.at % size)) % size
    for (let i = 0; i < padding; i++) if (this.u8() !== 0) throw new FrameError('padding')
    return this.take(n * size)
  }

  /** The buffer to look at: the frame's own where the words are aligned and many, else a copy. */
  aligned(at: number, size: number): ArrayBuffer {
    if (this.inPlace(at, size)) return this.bytes.buffer as ArrayBuffer
    const from = this.bytes.byteOffset + at
    return this.bytes.buffer.slice(from, from + (this.at - at)) as ArrayBuffer
  }
  alignedAt(at: number, size: number): number {
    return this.inPlace(at, size) ? this.bytes.byteOffset + at : 0
  }
  /** Whether what was just taken, from `at` on, is handed out where it is. */
  inPlace(at: number, size: number): boolean {
    const length = this.at - at
    if (length < COPIED_BYTES || length < this.bytes.buffer.byteLength * LEAST_PART) return false
    return (this.bytes.byteOffset + at) % size === 0
  }

  bigint(): bigint {
    const negative = this.u8()
    const n = this.length()
    if (negative > 1 || n > MAX_BIGINT_BYTES) throw new FrameError('no bigint')
    const hex = this.text('hex' as 'latin1', n)
    const magnitude = BigInt(`0x${hex === '' ? '0' : hex}`)
    return negative === 1 ? -magnitude : magnitude
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH) throw new FrameError('too deep')
  }

  array(): unknown[] {
    this.enter()
    const n = this.count(1)
    const array: unknown[] = []
    for (let i = 0; i < n; i++) array.push(this.value())
    this.depth--
    return array
  }

  map(): Map<unknown, unknown> {
    this.enter()
    const n = this.count(2)
    const map = new Map<unknown, unknown>()
    for (let i = 0; i < n; i++) map.set(this.value(), this.value())
    this.depth--
    return map
  }

  object(): Record<string, unknown> {
    this.enter()
    const n = this.count(2)
    const object: Record<string, unknown> = {}
    for (let i = 0; i < n; i++) {
      const number = this.u8()
      const key = number < knownKeys.length ? (knownKeys[number] as string) : this.otherKey(number)
      object[key] = this.value()
    }
    this.depth--
    return object
  }

  otherKey(number: number): string {
    if (number === OLD_KEY) {
      const key = this.frameKeys[this.view.getUint16(this.take(2), true)]
      if (key === undefined) throw new FrameError('unknown key')
      return key
    }
    if (number !== NEW_KEY) throw new FrameError('unknown key')
    const key = this.text('utf8', this.u8())
    if (key === '__proto__') throw new FrameError('no key for an object')
    this.frameKeys.push(key)
    return key
  }
}

/**
 * Reads a frame. Large typed arrays in the value may be views of the frame's bytes: the frame belongs to the reader from now on.
 * Throws FrameError for what is none, in time linear in its length.
 */
export function decodeFrame(frame: Uint8Array): Frame {
  if (frame.length < HEADER_BYTES) throw new FrameError('frame cut short')
  if (frame.length > MAX_FRAME_BYTES) throw new FrameError('frame too large', true)
  const reader = new Reader(frame)
  const head = reader.view.getUint32(0, true)
  if ((head & 0xff) !== FRAME_VERSION) throw new FrameError(`frame version ${head & 0xff}`)
  if (head >>> 16 !== 0) throw new FrameError('frame header')
  const value = reader.value()
  if (reader.at !== reader.end) throw new FrameError('bytes behind the value')
  return { kind: (head >>> 8) & 0xff, id: reader.view.getUint32(4, true), value }
}
