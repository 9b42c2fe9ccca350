import type { FolderId, SearchRequest, SearchResult } from '@postrider/domain'
import type { Statements } from '../engine/statements.ts'

/** The narrow rows a search looks at, column by column; hidden items are not among them. */
export interface SearchRows {
  readonly count: number
  readonly folder: Float64Array
  readonly uid: Float64Array
  readonly mid: Float64Array
  readonly item: Float64Array
  readonly flags: Float64Array
  readonly kw: Float64Array
  readonly change: Float64Array
  readonly size: Float64Array
  readonly received: Float64Array
  /** The items ascending, for the search of texts. */
  readonly items: Float64Array
}
const names = ['uid', 'mid', 'item', 'flags', 'kw', 'chg', 'size', 'received'] as const
const text = `SELECT ${names.map((name) => `{pack:${name}}`).join(', ')} FROM (
  SELECT ${names.join(', ')} FROM msg WHERE mbx = ? AND fid = ? AND fai = 0 ORDER BY uid) AS rows`

/** Rows of folders, ascending by folder and UID; unknown folders have none. */
export function loadRows(connection: Statements, mailbox: number, folders: readonly FolderId[]): SearchRows {
  const parts = [...new Set(folders)]
    .filter((folder) => Number.isSafeInteger(folder))
    .sort((a, b) => a - b)
    .map((folder) => ({ folder, columns: columnsOf(connection, mailbox, folder) }))
  const joined = (n: number): Float64Array => join(parts.map(({ columns }) => columns[n] as readonly number[]))
  const folder = join(parts.map(({ folder: id, columns }) => new Array<number>(columns[0]?.length ?? 0).fill(id)))
  const [uid, mid, item, flags, kw, change, size, received] = names.map((_, n) => joined(n)) as Float64Array[]
  return {
    count: folder.length,
    folder,
    uid: uid as Float64Array,
    mid: mid as Float64Array,
    item: item as Float64Array,
    flags: flags as Float64Array,
    kw: kw as Float64Array,
    change: change as Float64Array,
    size: size as Float64Array,
    received: received as Float64Array,
    items: (item as Float64Array).slice().sort(),
  }
}

/** Memory for rows kept between searches, bytes: as many as a few hundred thousand messages. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024
const ROW_BYTES = (names.length + 2) * 8
const contentText = `SELECT m.epoch, c.content_cn, c.n_total, c.n_hidden, c.uidnext FROM folder_count c
  JOIN mailbox m ON m.mbx = c.mbx WHERE c.mbx = ? AND c.fid = ?`

/** Rows kept between searches as long as nothing changes in the folders: whoever searches, searches again. Least recently used first. */
export class RowCache {
  readonly #kept = new Map<string, { readonly change: string; readonly rows: SearchRows }>()
  #bytes = 0

  load(connection: Statements, mailbox: number, folders: readonly FolderId[]): SearchRows {
    const key = `${mailbox} ${folders.join(' ')}`
    // The numbers first: rows newer than they say are read once more the next time.
    const change = folders
      .filter((folder) => Number.isSafeInteger(folder))
      .map((folder) => connection.get(contentText, mailbox, folder)?.join(' '))
      .join()
    const kept = this.#kept.get(key)
    if (kept !== undefined) this.#drop(key, kept.rows)
    const rows = kept?.change === change ? kept.rows : loadRows(connection, mailbox, folders)
    this.#kept.set(key, { change, rows })
    this.#bytes += rows.count * ROW_BYTES
    for (const [oldest, one] of this.#kept) {
      if (this.#bytes <= MAX_KEPT_BYTES) break
      this.#drop(oldest, one.rows)
    }
    return rows
  }

  #drop(key: string, rows: SearchRows): void {
    this.#kept.delete(key)
    this.#bytes -= rows.count * ROW_BYTES
  }
}

const columnsOf = (connection: Statements, mailbox: number, folder: FolderId): readonly (readonly number[])[] =>
  (connection.get(text, mailbox, folder) ?? names.map(() => '[]')).map((json) => JSON.parse(json as string) as number[])

function join(parts: readonly (readonly number[])[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** The page of hits a request asks for. `hits` are places in `rows`, ascending. */
export function pageOf(rows: SearchRows, hits: Uint32Array, request: SearchRequest): SearchResult {
  const { order, offset, limit } = request
  const { received, mid } = rows
  const ordered =
    order === 'newest' ? hits.slice().sort((a, b) => received[b]! - received[a]! || mid[b]! - mid[a]!) : hits
  const page = Array.from(ordered.subarray(offset, offset + limit))
  return {
    total: hits.length,
    mids: Float64Array.from(page, (at) => rows.mid[at] as number),
    uids: Uint32Array.from(page, (at) => rows.uid[at] as number),
    folders: Float64Array.from(page, (at) => rows.folder[at] as number),
  }
}
