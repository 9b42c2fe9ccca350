import { Connection } from '../sqlite/connection.ts'
import { openColumn, openDocument, openItems } from './block.ts'
import type { TextMatcher } from './evaluate.ts'
import { type Document, END, type FieldName, fieldNames } from './fields.ts'
import { mayContain, needleBits } from './grams.ts'
import { positionOf } from './index-database.ts'
import { findIn, type Needle } from './needle.ts'
import type { Sources } from './sources.ts'
import { searchSql } from './sql.ts'

/** Unpacked columns kept, bytes. */
const MAX_KEPT_BYTES = 48 * 1024 * 1024
/** How long to work before others get a turn, ms. */
const TURN_MS = 15

interface Block {
  readonly block: number
  readonly first: number
  readonly items: Float64Array
}

/** Up to this many items are read from their originals at once. */
const MANY_ITEMS = 200
/** How often to look how far the index is, and when to stop waiting for it, ms. */
const POLL_MS = 10
const STALLED_MS = 1_000

/** How many of ascending numbers are at most `limit`. */
function countUpTo(numbers: Float64Array, limit: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle]! <= limit) low = middle + 1
    else high = middle
  }
  return low
}

/** Places in `items` (ascending) of those that a block holds. */
function placesOf(items: Float64Array, block: Float64Array): number[] {
  const places: number[] = []
  for (const item of block) {
    const last = places.at(-1)
    // Neighbours in the block are mostly neighbours among the items.
    const next = last === undefined ? -1 : last + 1
    const at = next >= 0 && items[next] === item ? next : countUpTo(items, item) - 1
    if (items[at] === item) places.push(at)
  }
  return places
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Unpacked columns of all databases, least recently used first. */
export class ColumnCache {
  readonly #columns = new Map<string, Buffer>()
  #bytes = 0

  get(key: string): Buffer | undefined {
    const column = this.#columns.get(key)
    if (column === undefined) return undefined
    this.#columns.delete(key)
    this.#columns.set(key, column)
    return column
  }

  put(key: string, column: Buffer): void {
    this.#columns.set(key, column)
    this.#bytes += column.length
    for (const [old, { length }] of this.#columns) {
      if (this.#bytes <= MAX_KEPT_BYTES) break
      this.#columns.delete(old)
      this.#bytes -= length
    }
  }
}

/** Reads a search database for searches: blocks, tail, and the originals of what is not indexed yet. */
export class TextIndex {
  readonly #index: Connection
  readonly #sources: Sources
  readonly #path: string
  readonly #cache: ColumnCache
  readonly #hurry: () => void

  /** `hurry` asks the indexing thread not to pause. */
  constructor(path: string, sources: Sources, cache: ColumnCache, hurry: () => void) {
    this.#path = path
    this.#cache = cache
    this.#hurry = hurry
    this.#index = new Connection(path)
    this.#index.pragma('query_only = ON')
    this.#sources = sources
  }

  /**
   * Waits for the index when many of the items (ascending) are not in it yet: reading their originals one by one takes as long, and
   * the next search would have to do it again.
   */
  async catchUp(items: Float64Array): Promise<void> {
    const target = items.at(-1) ?? 0
    let position = positionOf(this.#index, 'item')
    let progressAt = performance.now()
    while (items.length - countUpTo(items, position) > MANY_ITEMS && performance.now() - progressAt < STALLED_MS) {
      this.#hurry()
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      const now = positionOf(this.#index, 'item')
      if (now > position) progressAt = performance.now()
      position = now
      if (position >= target) return
    }
  }

  /** The texts of one mailbox, for one search. */
  of(mailbox: number): TextMatcher {
    return new MailboxTexts(mailbox, this)
  }

  /** Documents of the tail: the newest of the mailbox. */
  tail(mailbox: number): Map<number, Document> {
    const rows = this.#index.all(searchSql.tail, mailbox)
    return new Map(rows.map(([item, bytes]) => [item as number, openDocument(bytes as Uint8Array)]))
  }

  blocks(mailbox: number, first: number, last: number): readonly Block[] {
    return this.#index.all(searchSql.blocks, mailbox, first, last).map(([block, start, , items]) => ({
      block: block as number,
      first: start as number,
      items: openItems(items as Uint8Array),
    }))
  }

  /** Undefined when the block was written anew in the meantime. */
  grams(block: number): Uint8Array | undefined {
    return this.#index.get(searchSql.grams, block)?.[0] as Uint8Array | undefined
  }

  column({ block, first, items }: Block, field: FieldName): Buffer | undefined {
    const key = `${this.#path} ${block} ${first} ${items.length} ${field}`
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const data = this.#index.get(searchSql.part, block, fieldNames.indexOf(field))?.[0]
    if (data === undefined) return undefined
    const column = openColumn(data as Uint8Array)
    this.#cache.put(key, column)
    return column
  }

  /** Straight from the mailbox database; undefined when the item is gone. */
  document(item: number): Document | undefined {
    return this.#sources.document(item)
  }

  close(): void {
    this.#index.close()
  }
}

class MailboxTexts implements TextMatcher {
  readonly #mailbox: number
  readonly #index: TextIndex
  /** Documents read from originals, for the next question of the same search. */
  readonly #read = new Map<number, Document | undefined>()
  #turn = performance.now()

  constructor(mailbox: number, index: TextIndex) {
    this.#mailbox = mailbox
    this.#index = index
  }

  async match(
    items: Float64Array,
    fields: readonly FieldName[],
    needles: readonly Needle[],
  ): Promise<ReadonlySet<number>> {
    const found = new Set<number>()
    await this.#index.catchUp(items)
    // The tail before the blocks: a document that moves on in between is then seen twice, never missed.
    const tail = this.#index.tail(this.#mailbox)
    const seen = await this.#matchBlocks(items, fields, needles, found)
    for (let at = 0; at < items.length; at++) {
      if (seen[at] === 1) continue
      const item = items[at] as number
      const document = tail.get(item) ?? (await this.#document(item))
      if (document !== undefined && hasAll(document, fields, needles)) found.add(item)
    }
    return found
  }

  async #document(item: number): Promise<Document | undefined> {
    if (this.#read.has(item)) return this.#read.get(item)
    const document = this.#index.document(item)
    this.#read.set(item, document)
    await this.#rest()
    return document
  }

  /** Looks through the blocks that hold wanted items; marks by place which items were decided there. */
  async #matchBlocks(
    items: Float64Array,
    fields: readonly FieldName[],
    needles: readonly Needle[],
    found: Set<number>,
  ): Promise<Uint8Array> {
    const seen = new Uint8Array(items.length)
    const [first, last] = [items[0], items.at(-1)]
    if (first === undefined || last === undefined) return seen
    const bits = needles.map(({ bytes, start }) => [...needleBits(bytes), ...needleBits(start ?? new Uint8Array(0))])
    for (const block of this.#index.blocks(this.#mailbox, first, last)) {
      const here = placesOf(items, block.items)
      if (here.length === 0) continue
      const hits = this.#matchBlock(block, fields, needles, bits)
      await this.#rest()
      if (hits === undefined) continue
      for (const at of here) seen[at] = 1
      for (const document of hits) {
        const item = block.items[document] as number
        const at = countUpTo(items, item) - 1
        if (items[at] === item) found.add(item)
      }
    }
    return seen
  }

  /** Numbers of the documents that have all needles; undefined when the block is no longer there. */
  #matchBlock(
    block: Block,
    fields: readonly FieldName[],
    needles: readonly Needle[],
    bits: readonly (readonly number[])[],
  ): readonly number[] | undefined {
    const grams = this.#index.grams(block.block)
    if (grams === undefined) return undefined
    if (!bits.every((needed) => mayContain(grams, needed))) return []
    const hits = needles.map(() => new Uint8Array(block.items.length))
    for (const field of fields) {
      const column = this.#index.column(block, field)
      if (column === undefined) return undefined
      for (const [n, needle] of needles.entries()) {
        const marks = hits[n] as Uint8Array
        findIn(column, needle, (document) => {
          marks[document] = 1
        })
      }
    }
    return Array.from(block.items.keys()).filter((document) => hits.every((marks) => marks[document] === 1))
  }

  /** Lets other searches on this thread have a turn. */
  async #rest(): Promise<void> {
    if (performance.now() - this.#turn < TURN_MS) return
    await nextTurn()
    this.#turn = performance.now()
  }
}

const end = Uint8Array.of(END)
const hasAll = (document: Document, fields: readonly FieldName[], needles: readonly Needle[]): boolean =>
  needles.every((needle) => fields.some((field) => hasOne(document[field], needle)))

function hasOne(text: Uint8Array, needle: Needle): boolean {
  let found = false
  findIn(Buffer.concat([text, end]), needle, () => {
    found = true
  })
  return found
}
