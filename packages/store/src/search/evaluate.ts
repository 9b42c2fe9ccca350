import type { SearchQuery, SearchRequest, SearchResult } from '@postrider/domain'
import type { Statements } from '../engine/statements.ts'
import { read } from '../engine/sql/read.ts'
import { type FieldName, fieldsOf } from './fields.ts'
import { headerNeedle, type Needle, substringNeedle, wordNeedles } from './needle.ts'
import { costOf, type QueryKind, type QueryOf } from './query.ts'
import { loadRows, pageOf, type RowCache, type SearchRows } from './rows.ts'

/** Answers which of some items (ascending) have all needles somewhere in the fields. */
export interface TextMatcher {
  match(items: Float64Array, fields: readonly FieldName[], needles: readonly Needle[]): Promise<ReadonlySet<number>>
}

/** Columns of the fat row that questions look at. */
interface FatRow {
  readonly sent: number | undefined
  readonly class: string
  readonly attachments: boolean
  readonly importance: number
  readonly conversation: string
}
const fatText = `SELECT sent, class, has_attachments, importance, conversation FROM item WHERE item = ?`

const within = (n: number | undefined, { from, before }: { from?: number; before?: number }): boolean =>
  n !== undefined && (from === undefined || n >= from) && (before === undefined || n < before)

/** A question that one row answers: given everything, makes the test of a row. */
type RowTests = {
  readonly [K in Exclude<QueryKind, 'and' | 'or' | 'not' | 'text' | 'header'>]: (
    search: Evaluation,
    query: QueryOf<K>,
  ) => (at: number) => boolean
}

const rowTests: RowTests = {
  all: () => () => true,
  flags:
    ({ rows: { flags } }, { set, clear }) =>
    (at) =>
      (flags[at]! & set) === set && (flags[at]! & clear) === 0,
  keyword: (search, { name }) => {
    const sets = search.keywordSetsWith(name)
    return (at) => sets.has(search.rows.kw[at] as number)
  },
  received:
    ({ rows: { received } }, query) =>
    (at) =>
      within(received[at], query),
  size:
    ({ rows: { size } }, { larger, smaller }) =>
    (at) =>
      (larger === undefined || size[at]! > larger) && (smaller === undefined || size[at]! < smaller),
  uid:
    ({ rows: { uid } }, { ranges }) =>
    (at) =>
      ranges.some(([low, high]) => uid[at]! >= low && uid[at]! <= high),
  mid: ({ rows: { mid } }, { mids }) => {
    const wanted = new Set<number>(mids)
    return (at) => wanted.has(mid[at] as number)
  },
  modseq:
    ({ rows: { change } }, { from }) =>
    (at) =>
      change[at]! >= from,
  sent: (search, query) => (at) => within(search.fat(at).sent, query),
  class: (search, { prefix }) => {
    const wanted = prefix.toLowerCase()
    return (at) => search.fat(at).class.toLowerCase().startsWith(wanted)
  },
  conversation:
    (search, { id }) =>
    (at) =>
      search.fat(at).conversation === id,
  attachments:
    (search, { has }) =>
    (at) =>
      search.fat(at).attachments === has,
  importance:
    (search, { value }) =>
    (at) =>
      search.fat(at).importance === value,
}

const nothing: FatRow = { sent: undefined, class: '', attachments: false, importance: 1, conversation: '' }

/** One search over one mailbox. */
class Evaluation {
  readonly rows: SearchRows
  readonly #connection: Statements
  readonly #mailbox: number
  readonly #texts: TextMatcher
  readonly #fat = new Map<number, FatRow>()

  constructor(connection: Statements, mailbox: number, rows: SearchRows, texts: TextMatcher) {
    this.#connection = connection
    this.#mailbox = mailbox
    this.rows = rows
    this.#texts = texts
  }

  keywordSetsWith(name: string): ReadonlySet<number> {
    const wanted = name.toLowerCase()
    const sets = this.#connection.all(read.keywordSets, this.#mailbox)
    const having = sets.filter(([, words]) =>
      (JSON.parse(words as string) as string[]).some((word) => word.toLowerCase() === wanted),
    )
    return new Set(having.map(([kw]) => kw as number))
  }

  fat(at: number): FatRow {
    const item = this.rows.item[at] as number
    let fat = this.#fat.get(item)
    if (fat === undefined) {
      const row = this.#connection.get(fatText, item)
      fat =
        row === undefined
          ? nothing
          : {
              sent: (row[0] ?? undefined) as number | undefined,
              class: row[1] as string,
              attachments: row[2] === 1,
              importance: row[3] as number,
              conversation: row[4] as string,
            }
      this.#fat.set(item, fat)
    }
    return fat
  }

  /** Those of `subset` (places in the rows, ascending) that the query is true of. */
  async hits(query: SearchQuery, subset: Uint32Array): Promise<Uint32Array> {
    if (subset.length === 0) return subset
    switch (query.kind) {
      case 'and': {
        let left = subset
        for (const one of [...query.of].sort((a, b) => costOf(a) - costOf(b))) left = await this.hits(one, left)
        return left
      }
      case 'or': {
        let left = subset
        for (const one of [...query.of].sort((a, b) => costOf(a) - costOf(b))) {
          left = without(left, await this.hits(one, left))
        }
        return without(subset, left)
      }
      case 'not':
        return without(subset, await this.hits(query.of, subset))
      case 'text': {
        const needles = query.match === 'substring' ? [substringNeedle(query.value)] : wordNeedles(query.value)
        return needles.length === 0 ? subset : this.#textHits(subset, fieldsOf[query.field], needles)
      }
      case 'header':
        return this.#textHits(subset, ['head'], [headerNeedle(query.name, query.value)])
      default: {
        const test = rowTests[query.kind] as (search: Evaluation, query: SearchQuery) => (at: number) => boolean
        return subset.filter(test(this, query))
      }
    }
  }

  async #textHits(subset: Uint32Array, fields: readonly FieldName[], needles: readonly Needle[]): Promise<Uint32Array> {
    const { rows } = this
    const whole = subset.length === rows.count
    const items = whole ? rows.items : Float64Array.from(subset, (at) => rows.item[at] as number).sort()
    const found = await this.#texts.match(items, fields, needles)
    if (found.size === 0) return new Uint32Array(0)
    return subset.filter((at) => found.has(this.rows.item[at] as number))
  }
}

/** What is in `all` and not in `some`; both ascending. */
function without(all: Uint32Array, some: Uint32Array): Uint32Array {
  let next = 0
  return all.filter((at) => {
    if (some[next] !== at) return true
    next++
    return false
  })
}

/** Runs a checked request over the mailbox database; `texts` answers questions about text, `load` reads the rows. */
export async function evaluate(
  connection: Statements,
  mailbox: number,
  request: SearchRequest,
  texts: TextMatcher,
  load: Pick<RowCache, 'load'> = { load: loadRows },
): Promise<SearchResult> {
  const rows = load.load(connection, mailbox, request.folders)
  const evaluation = new Evaluation(connection, mailbox, rows, texts)
  const all = Uint32Array.from({ length: rows.count }, (_, at) => at)
  return pageOf(rows, await evaluation.hits(request.query, all), request)
}
