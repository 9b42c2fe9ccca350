/**
 * What the device has of one collection: placement id → mark (see ItemClass.marks). Kept in chunks by id, so that a new mail
 * rewrites a few kilobytes however large the folder is, and with an undo list, so that the state before the last answer
 * can be had back when that answer was lost.
 */
import type { Mid, Operation, StateEntry } from '@postrider/domain'

/** Ids of one chunk: ids are dealt out by the mailbox, so a folder's are spread. */
const chunkSpan = 8192

/** A mark for an item that was skipped because it cannot be shown: it is known, and never sent. */
export const skippedMark = 0

/** Before-image of an entry that was not there. */
const absent = -1

export type Undo = readonly (readonly [mid: number, before: number])[]

export class Ledger {
  readonly #chunks = new Map<number, Map<number, number>>()
  readonly #dirty = new Set<number>()
  #undo = new Map<number, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(mid: Mid): boolean {
    return this.get(mid) !== undefined
  }

  get(mid: Mid): number | undefined {
    return this.#chunks.get(Math.floor(mid / chunkSpan))?.get(mid)
  }

  set(mid: Mid, mark: number): void {
    this.#put(mid, mark, true)
  }

  delete(mid: Mid): void {
    this.#put(mid, absent, true)
  }

  *mids(): Generator<Mid> {
    for (const chunk of this.#chunks.values()) for (const mid of chunk.keys()) yield mid as Mid
  }

  /** What was before, for every entry touched since the last call of `begin`. */
  undo(): Undo {
    return [...this.#undo]
  }

  /** Starts recording anew. */
  begin(): void {
    this.#undo = new Map()
  }

  /** Takes back what an undo list says. */
  rollBack(undo: Undo): void {
    for (const [mid, before] of undo) this.#put(mid as Mid, before, false)
  }

  /** True when something is to be written. */
  get dirty(): boolean {
    return this.#dirty.size > 0
  }

  /** The operations that store what changed. */
  operations(client: string, prefix: string): Operation[] {
    const operations: Operation[] = []
    for (const index of this.#dirty) {
      const chunk = this.#chunks.get(index)
      const key = `${prefix}${index.toString(36)}`
      if (chunk === undefined || chunk.size === 0) operations.push({ op: 'deleteState', client, key })
      else operations.push({ op: 'putState', client, key, value: encodeChunk(index, chunk) })
    }
    return operations
  }

  /** Reads the entries whose keys begin with `prefix`; damaged ones make the whole undefined (Status 3, start over). */
  static load(entries: readonly StateEntry[], prefix: string): Ledger | undefined {
    const ledger = new Ledger()
    for (const { key, value } of entries) {
      if (!key.startsWith(prefix)) continue
      const index = Number.parseInt(key.slice(prefix.length), 36)
      const chunk = decodeChunk(index, value)
      if (chunk === undefined) return undefined
      ledger.#chunks.set(index, chunk)
      ledger.#size += chunk.size
    }
    return ledger
  }

  #put(mid: Mid, mark: number, record: boolean): void {
    const index = Math.floor(mid / chunkSpan)
    let chunk = this.#chunks.get(index)
    const before = chunk?.get(mid)
    if (before === mark || (before === undefined && mark === absent)) return
    if (chunk === undefined) {
      chunk = new Map()
      this.#chunks.set(index, chunk)
    }
    if (record && !this.#undo.has(mid)) this.#undo.set(mid, before ?? absent)
    this.#dirty.add(index)
    if (mark === absent) {
      chunk.delete(mid)
      this.#size--
    } else {
      chunk.set(mid, mark)
      if (before === undefined) this.#size++
    }
  }
}

/** A chunk is a version byte, then per entry: offset in the chunk (2 bytes), mark (7 bytes), big-endian. */
const chunkVersion = 1
const entryBytes = 9

function encodeChunk(index: number, chunk: ReadonlyMap<number, number>): Buffer {
  const bytes = Buffer.alloc(1 + chunk.size * entryBytes)
  bytes[0] = chunkVersion
  let at = 1
  for (const [mid, mark] of chunk) {
    bytes.writeUInt16BE(mid - index * chunkSpan, at)
    bytes.writeUIntBE(Math.floor(mark / 2 ** 32), at + 2, 3)
    bytes.writeUInt32BE(mark % 2 ** 32, at + 5)
    at += entryBytes
  }
  return bytes
}

function decodeChunk(index: number, value: Uint8Array): Map<number, number> | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (!Number.isSafeInteger(index) || bytes[0] !== chunkVersion || (bytes.length - 1) % entryBytes !== 0)
    return undefined
  const chunk = new Map<number, number>()
  for (let at = 1; at < bytes.length; at += entryBytes) {
    const mark = bytes.readUIntBE(at + 2, 3) * 2 ** 32 + bytes.readUInt32BE(at + 5)
    chunk.set(index * chunkSpan + bytes.readUInt16BE(at), mark)
  }
  return chunk
}
