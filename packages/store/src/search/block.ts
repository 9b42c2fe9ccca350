import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { DomainError } from '@postrider/domain'
import { type Document, documentBytes, END, fieldNames, type FieldName } from './fields.ts'
import { addGrams, newGrams } from './grams.ts'

/** One document with the item row it stands for. */
export interface Indexed {
  readonly item: number
  readonly document: Document
}

/** A block closes at this many documents or bytes of text. */
export const BLOCK_DOCUMENTS = 64
export const BLOCK_BYTES = 256 * 1024
/** Largest column of one block: what a document holds at most, with room to spare. */
const MAX_COLUMN_BYTES = 64 * 1024 * 1024

export interface PackedBlock {
  /** Item rows, ascending; document n of every column is that of row n. */
  readonly items: readonly number[]
  readonly columns: ReadonlyMap<FieldName, Uint8Array>
  readonly grams: Uint8Array
}

export const isBlock = (documents: number, bytes: number): boolean =>
  documents >= BLOCK_DOCUMENTS || bytes >= BLOCK_BYTES

/** Packs documents, which come in the order of their items, column by column. */
export function packBlock(documents: readonly Indexed[]): PackedBlock {
  const grams = newGrams()
  const columns = new Map<FieldName, Uint8Array>()
  const end = Uint8Array.of(END)
  for (const field of fieldNames) {
    const column = Buffer.concat(documents.flatMap(({ document }) => [document[field], end]))
    addGrams(grams, column)
    columns.set(field, zstdCompressSync(column, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }))
  }
  return { items: documents.map(({ item }) => item), columns, grams }
}

/** A column again as it was put together. */
export function openColumn(packed: Uint8Array): Buffer {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: MAX_COLUMN_BYTES })
  } catch (cause) {
    throw new DomainError('corrupt', 'a column of the search index does not unpack', { cause })
  }
}

/** The documents of a column, one slice each. */
export function splitColumn(column: Buffer): Buffer[] {
  const documents: Buffer[] = []
  for (let at = 0; at < column.length; ) {
    const end = column.indexOf(END, at)
    documents.push(column.subarray(at, end))
    at = end + 1
  }
  return documents
}

/** Cuts a run of documents into blocks; what is left over is too little for one. */
export function cutBlocks(documents: readonly Indexed[]): {
  blocks: readonly (readonly Indexed[])[]
  rest: readonly Indexed[]
} {
  const blocks: Indexed[][] = []
  let current: Indexed[] = []
  let bytes = 0
  for (const one of documents) {
    current.push(one)
    bytes += documentBytes(one.document)
    if (!isBlock(current.length, bytes)) continue
    blocks.push(current)
    current = []
    bytes = 0
  }
  return { blocks, rest: current }
}

/** One document as bytes, for the tail: its columns in order, each closed by END. */
export const packDocument = (document: Document): Uint8Array =>
  Buffer.concat(fieldNames.flatMap((field) => [document[field], Uint8Array.of(END)]))

export function openDocument(bytes: Uint8Array): Document {
  const columns = splitColumn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  return Object.fromEntries(fieldNames.map((field, i) => [field, columns[i] ?? Buffer.alloc(0)])) as unknown as Document
}

export const packItems = (items: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(items).buffer)
export function openItems(bytes: Uint8Array): Float64Array {
  const copy = new Uint8Array(bytes)
  return new Float64Array(copy.buffer, 0, copy.length >>> 3)
}
