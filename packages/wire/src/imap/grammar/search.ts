import { ImapSyntaxError } from '../errors.ts'
import { MAX_SEARCH_DEPTH, MAX_SEARCH_KEYS } from '../limits.ts'
import { type ArgumentReader, textOf } from '../reader.ts'
import type { SequenceSet } from '../sequence-set.ts'
import { type DayNumber, readDate } from './dates.ts'
import { type PartialRange, readPartialRange } from './partial.ts'

/** One search key: RFC 9051 §6.4.4, RFC 3501 §6.4.4 (NEW, OLD, RECENT), RFC 5032, RFC 7162, RFC 8474, RFC 8514. */
export type SearchKey =
  | { readonly kind: 'all' }
  | { readonly kind: 'and'; readonly keys: readonly SearchKey[] }
  | { readonly kind: 'or'; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'set'; readonly uid: boolean; readonly set: SequenceSet }
  /** A system flag (`\Seen`) or a keyword. */
  | { readonly kind: 'flag'; readonly flag: string; readonly present: boolean }
  /** `\Recent`, which no message has any more (RFC 9051 appendix A). */
  | { readonly kind: 'recent' }
  /** The named header field contains the text; the empty text asks for the field's presence. */
  | { readonly kind: 'header'; readonly field: string; readonly value: string }
  | { readonly kind: 'from' | 'to' | 'cc' | 'bcc' | 'subject' | 'body' | 'text'; readonly value: string }
  | {
      readonly kind: 'date'
      readonly date: 'internal' | 'sent' | 'saved'
      readonly compare: 'before' | 'on' | 'since'
      readonly day: DayNumber
    }
  | { readonly kind: 'size'; readonly compare: 'larger' | 'smaller'; readonly octets: number }
  | { readonly kind: 'age'; readonly compare: 'older' | 'younger'; readonly seconds: number }
  | { readonly kind: 'modseq'; readonly value: number }
  | { readonly kind: 'emailid' | 'threadid'; readonly id: string }
  | { readonly kind: 'saveDateSupported' }

/** `RETURN (...)`: RFC 4731, RFC 5182, RFC 9394. */
export interface ReturnOptions {
  readonly min: boolean
  readonly max: boolean
  readonly all: boolean
  readonly count: boolean
  readonly save: boolean
  readonly partial?: PartialRange
}

export interface SearchArguments {
  /** Undefined: the client wants the untagged SEARCH of RFC 3501. */
  readonly returns: ReturnOptions | undefined
  readonly key: SearchKey
}

/** SORT criteria: RFC 5256 §3, RFC 5957. */
export const SORT_KEYS = ['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO', 'DISPLAYFROM', 'DISPLAYTO'] as const
export type SortKey = (typeof SORT_KEYS)[number]
export interface SortCriterion {
  readonly key: SortKey
  readonly reverse: boolean
}

export const THREAD_ALGORITHMS = ['ORDEREDSUBJECT', 'REFERENCES', 'REFS'] as const
export type ThreadAlgorithm = (typeof THREAD_ALGORITHMS)[number]

/** Arguments of SEARCH, SORT and THREAD. */
export const searchCommands = {
  /** `charset`: the client named one; in SORT and THREAD it always does. */
  SEARCH: (r: ArgumentReader): SearchArguments & { charset: boolean } => {
    r.space()
    const returns = readReturn(r)
    const charset = r.takeWord('CHARSET')
    if (charset) {
      readCharset(r.space())
      r.space()
    }
    return { returns, charset, key: readProgram(r) }
  },
  SORT: (r: ArgumentReader): SearchArguments & { criteria: readonly SortCriterion[] } => {
    r.space()
    const returns = readReturn(r)
    const criteria = r.list(() => {
      const reverse = r.takeWord('REVERSE')
      if (reverse) r.space()
      const name = r.keyword()
      return { key: SORT_KEYS.find((key) => key === name) ?? r.fail('Unknown sort key'), reverse }
    }, 'filled')
    readCharset(r.space())
    r.space()
    return { returns, criteria, key: readProgram(r) }
  },
  THREAD: (r: ArgumentReader): { algorithm: ThreadAlgorithm; key: SearchKey } => {
    const name = r.space().keyword()
    const algorithm = THREAD_ALGORITHMS.find((known) => known === name) ?? r.fail('Unknown thread algorithm')
    readCharset(r.space())
    r.space()
    return { algorithm, key: readProgram(r) }
  },
} as const

/** RFC 9051 §6.4.4: US-ASCII and UTF-8 are all there is; anything else is told by BADCHARSET. */
function readCharset(r: ArgumentReader): void {
  const charset = r.astring().toUpperCase()
  if (charset !== 'UTF-8' && charset !== 'US-ASCII' && charset !== 'ASCII' && charset !== 'UTF8') {
    throw new ImapSyntaxError('Charset not supported', 'BADCHARSET')
  }
}

function readReturn(r: ArgumentReader): ReturnOptions | undefined {
  if (!r.takeWord('RETURN')) return undefined
  const chosen = new Set<string>()
  let partial: PartialRange | undefined
  r.space().list(() => {
    const name = r.keyword()
    if (!['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE', 'PARTIAL'].includes(name)) r.fail('Unknown search return option')
    if (name === 'PARTIAL') {
      if (partial !== undefined) r.fail('PARTIAL is given twice')
      partial = readPartialRange(r.space())
    }
    chosen.add(name)
  })
  r.space()
  const has = (name: string): boolean => chosen.has(name)
  // RFC 9394 §3.1: one of the two, or neither.
  if (has('ALL') && has('PARTIAL')) r.fail('Either PARTIAL or ALL')
  // RFC 4731 §3.1: an empty list means ALL.
  return {
    min: has('MIN'),
    max: has('MAX'),
    all: has('ALL') || chosen.size === 0,
    count: has('COUNT'),
    save: has('SAVE'),
    ...(partial === undefined ? {} : { partial }),
  }
}

/** Guards the recursion: linear in the input, bounded in depth. */
interface Budget {
  keys: number
  depth: number
}

function readProgram(r: ArgumentReader): SearchKey {
  const budget: Budget = { keys: 0, depth: 0 }
  const keys = [readKey(r, budget)]
  while (r.optionalSpace()) keys.push(readKey(r, budget))
  return keys.length === 1 ? (keys[0] as SearchKey) : { kind: 'and', keys }
}

function readKey(r: ArgumentReader, budget: Budget): SearchKey {
  if (++budget.keys > MAX_SEARCH_KEYS) r.fail('Search too long')
  if (++budget.depth > MAX_SEARCH_DEPTH) r.fail('Search nested too deep')
  const key = readKeyInside(r, budget)
  budget.depth--
  return key
}

function readKeyInside(r: ArgumentReader, budget: Budget): SearchKey {
  const next = r.peek()
  if (next === 0x28) {
    r.expect('(')
    const keys: SearchKey[] = []
    do {
      keys.push(readKey(r, budget))
    } while (r.optionalSpace())
    r.expect(')')
    return keys.length === 1 ? (keys[0] as SearchKey) : { kind: 'and', keys }
  }
  // A digit, `*` or `$` begins a sequence set.
  if ((next >= 0x30 && next <= 0x39) || next === 0x2a || next === 0x24) {
    return { kind: 'set', uid: false, set: r.sequenceSet() }
  }
  const name = r.keyword()
  if (name === 'NOT') return { kind: 'not', key: readKey(r.space(), budget) }
  if (name === 'OR') return { kind: 'or', left: readKey(r.space(), budget), right: readKey(r.space(), budget) }
  const read = searchKeys.get(name)
  return read === undefined ? r.fail(`Unknown search key ${name}`) : read(r)
}

type ReadKey = (r: ArgumentReader) => SearchKey

const flag = (name: string, present: boolean): ReadKey => {
  const key: SearchKey = { kind: 'flag', flag: name, present }
  return () => key
}
const value = (kind: 'from' | 'to' | 'cc' | 'bcc' | 'subject' | 'body' | 'text'): ReadKey => {
  return (r) => ({ kind, value: textOf(r.space().astring()) })
}
const date = (which: 'internal' | 'sent' | 'saved', compare: 'before' | 'on' | 'since'): ReadKey => {
  return (r) => ({ kind: 'date', date: which, compare, day: readDate(r.space()) })
}
const recent: SearchKey = { kind: 'recent' }

const searchKeys = new Map<string, ReadKey>([
  ['ALL', () => ({ kind: 'all' })],
  ['ANSWERED', flag('\\Answered', true)],
  ['UNANSWERED', flag('\\Answered', false)],
  ['DELETED', flag('\\Deleted', true)],
  ['UNDELETED', flag('\\Deleted', false)],
  ['DRAFT', flag('\\Draft', true)],
  ['UNDRAFT', flag('\\Draft', false)],
  ['FLAGGED', flag('\\Flagged', true)],
  ['UNFLAGGED', flag('\\Flagged', false)],
  ['SEEN', flag('\\Seen', true)],
  ['UNSEEN', flag('\\Seen', false)],
  ['RECENT', () => recent],
  ['NEW', () => ({ kind: 'and', keys: [recent, { kind: 'flag', flag: '\\Seen', present: false }] })],
  ['OLD', () => ({ kind: 'not', key: recent })],
  ['KEYWORD', (r) => ({ kind: 'flag', flag: r.space().flag(), present: true })],
  ['UNKEYWORD', (r) => ({ kind: 'flag', flag: r.space().flag(), present: false })],
  ['FROM', value('from')],
  ['TO', value('to')],
  ['CC', value('cc')],
  ['BCC', value('bcc')],
  ['SUBJECT', value('subject')],
  ['BODY', value('body')],
  ['TEXT', value('text')],
  ['HEADER', (r) => ({ kind: 'header', field: r.space().astring(), value: textOf(r.space().astring()) })],
  ['BEFORE', date('internal', 'before')],
  ['ON', date('internal', 'on')],
  ['SINCE', date('internal', 'since')],
  ['SENTBEFORE', date('sent', 'before')],
  ['SENTON', date('sent', 'on')],
  ['SENTSINCE', date('sent', 'since')],
  ['SAVEDBEFORE', date('saved', 'before')],
  ['SAVEDON', date('saved', 'on')],
  ['SAVEDSINCE', date('saved', 'since')],
  ['SAVEDATESUPPORTED', () => ({ kind: 'saveDateSupported' })],
  ['LARGER', (r) => ({ kind: 'size', compare: 'larger', octets: r.space().number64() })],
  ['SMALLER', (r) => ({ kind: 'size', compare: 'smaller', octets: r.space().number64() })],
  ['OLDER', (r) => ({ kind: 'age', compare: 'older', seconds: r.space().nonZero() })],
  ['YOUNGER', (r) => ({ kind: 'age', compare: 'younger', seconds: r.space().nonZero() })],
  ['UID', (r) => ({ kind: 'set', uid: true, set: r.space().sequenceSet() })],
  ['MODSEQ', readModSeq],
  ['EMAILID', (r) => ({ kind: 'emailid', id: r.space().atom() })],
  ['THREADID', (r) => ({ kind: 'threadid', id: r.space().atom() })],
])

/** `MODSEQ ["/flags/\\draft" all] 123`: we keep one number per message, so the entry changes nothing (RFC 7162 §3.1.5). */
function readModSeq(r: ArgumentReader): SearchKey {
  r.space()
  if (r.peek() === 0x22) {
    r.string()
    const type = r.space().keyword()
    if (type !== 'ALL' && type !== 'PRIV' && type !== 'SHARED') r.fail('Invalid entry type')
    r.space()
  }
  return { kind: 'modseq', value: r.number64() }
}
