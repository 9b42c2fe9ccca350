import type { Value } from '../engine/statements.ts'
import { ColumnValues, columnTypes } from './bulk.ts'
import { escapeText, numberText } from './values.ts'

const FIRST_BYTES = 64 * 1024
/** A buffer that grew beyond this is given back after use. */
const KEPT_BYTES = 4 * 1024 * 1024

/**
 * Frontend messages of the extended query protocol (PostgreSQL documentation, "Message Formats"), many in one buffer: a batch of
 * statements is one write to the socket.
 */
export class Frames {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES)
  #length = 0

  parse(name: string, text: string): void {
    const at = this.#begin(0x50)
    this.#string(name)
    this.#string(text)
    this.#int16(0)
    this.#end(at)
  }

  describeStatement(name: string): void {
    const at = this.#begin(0x44)
    this.#room(1)
    this.#buffer[this.#length++] = 0x53
    this.#string(name)
    this.#end(at)
  }

  bind(name: string, values: readonly (Value | ColumnValues)[]): void {
    const at = this.#begin(0x42)
    this.#string('')
    this.#string(name)
    this.#int16(values.length)
    for (const value of values) this.#int16(value instanceof Uint8Array || value instanceof ColumnValues ? 1 : 0)
    this.#int16(values.length)
    for (const value of values) {
      if (value instanceof ColumnValues) this.#array(value)
      else this.#value(value)
    }
    this.#int16(0)
    this.#end(at)
  }

  execute(): void {
    const at = this.#begin(0x45)
    this.#string('')
    this.#int32(0)
    this.#end(at)
  }

  sync(): void {
    this.#end(this.#begin(0x53))
  }

  /** All messages since the last call; the writer begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#length))
    this.#length = 0
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(FIRST_BYTES)
    return taken
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }

  #begin(kind: number): number {
    this.#room(5)
    this.#buffer[this.#length] = kind
    this.#length += 5
    return this.#length - 4
  }

  #end(at: number): void {
    this.#buffer.writeInt32BE(this.#length - at, at)
  }

  #int16(value: number): void {
    this.#room(2)
    this.#length = this.#buffer.writeUInt16BE(value, this.#length)
  }

  #int32(value: number): void {
    this.#room(4)
    this.#length = this.#buffer.writeInt32BE(value, this.#length)
  }

  #string(text: string): void {
    this.#room(text.length * 3 + 1)
    this.#length += this.#buffer.write(text, this.#length)
    this.#buffer[this.#length++] = 0
  }

  /** An array of one dimension in its binary form (array_recv): numbers as eight bytes, texts and bytes as they are. */
  #array({ type, values }: ColumnValues): void {
    this.#int32(0)
    const at = this.#length
    this.#int32(1)
    this.#int32(1)
    this.#int32(columnTypes[type].oid)
    this.#int32(values.length)
    this.#int32(1)
    for (const value of values) {
      if (typeof value === 'number') this.#int64(value)
      else this.#value(value)
    }
    this.#buffer.writeInt32BE(this.#length - at, at - 4)
  }

  #int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw new TypeError(`not a whole number: ${value}`)
    const high = Math.floor(value / 2 ** 32)
    this.#room(12)
    this.#length = this.#buffer.writeInt32BE(8, this.#length)
    this.#length = this.#buffer.writeInt32BE(high, this.#length)
    this.#length = this.#buffer.writeUInt32BE(value - high * 2 ** 32, this.#length)
  }

  #value(value: Value): void {
    if (value === null) {
      this.#int32(-1)
      return
    }
    if (value instanceof Uint8Array) {
      this.#int32(value.length)
      this.#room(value.length)
      this.#buffer.set(value, this.#length)
      this.#length += value.length
      return
    }
    const text = typeof value === 'number' ? numberText(value) : escapeText(value)
    this.#room(text.length * 3 + 4)
    const at = this.#length
    this.#length += 4
    this.#length += this.#buffer.write(text, this.#length)
    this.#buffer.writeInt32BE(this.#length - at - 4, at)
  }
}
