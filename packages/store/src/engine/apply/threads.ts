import {
  HintKind,
  joinThread,
  MAX_MERGED,
  type Mid,
  type NewItem,
  readThreadEntry,
  THREADS,
  threadEntry,
} from '@postrider/domain'
import { read } from '../sql/read.ts'
import { write } from '../sql/write.ts'
import type { Context } from './context.ts'
import { forgetReady } from './ready.ts'
import { rowOf, tombstone, writeRow } from './placing.ts'

/** Puts a new item into the conversation its keys belong to; conversations that it shows to be one become one. */
export function threaded(context: Context, item: NewItem): NewItem {
  const { thread, promoted } = item
  if (thread === undefined || thread.length === 0) return item
  const { connection, mailbox } = context
  const entriesOf = (keys: readonly string[]) => {
    const sets = keys.map((key) => [mailbox.id, THREADS, key])
    const rows = connection.many(read.stateOf, sets)
    return rows.map((row) => (row === undefined ? undefined : readThreadEntry(row[0] as Uint8Array)))
  }
  const { conversation, entries, merged } = joinThread(thread, entriesOf)
  for (const [key, to] of entries) connection.run(write.putState, mailbox.id, THREADS, key, threadEntry(to))
  for (const before of merged) {
    for (const [mid] of connection.all(read.conversationMids, mailbox.id, before, MAX_MERGED)) {
      rethread(context, mid as Mid, conversation)
    }
  }
  return { ...item, promoted: { ...promoted, conversation } }
}

/** Moves one item to another conversation: it keeps its mid, its UID is new, because THREADID of a UID stays (RFC 8474 §5.2). */
function rethread(context: Context, mid: Mid, conversation: string): void {
  const { connection, mailbox, journal } = context
  const found = rowOf(context, mid)
  if (found === undefined) return
  const { folder, row } = found
  connection.run(write.removeMsg, mailbox.id, folder.id, row.uid)
  mailbox.count(journal, folder, row, -1)
  forgetReady(context, folder, [row])
  tombstone(context, folder, row, 'renumbered')
  const uid = mailbox.nextUid(journal, folder)
  const change = mailbox.contentChange(journal, folder, HintKind.added | HintKind.changed)
  const next = { ...row, uid, change, cn: change }
  writeRow(connection, mailbox.id, folder.id, next)
  mailbox.count(journal, folder, next, 1)
  connection.run(write.rethreadItem, uid, conversation, row.item)
}
