import type { Connection } from './connection.ts'

/** Pages of 8 KiB: the compromise of storage.md §1.2. */
const PAGE_BYTES = 8192

/** What a file of tables is from the beginning: the size of its pages, and a write-ahead log. */
export function layOut(connection: Connection): void {
  connection.pragma(`page_size = ${PAGE_BYTES}`)
  connection.pragma('auto_vacuum = NONE')
  connection.pragma('journal_mode = WAL')
}
