import {
  allColumns,
  type ChangeNumber,
  type Changes,
  type ChangesRequest,
  DomainError,
  type Folder,
} from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import type { FolderRow, Gone, LogEntry, Row } from '../rows.ts'
import { pack, packGone } from './pack.ts'

export function folderOf(row: FolderRow): Folder {
  const { rows: _, children: __, props: ___, ready: ____, ...folder } = row
  return folder
}

/** The first place in the log behind `since`. */
function startOf(log: readonly LogEntry[], since: number): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((log[middle] as LogEntry).change <= since) low = middle + 1
    else high = middle
  }
  return low
}

/** Cursor 0 knows nothing, so it misses no tombstone and never has to start over. */
const tooOld = (mailbox: Mailbox, since: number): boolean => since > 0 && since < mailbox.counters.lowestChange

export function changes(mailbox: Mailbox, { since, folder, limit }: ChangesRequest): Changes {
  if (!(limit >= 1)) throw new DomainError('invalid', `limit ${limit}`)
  const resync = tooOld(mailbox, since)
  const entries: LogEntry[] = []
  let more = false
  for (let i = startOf(mailbox.log, since); i < mailbox.log.length && !resync; i++) {
    const entry = mailbox.log[i] as LogEntry
    if (!mailbox.isLive(entry) || !concerns(entry, folder)) continue
    if (entries.length >= limit) {
      more = true
      break
    }
    entries.push(entry)
  }
  const last = entries.at(-1)
  const rows: Row[] = []
  const gone: Gone[] = []
  const folders: Folder[] = []
  const goneFolders: Changes['goneFolders'][number][] = []
  for (const entry of entries) {
    if (entry.kind === 'row') rows.push(entry.row)
    else if (entry.kind === 'gone') gone.push(entry.gone)
    else if (entry.kind === 'folder') folders.push(folderOf(entry.folder))
    else goneFolders.push({ id: entry.folder, change: entry.change })
  }
  return {
    upTo: more && last !== undefined ? last.change : (mailbox.counters.change as ChangeNumber),
    more,
    resync,
    items: pack(rows, allColumns),
    gone: packGone(gone),
    folders,
    goneFolders,
  }
}

function concerns(entry: LogEntry, folder: ChangesRequest['folder']): boolean {
  if (folder === undefined) return true
  if (entry.kind === 'row') return entry.row.folder === folder
  return entry.kind !== 'gone' || entry.gone.folder === folder
}
