import { joinThread, MAX_MERGED, type NewItem, readThreadEntry, THREADS, threadEntry } from '@postrider/domain'
import type { Context } from './index.ts'
import { putState } from './small.ts'

/** Puts a new item into the conversation its keys belong to; conversations that it shows to be one become one. */
export function threaded(context: Context, item: NewItem): NewItem {
  const { thread, promoted } = item
  if (thread === undefined || thread.length === 0) return item
  const { mailbox, transaction } = context
  const states = mailbox.states.get(THREADS)
  const entriesOf = (keys: readonly string[]) =>
    keys.map((key) => {
      const value = states?.get(key)
      return value === undefined ? undefined : readThreadEntry(value)
    })
  const within = (key: string) =>
    [...mailbox.rows.values()].filter((row) => row.content.promoted.conversation === key).sort((a, b) => a.mid - b.mid)
  const { conversation, entries, merged } = joinThread(thread, entriesOf)
  for (const [key, to] of entries) putState(context, { op: 'putState', client: THREADS, key, value: threadEntry(to) })
  for (const before of merged) {
    for (const row of within(before).slice(0, MAX_MERGED)) {
      mailbox.count(transaction, row, -1)
      mailbox.renumber(transaction, row)
      row.content = { ...row.content, promoted: { ...row.content.promoted, conversation } }
      mailbox.count(transaction, row, 1)
      mailbox.stamp(transaction, row, false)
    }
  }
  return { ...item, promoted: { ...promoted, conversation } }
}
