import {
  DomainError,
  MAX_SEARCH_DEPTH,
  MAX_SEARCH_NODES,
  type SearchQuery,
  type SearchRequest,
  type SearchResult,
} from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import type { Row } from '../rows.ts'
import { newestFirst } from './scan.ts'
import { headerValues, textOf } from './text.ts'

/** The variant of a query that has kind `K` (some variants have several). */
type Of<K, Q = SearchQuery> = Q extends { kind: infer Kinds } ? (K extends Kinds ? Q : never) : never
type Matchers = { readonly [K in SearchQuery['kind']]: (mailbox: Mailbox, row: Row, query: Of<K>) => boolean }

const within = (n: number | undefined, { from, before }: { from?: number; before?: number }): boolean =>
  n !== undefined && (from === undefined || n >= from) && (before === undefined || n < before)

/** How each kind of query looks at a row. */
const matchers: Matchers = {
  all: () => true,
  and: (mailbox, row, query) => query.of.every((one) => matches(mailbox, row, one)),
  or: (mailbox, row, query) => query.of.some((one) => matches(mailbox, row, one)),
  not: (mailbox, row, query) => !matches(mailbox, row, query.of),
  text: (mailbox, row, { field, value, match }) =>
    match === 'substring'
      ? textOf(mailbox, row, field).some((text) => contains(text, value))
      : hasWords(textOf(mailbox, row, field), value),
  header: (mailbox, row, { name, value }) => headerValues(mailbox, row, name).some((text) => contains(text, value)),
  flags: (_, row, { set, clear }) => (row.flags & set) === set && (row.flags & clear) === 0,
  keyword: (_, row, { name }) => row.keywords.some((keyword) => keyword.toLowerCase() === name.toLowerCase()),
  received: (_, row, query) => within(row.received, query),
  sent: (_, row, query) => within(row.content.promoted.sent, query),
  size: (_, row, { larger, smaller }) =>
    (larger === undefined || row.size > larger) && (smaller === undefined || row.size < smaller),
  uid: (_, row, { ranges }) => ranges.some(([low, high]) => row.uid >= low && row.uid <= high),
  mid: (_, row, { mids }) => mids.includes(row.mid),
  modseq: (_, row, { from }) => row.change >= from,
  class: (_, row, { prefix }) => row.content.promoted.class.toLowerCase().startsWith(prefix.toLowerCase()),
  conversation: (_, row, { id }) => row.content.promoted.conversation === id,
  attachments: (_, row, { has }) => row.content.promoted.hasAttachments === has,
  importance: (_, row, { value }) => row.content.promoted.importance === value,
}

function matches(mailbox: Mailbox, row: Row, query: SearchQuery): boolean {
  const matcher = matchers[query.kind] as (mailbox: Mailbox, row: Row, query: SearchQuery) => boolean
  return matcher(mailbox, row, query)
}

/** Case-insensitive: RFC 9051 §6.4.4. Composed and decomposed letters are equal. */
const folded = (text: string): string => text.normalize('NFC').toLowerCase()
const contains = (text: string, value: string): boolean => folded(text).includes(folded(value))

const wordsOf = (text: string): string[] => folded(text).match(/[\p{L}\p{N}\p{M}]+/gu) ?? []

/** Every word is there; the last one may be the start of a word. */
function hasWords(texts: readonly string[], value: string): boolean {
  const wanted = wordsOf(value)
  const prefix = wanted.pop()
  if (prefix === undefined) return true
  const words = new Set(texts.flatMap(wordsOf))
  return wanted.every((word) => words.has(word)) && [...words].some((word) => word.startsWith(prefix))
}

/** Throws `invalid` for a tree beyond the limits or of unknown kind. */
function check(query: SearchQuery): void {
  let nodes = 0
  const walk = (one: SearchQuery, depth: number): void => {
    nodes++
    if (depth > MAX_SEARCH_DEPTH || nodes > MAX_SEARCH_NODES) throw new DomainError('invalid', 'search too complex')
    if (!Object.hasOwn(matchers, one.kind)) throw new DomainError('invalid', `search kind ${String(one.kind)}`)
    if (one.kind === 'not') walk(one.of, depth + 1)
    else if (one.kind === 'and' || one.kind === 'or') for (const part of one.of) walk(part, depth + 1)
  }
  walk(query, 1)
}

export function search(mailbox: Mailbox, request: SearchRequest): SearchResult {
  const { query, order, offset, limit } = request
  check(query)
  if (!(offset >= 0) || !(limit >= 0)) throw new DomainError('invalid', `offset ${offset}, limit ${limit}`)
  const hits: Row[] = []
  for (const id of [...new Set(request.folders)].sort((a, b) => a - b)) {
    for (const row of mailbox.folders.get(id)?.rows.values() ?? []) {
      if (!row.associated && matches(mailbox, row, query)) hits.push(row)
    }
  }
  if (order === 'newest') hits.sort(newestFirst)
  const page = hits.slice(offset, offset + limit)
  return {
    total: hits.length,
    mids: Float64Array.from(page, (row) => row.mid),
    uids: Uint32Array.from(page, (row) => row.uid),
    folders: Float64Array.from(page, (row) => row.folder),
  }
}
