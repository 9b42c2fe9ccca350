import { crc32 } from 'node:zlib'
import type { Value } from '../engine/statements.ts'

/**
 * Frames of the redo log (redo.ts). Each begins at a multiple of ALIGNMENT and is durable before the next is begun. Integers little endian:
 *
 *      0  u32   magic 'PRR1'
 *      4  u32   bytes of the payload
 *      8  f64   generation: the commit of the database that it follows
 *     16  u32   its number in the generation, from 0
 *     20  u32   crc32 of the bytes before and of the payload
 *     24  the payload: entries behind one another, each with its kind in the first byte
 *
 *     text       u32 length, UTF-8: the next number (from 0, in the whole generation) stands for this statement
 *     statement  u16 number, u16 count of values; a value is u8 kind, then nothing, f64, or u32 length and bytes
 *     record     f64 segment, f64 offset, u32 length, bytes: of an original
 */
const MAGIC = 0x31525250
const HEAD_BYTES = 24
export const ALIGNMENT = 512
const Entry = { text: 1, statement: 2, record: 3 } as const
const Kind = { null: 0, number: 1, string: 2, bytes: 3 } as const
const FIRST_BYTES = 256 * 1024
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** Writes the payload of one frame. */
export class FrameWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #at = HEAD_BYTES
  /** Numbers of statements, in the whole generation. */
  readonly #texts = new Map<string, number>()

  /** Bytes so far, head included. */
  get bytes(): number {
    return this.#at
  }

  get empty(): boolean {
    return this.#at === HEAD_BYTES
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(aligned(Math.max(this.#buffer.length * 2, this.#at + bytes)))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }

  #u8(value: number): void {
    this.#buffer[this.#at++] = value
  }

  #bytes(bytes: Uint8Array): void {
    this.#room(bytes.length + 4)
    this.#buffer.writeUInt32LE(bytes.length, this.#at)
    this.#buffer.set(bytes, this.#at + 4)
    this.#at += 4 + bytes.length
  }

  #string(text: string): void {
    this.#room(text.length * 3 + 4)
    const length = this.#buffer.write(text, this.#at + 4, 'utf8')
    this.#buffer.writeUInt32LE(length, this.#at)
    this.#at += 4 + length
  }

  /** A statement that was carried out, with its values. */
  statement(text: string, values: readonly Value[]): void {
    const number = this.#texts.get(text) ?? this.#define(text)
    this.#room(5)
    this.#u8(Entry.statement)
    this.#at = this.#buffer.writeUInt16LE(number, this.#at)
    this.#at = this.#buffer.writeUInt16LE(values.length, this.#at)
    for (const value of values) {
      this.#room(9)
      if (typeof value === 'number') {
        this.#u8(Kind.number)
        this.#at = this.#buffer.writeDoubleLE(value, this.#at)
      } else if (typeof value === 'string') {
        this.#u8(Kind.string)
        this.#string(value)
      } else if (value === null) this.#u8(Kind.null)
      else {
        this.#u8(Kind.bytes)
        this.#bytes(value)
      }
    }
  }

  #define(text: string): number {
    const number = this.#texts.size
    this.#texts.set(text, number)
    this.#room(1)
    this.#u8(Entry.text)
    this.#string(text)
    return number
  }

  /** Bytes of an original, and where they lie. */
  record(segment: number, offset: number, parts: readonly Uint8Array[], length: number): void {
    this.#room(21 + length)
    this.#u8(Entry.record)
    this.#at = this.#buffer.writeDoubleLE(segment, this.#at)
    this.#at = this.#buffer.writeDoubleLE(offset, this.#at)
    this.#at = this.#buffer.writeUInt32LE(length, this.#at)
    for (const part of parts) {
      this.#buffer.set(part, this.#at)
      this.#at += part.length
    }
  }

  /** A place to come back to. */
  mark(): () => void {
    const at = this.#at
    const known = this.#texts.size
    return () => {
      this.#at = at
      if (this.#texts.size > known) for (const text of [...this.#texts.keys()].slice(known)) this.#texts.delete(text)
    }
  }

  /** The whole frame, up to its alignment; the next `statement` or `record` writes over it. */
  finish(generation: number, number: number): Uint8Array {
    const end = aligned(this.#at)
    this.#room(end - this.#at)
    const buffer = this.#buffer
    buffer.fill(0, this.#at, end)
    buffer.writeUInt32LE(MAGIC, 0)
    buffer.writeUInt32LE(this.#at - HEAD_BYTES, 4)
    buffer.writeDoubleLE(generation, 8)
    buffer.writeUInt32LE(number, 16)
    buffer.writeUInt32LE(sumOf(buffer, this.#at), 20)
    this.#at = HEAD_BYTES
    return buffer.subarray(0, end)
  }

  /** A new generation: nothing is known. */
  clear(texts: readonly string[] = []): void {
    this.#at = HEAD_BYTES
    this.#texts.clear()
    for (const text of texts) this.#texts.set(text, this.#texts.size)
  }
}

const sumOf = (frame: Buffer, end: number): number =>
  crc32(frame.subarray(HEAD_BYTES, end), crc32(frame.subarray(0, HEAD_BYTES - 4)))

interface Frame {
  readonly number: number
  /** Where the next one begins. */
  readonly end: number
  readonly payload: Buffer
}

/** The frame of a generation at an offset; undefined when none that is whole begins there. */
export function frameAt(log: Buffer, at: number, generation: number): Frame | undefined {
  if (log.length < at + HEAD_BYTES || log.readUInt32LE(at) !== MAGIC) return undefined
  if (log.readDoubleLE(at + 8) !== generation) return undefined
  const end = at + HEAD_BYTES + log.readUInt32LE(at + 4)
  if (end > log.length) return undefined
  const frame = log.subarray(at, end)
  if (frame.readUInt32LE(20) !== sumOf(frame, frame.length)) return undefined
  return { number: frame.readUInt32LE(16), end: at + aligned(frame.length), payload: frame.subarray(HEAD_BYTES) }
}

export interface FrameReader {
  statement(text: string, values: readonly Value[]): void
  record(segment: number, offset: number, bytes: Uint8Array): void
}

/** Tells what a frame holds, in its order; `texts` are those of the frames before it, and grows. */
export function readFrame(payload: Buffer, texts: string[], into: FrameReader): void {
  let at = 0
  const u8 = (): number => payload.readUInt8(at++)
  const f64 = (): number => {
    at += 8
    return payload.readDoubleLE(at - 8)
  }
  const bytes = (): Buffer => {
    const length = payload.readUInt32LE(at)
    at += 4 + length
    return payload.subarray(at - length, at)
  }
  const value = (): Value => {
    const kind = u8()
    if (kind === Kind.null) return null
    if (kind === Kind.number) return f64()
    return kind === Kind.string ? bytes().toString('utf8') : bytes()
  }
  while (at < payload.length) {
    const kind = u8()
    if (kind === Entry.text) texts.push(bytes().toString('utf8'))
    else if (kind === Entry.statement) {
      const text = texts[payload.readUInt16LE(at)]
      const count = payload.readUInt16LE(at + 2)
      at += 4
      const values = Array.from({ length: count }, value)
      if (text === undefined) throw new RangeError('a statement without its text')
      into.statement(text, values)
    } else {
      const [segment, offset] = [f64(), f64()]
      into.record(segment, offset, bytes())
    }
  }
}
