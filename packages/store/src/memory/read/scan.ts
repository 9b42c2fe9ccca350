import { DomainError, type Packed, type ScanColumn, type ScanRequest, type Uid } from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import type { FolderRow, Row } from '../rows.ts'
import { pack } from './pack.ts'

/** Newest received first, the mid as last key. */
export const newestFirst = (a: { received: number; mid: number }, b: { received: number; mid: number }): number =>
  b.received - a.received || b.mid - a.mid

function candidates(folder: FolderRow, only: Uint32Array | undefined): Iterable<Row> {
  if (only === undefined) return folder.rows.values()
  const uids = [...new Set(only)].sort((a, b) => a - b)
  return uids.map((uid) => folder.rows.get(uid as Uid)).filter((row) => row !== undefined)
}

export function scan<C extends ScanColumn>(mailbox: Mailbox, request: ScanRequest<C>): Packed<C> {
  const { uids, changedSince, received, after, limit } = request
  const newest = request.order === 'newest'
  if (after !== undefined && !newest) throw new DomainError('invalid', "'after' needs order 'newest'")
  if (limit !== undefined && !(limit >= 0)) throw new DomainError('invalid', `limit ${limit}`)
  const rows: Row[] = []
  for (const row of candidates(mailbox.folder(request.folder), request.only)) {
    if (row.associated && request.associated !== true) continue
    if (uids !== undefined && (row.uid < uids[0] || row.uid > uids[1])) continue
    if (changedSince !== undefined && row.change <= changedSince) continue
    if (received?.from !== undefined && row.received < received.from) continue
    if (received?.before !== undefined && row.received >= received.before) continue
    if (after !== undefined && newestFirst(after, row) >= 0) continue
    rows.push(row)
  }
  if (newest) rows.sort(newestFirst)
  return pack(limit === undefined ? rows : rows.slice(0, limit), request.columns)
}
