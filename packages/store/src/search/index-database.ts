import { existsSync, rmSync } from 'node:fs'
import { Connection } from '../sqlite/connection.ts'
import {
  cutBlocks,
  type Indexed,
  openColumn,
  openDocument,
  openItems,
  packBlock,
  packDocument,
  packItems,
  splitColumn,
} from './block.ts'
import { type Document, fieldNames } from './fields.ts'
import { SEARCH_VERSION, searchSchema, searchSql } from './sql.ts'

const PAGE_BYTES = 16_384

/** Removes a search database: it is filled again from the mailbox database. */
export function removeIndex(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
}

/** Opens the search database; one of another version or a broken one is thrown away first. `onReset` hears of it. */
export function openIndex(path: string, onReset: (reason: string) => void): Connection {
  if (existsSync(path)) {
    try {
      const connection = new Connection(path)
      if (connection.pragma('user_version')[0]?.[0] === SEARCH_VERSION) {
        connection.pragma('synchronous = NORMAL')
        connection.get(searchSql.position, 'item')
        return connection
      }
      connection.close()
      onReset('other version')
    } catch (error) {
      onReset(String(error))
    }
    removeIndex(path)
  }
  const connection = new Connection(path)
  connection.pragma(`page_size = ${PAGE_BYTES}`)
  connection.pragma('journal_mode = WAL')
  connection.pragma('synchronous = NORMAL')
  connection.execute('BEGIN IMMEDIATE')
  for (const statement of searchSchema) connection.execute(statement)
  connection.execute(`PRAGMA user_version = ${SEARCH_VERSION}`)
  connection.execute('COMMIT')
  return connection
}

export const positionOf = (connection: Connection, name: 'item' | 'dead'): number =>
  (connection.get(searchSql.position, name)?.[0] as number | undefined) ?? 0

/** Documents of one mailbox to be added, ascending by item. */
export type Additions = ReadonlyMap<number, readonly Indexed[]>

/** Adds documents and moves the position, in one transaction. */
export function addDocuments(connection: Connection, additions: Additions, position: number): void {
  transaction(connection, () => {
    for (const [mailbox, documents] of additions) addTo(connection, mailbox, documents)
    connection.run(searchSql.putPosition, 'item', position)
  })
}

function addTo(connection: Connection, mailbox: number, added: readonly Indexed[]): void {
  const tail = connection
    .all(searchSql.tail, mailbox)
    .map(([item, bytes]): Indexed => ({ item: item as number, document: openDocument(bytes as Uint8Array) }))
  const { blocks, rest } = cutBlocks([...tail, ...added.filter(({ item }) => !tail.some((one) => one.item === item))])
  if (blocks.length === 0) {
    for (const { item, document } of added) connection.run(searchSql.addTail, mailbox, item, packDocument(document))
    return
  }
  connection.run(searchSql.emptyTail, mailbox)
  for (const block of blocks) writeBlock(connection, mailbox, block)
  for (const { item, document } of rest) connection.run(searchSql.addTail, mailbox, item, packDocument(document))
}

function writeBlock(connection: Connection, mailbox: number, documents: readonly Indexed[]): void {
  const { items, columns, grams } = packBlock(documents)
  const [first, last] = [items[0] as number, items.at(-1) as number]
  const [block] = connection.get(searchSql.addBlock, mailbox, first, last, packItems(items)) as readonly [number]
  connection.run(searchSql.addGrams, block, grams)
  for (const [n, field] of fieldNames.entries()) {
    connection.run(searchSql.addPart, block, n, columns.get(field) as Uint8Array)
  }
}

export interface DeadItem {
  readonly mailbox: number
  readonly item: number
}

/** Forgets items that are gone; a block that is half dead is written anew with what `lives`. Moves the position of the dead. */
export function forgetItems(
  connection: Connection,
  dead: readonly DeadItem[],
  position: number,
  lives: (item: number) => boolean,
): void {
  transaction(connection, () => {
    for (const { mailbox, item } of dead) {
      if (connection.get(searchSql.removeTail, mailbox, item) !== undefined) continue
      const row = connection.get(searchSql.blockOf, mailbox, item)
      if (row === undefined || (row[2] as number) < item) continue
      const [block, , , count, packed] = row as unknown as [number, number, number, number, Uint8Array]
      const items = openItems(packed)
      if (!items.includes(item)) continue
      if ((count + 1) * 2 < items.length) connection.run(searchSql.deadInBlock, count + 1, block)
      else rewriteBlock(connection, mailbox, block, items, lives)
    }
    connection.run(searchSql.putPosition, 'dead', position)
  })
}

function rewriteBlock(
  connection: Connection,
  mailbox: number,
  block: number,
  items: Float64Array,
  lives: (item: number) => boolean,
): void {
  const columns = fieldNames.map((_, n) => {
    const [data] = connection.get(searchSql.part, block, n) as readonly [Uint8Array]
    return splitColumn(openColumn(data))
  })
  const documents = [...items].flatMap((item, i): Indexed[] => {
    if (!lives(item)) return []
    const texts = fieldNames.map((field, n) => [field, columns[n]?.[i] ?? Buffer.alloc(0)])
    return [{ item, document: Object.fromEntries(texts) as unknown as Document }]
  })
  connection.run(searchSql.removeParts, block)
  connection.run(searchSql.removeGrams, block)
  connection.run(searchSql.removeBlock, block)
  if (documents.length > 0) writeBlock(connection, mailbox, documents)
}

export function transaction(connection: Connection, work: () => void): void {
  connection.execute('BEGIN IMMEDIATE')
  try {
    work()
    connection.execute('COMMIT')
  } catch (error) {
    if (connection.database.isTransaction) connection.execute('ROLLBACK')
    throw error
  }
}
