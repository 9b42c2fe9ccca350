/** Found words in subject and preview: SearchSnippet/get (RFC 8621 §5), for the rows looked at. */
import { type Signal, signal } from '@preact/signals'
import { app } from '../app.ts'
import type { Id, Snippet } from '../jmap/types.ts'
import type { ListQuery } from '../store/query.ts'

const found = new Map<string, Signal<Snippet | undefined>>()
let waiting: { readonly list: ListQuery; readonly ids: Set<Id> } | undefined
const KEPT = 2_000

export function snippetOf(list: ListQuery, id: Id): Signal<Snippet | undefined> {
  const key = `${list.key} ${id}`
  const known = found.get(key)
  if (known !== undefined) return known
  const made: Signal<Snippet | undefined> = signal(undefined)
  if (found.size > KEPT) found.clear()
  found.set(key, made)
  if (waiting === undefined || waiting.list !== list) {
    waiting = { list, ids: new Set() }
    const mine = waiting
    setTimeout(() => void read(mine.list, [...mine.ids]), 0)
  }
  waiting.ids.add(id)
  return made
}

async function read(list: ListQuery, emailIds: readonly Id[]): Promise<void> {
  if (waiting?.list === list) waiting = undefined
  try {
    const answer = await app.client.call('SearchSnippet/get', { filter: list.spec.filter, emailIds })
    for (const one of answer.list) {
      const place = found.get(`${list.key} ${one.emailId}`)
      if (place !== undefined) place.value = one
    }
  } catch {
    // Without highlighting the rows are the same rows.
  }
}

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
}

/** RFC 8621 §5: HTML with nothing but `<mark>`; as pieces, every second one marked. */
export const pieces = (html: string): readonly string[] =>
  html
    .split(/<mark>|<\/mark>/)
    .map((piece) => piece.replace(/&(?:lt|gt|amp|quot|#39);/g, (one) => entities[one] ?? one))
