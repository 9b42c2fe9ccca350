import { READY_UIDS } from '@postrider/domain'
import { check as sql } from '../engine/sql/check.ts'
import { read } from '../engine/sql/read.ts'
import type { Statements } from '../engine/statements.ts'
import { Connection, isSqliteCorrupt } from './connection.ts'

/** A block of ready answers, in words. */
export const uidsOfBlock = (block: number): string => `UID ${block * READY_UIDS} to ${(block + 1) * READY_UIDS - 1}`

/** What a damaged page belongs to: the name of a table or index, by page. Pages that no tree holds any more are left out. */
export function namesOfPages(connection: Connection, pages: readonly number[]): ReadonlyMap<number, string> {
  if (pages.length === 0) return new Map()
  const marks = pages.map(() => '?').join()
  try {
    const rows = connection.all(`SELECT pageno, name, pagetype FROM dbstat WHERE pageno IN (${marks})`, ...pages)
    return new Map(rows.map(([page, name, type]) => [page as number, `${name} (${type})`]))
  } catch (error) {
    // The way to some page leads over a damaged one.
    if (!isSqliteCorrupt(error)) throw error
    return new Map()
  }
}

/** Who has each of these blobs: `mailbox 3 folder 2 UID 17`, or an entry of the queue. */
export function placesOfBlobs(connection: Statements, blobs: ReadonlySet<number>): ReadonlyMap<number, string[]> {
  const places = new Map<number, string[]>()
  if (blobs.size === 0) return places
  const add = (blob: number, place: string): void => {
    if (blobs.has(blob)) places.set(blob, [...(places.get(blob) ?? []), place])
  }
  for (const [mailbox, folder, uid, blob, extra] of connection.iterate(sql.placesOfBlobs)) {
    const place = `mailbox ${mailbox} folder ${folder} UID ${uid}`
    if (blob !== null) add(blob as number, place)
    if (extra !== null) for (const one of JSON.parse(extra as string) as number[]) add(one, place)
  }
  for (const row of connection.all(read.queueList, 0)) add(row[9] as number, `mailbox ${row[1]} queue entry ${row[0]}`)
  return places
}

/** What is wrong with a search database; undefined when nothing is. */
export function damageOfIndex(path: string): string | undefined {
  let connection: Connection | undefined
  try {
    connection = new Connection(path, { readOnly: true })
    const [line] = connection.pragma('integrity_check(1)')[0] ?? []
    return line === 'ok' ? undefined : String(line)
  } catch (error) {
    if (!isSqliteCorrupt(error)) throw error
    return error instanceof Error ? error.message : String(error)
  } finally {
    connection?.close()
  }
}
