import {
  DomainError,
  MAX_SEARCH_DEPTH,
  MAX_SEARCH_NODES,
  type SearchQuery,
  type SearchRequest,
} from '@postrider/domain'

/** The variant of a query that has kind `K` (some variants have several). */
export type QueryOf<K, Q = SearchQuery> = Q extends { kind: infer Kinds } ? (K extends Kinds ? Q : never) : never
export type QueryKind = SearchQuery['kind']

/** What it costs to look: the narrow row, the fat row, the text. An `and` asks the cheap questions first. */
export const Cost = { narrow: 0, fat: 1, text: 2 } as const

const costs: { readonly [K in QueryKind]: number } = {
  all: Cost.narrow,
  and: Cost.narrow,
  or: Cost.narrow,
  not: Cost.narrow,
  text: Cost.text,
  header: Cost.text,
  flags: Cost.narrow,
  keyword: Cost.narrow,
  received: Cost.narrow,
  sent: Cost.fat,
  size: Cost.narrow,
  uid: Cost.narrow,
  mid: Cost.narrow,
  modseq: Cost.narrow,
  class: Cost.fat,
  conversation: Cost.fat,
  attachments: Cost.fat,
  importance: Cost.fat,
}

/** The cost of the dearest question in a tree. */
export function costOf(query: SearchQuery): number {
  if (query.kind === 'not') return costOf(query.of)
  if (query.kind === 'and' || query.kind === 'or') return Math.max(Cost.narrow, ...query.of.map(costOf))
  return costs[query.kind]
}

/** Throws `invalid` for a request that makes no sense, a tree beyond the limits or a question of unknown kind. */
export function checkRequest({ query, offset, limit }: SearchRequest): void {
  let nodes = 0
  const walk = (one: SearchQuery, depth: number): void => {
    nodes++
    if (depth > MAX_SEARCH_DEPTH || nodes > MAX_SEARCH_NODES) throw new DomainError('invalid', 'search too complex')
    if (!Object.hasOwn(costs, one.kind)) throw new DomainError('invalid', `search kind ${String(one.kind)}`)
    if (one.kind === 'not') walk(one.of, depth + 1)
    else if (one.kind === 'and' || one.kind === 'or') for (const part of one.of) walk(part, depth + 1)
  }
  walk(query, 1)
  if (!(offset >= 0) || !(limit >= 0)) throw new DomainError('invalid', `offset ${offset}, limit ${limit}`)
}
