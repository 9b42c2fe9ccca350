/** Where mails are and how they are marked: the operations behind mailboxIds, keywords and destroy. */
import type { FolderId, Mid, Operation } from '@postrider/domain'
import type { Call } from '../core/call.ts'
import { invalidProperties, SetError } from '../core/error.ts'
import { readMailboxId } from '../core/ids.ts'
import { isObject, type Json } from '../core/json.ts'
import { flagsOf, isKeyword, KEYWORD_BITS, type KeywordSet, keywordSet, keywordsOf } from '../view/keywords.ts'
import type { Mail, View } from '../view/view.ts'

/** The folders of a `mailboxIds`: every value true, every mailbox there, at least one: RFC 8621 §4.1.1. */
export function foldersOf(call: Call, view: View, value: Json | undefined): readonly FolderId[] {
  if (!isObject(value)) throw invalidProperties(['mailboxIds'])
  const out: FolderId[] = []
  for (const [id, there] of Object.entries(value)) {
    const folder = readMailboxId(call.resolve(id) ?? '')
    if (there !== true || folder === undefined || !view.folders.has(folder)) throw invalidProperties(['mailboxIds'])
    out.push(folder)
  }
  if (out.length === 0) throw invalidProperties(['mailboxIds'], 'a mail is in at least one mailbox')
  return [...new Set(out)]
}

/** The keywords of a `keywords` object: every value true. */
export function keywordsFrom(value: Json | undefined): KeywordSet {
  if (value === undefined || value === null) return { flags: 0, words: [] }
  if (!isObject(value) || !Object.values(value).every((one) => one === true)) throw invalidProperties(['keywords'])
  return keywordSet(Object.keys(value))
}

/** What brings a mail's marks to `want`; only marks that differ are touched. */
export function markOperations(mail: Mail, want: KeywordSet): Operation[] {
  const before = flagsOf(mail) & KEYWORD_BITS
  const differ = before ^ want.flags
  const words = Object.keys(keywordsOf(mail)).filter((word) => keywordSet([word]).words.length > 0)
  const added = want.words.filter((word) => !words.includes(word))
  const removed = words.filter((word) => !want.words.includes(word))
  if (differ === 0 && added.length === 0 && removed.length === 0) return []
  return mail.places.map(({ folder, mid, keywords }): Operation => {
    const own = keywords.filter((word) => isKeyword(word) && removed.includes(word.toLowerCase()))
    return {
      op: 'flag',
      folder,
      items: { mids: [mid] },
      set: differ & want.flags,
      clear: differ & ~want.flags,
      ...(added.length === 0 ? {} : { addKeywords: added }),
      ...(own.length === 0 ? {} : { removeKeywords: own }),
    }
  })
}

/** What brings a mail into just these folders: moves where it may, copies and removals for the rest. */
export function placeOperations(mail: Mail, want: readonly FolderId[]): Operation[] {
  const here = new Set(mail.places.map((one) => one.folder))
  const leaving = mail.places.filter((one) => !want.includes(one.folder))
  const arriving = want.filter((folder) => !here.has(folder))
  const operations: Operation[] = []
  const [source] = mail.places
  if (source === undefined) throw new SetError('notFound')
  const copies = arriving.slice(leaving.length)
  for (const to of copies) operations.push({ op: 'copy', from: source.folder, items: { mids: [source.mid] }, to })
  for (const [i, { folder, mid }] of leaving.entries()) {
    const to = arriving[i]
    operations.push(
      to === undefined
        ? { op: 'remove', folder, items: { mids: [mid] } }
        : { op: 'move', from: folder, items: { mids: [mid] }, to },
    )
  }
  return operations
}

export const removeOperations = (mail: Mail): Operation[] =>
  mail.places.map(({ folder, mid }) => ({ op: 'remove', folder, items: { mids: [mid] } }))

/**
 * Puts operations together that differ in nothing but the mail: a thousand mails read are one operation. Order among kinds is kept; those on
 * one item's content come first, before a move gives it another id.
 */
export function merged(operations: readonly Operation[]): Operation[] {
  const rank = (one: Operation): number => ['flag', 'copy', 'move', 'remove'].indexOf(one.op)
  const groups = new Map<string, { operation: Operation; mids: Mid[] }>()
  const single: Operation[] = []
  for (const operation of operations) {
    if (!('items' in operation) || !('mids' in operation.items)) {
      single.push(operation)
      continue
    }
    const { items, ...rest } = operation
    const key = JSON.stringify(rest)
    const mids = Array.from(items.mids) as Mid[]
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { operation, mids })
    else group.mids.push(...mids)
  }
  return [
    ...single,
    ...[...groups.values()]
      .sort((a, b) => rank(a.operation) - rank(b.operation))
      .map(({ operation, mids }) => ({ ...operation, items: { mids } }) as Operation),
  ]
}
