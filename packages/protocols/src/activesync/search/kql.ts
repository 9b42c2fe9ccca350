/**
 * The keyword queries of Find ([MS-KQL] §2.1, what phones use of it) as a search of the mailbox: words, "phrases", property:value, dates
 * with comparison and ranges, AND, OR, NOT and parentheses. Never fails: what is not understood is searched for as words.
 */
import type { SearchQuery, TextField } from '@postrider/domain'
import { Flag } from '@postrider/domain'

/** Characters, terms and nesting of one query that are looked at. */
export const MAX_QUERY = 2_048
export const MAX_TERMS = 64
export const MAX_NESTING = 16

type Token =
  | { readonly kind: 'open' | 'close' | 'and' | 'or' | 'not' }
  | {
      readonly kind: 'term'
      readonly property: string
      readonly operator: string
      readonly value: string
      readonly phrase: boolean
    }

const pattern = /\s*(?:([()])|([-+])?(?:(\w{1,40})\s*(:|=|<>|<=|>=|<|>)\s*)?(?:"([^"]*)"?|([^\s()"]+))|(.))/gsy

function tokens(text: string): Token[] {
  const found: Token[] = []
  let terms = 0
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [, paren, sign, property = '', operator = '', quoted, bare] = match
    if (paren !== undefined) {
      found.push({ kind: paren === '(' ? 'open' : 'close' })
      continue
    }
    const value = quoted ?? bare
    if (value === undefined || (value === '' && property === '')) continue
    const word = property === '' && quoted === undefined && sign === undefined
    if (word && (value === 'AND' || value === 'OR' || value === 'NOT')) {
      found.push({ kind: value.toLowerCase() as 'and' | 'or' | 'not' })
      continue
    }
    if (++terms > MAX_TERMS) break
    if (sign === '-') found.push({ kind: 'not' })
    found.push({ kind: 'term', property: property.toLowerCase(), operator, value, phrase: quoted !== undefined })
  }
  return found
}

/** The search a query stands for; `now` decides what "today" is. An empty query finds everything. */
export function parseKql(text: string, now: number): SearchQuery {
  const parser = new Parser(tokens(text.slice(0, MAX_QUERY)), now)
  return parser.all()
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #now: number
  #at = 0

  constructor(list: readonly Token[], now: number) {
    this.#tokens = list
    this.#now = now
  }

  all(): SearchQuery {
    const parts: SearchQuery[] = []
    // A closing parenthesis too many is passed over.
    while (this.#at < this.#tokens.length) {
      const part = this.#or(0)
      if (part !== undefined) parts.push(part)
      if (this.#peek() === 'close') this.#at++
    }
    return join('and', parts) ?? { kind: 'all' }
  }

  #peek(): Token['kind'] | undefined {
    return this.#tokens[this.#at]?.kind
  }

  #or(depth: number): SearchQuery | undefined {
    const parts: SearchQuery[] = []
    for (;;) {
      const part = this.#and(depth)
      if (part !== undefined) parts.push(part)
      if (this.#peek() !== 'or') return join('or', parts)
      this.#at++
    }
  }

  /** Terms beside each other are all wanted. */
  #and(depth: number): SearchQuery | undefined {
    const parts: SearchQuery[] = []
    for (;;) {
      const kind = this.#peek()
      if (kind === undefined || kind === 'or' || kind === 'close') return join('and', parts)
      if (kind === 'and') {
        this.#at++
        continue
      }
      const part = this.#unary(depth)
      if (part !== undefined) parts.push(part)
    }
  }

  #unary(depth: number): SearchQuery | undefined {
    let negated = false
    while (this.#peek() === 'not') {
      negated = !negated
      this.#at++
    }
    const token = this.#tokens[this.#at]
    if (token === undefined || (token.kind !== 'open' && token.kind !== 'term')) return undefined
    this.#at++
    const part = token.kind === 'term' ? this.#term(token) : this.#group(depth)
    return part !== undefined && negated ? { kind: 'not', of: part } : part
  }

  #group(depth: number): SearchQuery | undefined {
    // Deeper than anybody writes: parentheses then mean nothing.
    if (depth >= MAX_NESTING) return undefined
    const part = this.#or(depth + 1)
    if (this.#peek() === 'close') this.#at++
    return part
  }

  #term(token: Extract<Token, { kind: 'term' }>): SearchQuery {
    const { property, operator, value, phrase } = token
    const negate = (query: SearchQuery): SearchQuery => (operator === '<>' ? { kind: 'not', of: query } : query)
    const fields = textProperties.get(property)
    if (fields !== undefined && (operator === ':' || operator === '=' || operator === '<>')) {
      return negate(
        join(
          'or',
          fields.map((field) => text(field, value, phrase)),
        ) as SearchQuery,
      )
    }
    const special = property === '' ? undefined : this.#special(property, operator, value)
    if (special !== undefined) return negate(special)
    return text('text', property === '' ? value : `${property} ${value}`, phrase)
  }

  #special(property: string, operator: string, value: string): SearchQuery | undefined {
    const yes = /^(true|yes|1)$/i.test(value)
    switch (property) {
      case 'received':
      case 'sent':
        return dateQuery(property, operator, value, this.#now)
      case 'hasattachment':
      case 'hasattachments':
        return { kind: 'attachments', has: yes }
      case 'isread':
        return yes ? { kind: 'flags', set: Flag.seen, clear: 0 } : { kind: 'flags', set: 0, clear: Flag.seen }
      case 'isflagged':
        return yes ? { kind: 'flags', set: Flag.flagged, clear: 0 } : { kind: 'flags', set: 0, clear: Flag.flagged }
      case 'importance': {
        const level = ['low', 'normal', 'high'].indexOf(value.toLowerCase())
        return level < 0 ? undefined : { kind: 'importance', value: level as 0 | 1 | 2 }
      }
      case 'kind':
        return /^(email|e-mail|mail|note)s?$/i.test(value) ? { kind: 'class', prefix: 'IPM.Note' } : undefined
      default:
        return undefined
    }
  }
}

/** Properties of text: the fields each looks in. */
const textProperties: ReadonlyMap<string, readonly TextField[]> = new Map<string, readonly TextField[]>([
  ['from', ['from']],
  ['to', ['to']],
  ['cc', ['cc']],
  ['bcc', ['bcc']],
  ['recipients', ['to', 'cc', 'bcc']],
  ['participants', ['addresses']],
  ['subject', ['subject']],
  ['body', ['body']],
  ['attachment', ['attachmentName']],
  ['attachmentnames', ['attachmentName']],
])

/** A trailing star is how KQL writes a prefix; the search takes the last word as one anyway. */
const text = (field: TextField, value: string, phrase: boolean): SearchQuery => ({
  kind: 'text',
  field,
  value: phrase ? value : value.replace(/\*+$/, ''),
  match: phrase ? 'substring' : 'words',
})

function join(kind: 'and' | 'or', parts: readonly SearchQuery[]): SearchQuery | undefined {
  return parts.length > 1 ? { kind, of: parts } : parts[0]
}

const DAY = 86_400_000

/** received:2026-11-21, received>=…, received:a..b, received:today: whole days in UTC. */
function dateQuery(kind: 'received' | 'sent', operator: string, value: string, now: number): SearchQuery | undefined {
  const span = value.split('..')
  if (span.length === 2) {
    const [from, to] = [dayOf(span[0] as string, now), dayOf(span[1] as string, now)]
    if (from === undefined || to === undefined) return undefined
    return { kind, from: from.start, before: to.end }
  }
  const day = dayOf(value, now)
  if (day === undefined) return undefined
  switch (operator) {
    case '>':
      return { kind, from: day.end }
    case '>=':
      return { kind, from: day.start }
    case '<':
      return { kind, before: day.start }
    case '<=':
      return { kind, before: day.end }
    default:
      return { kind, from: day.start, before: day.end }
  }
}

/** A date as people write it, or a word for one. */
function dayOf(value: string, now: number): { start: number; end: number } | undefined {
  const today = Math.floor(now / DAY) * DAY
  switch (value.trim().toLowerCase()) {
    case 'today':
      return { start: today, end: today + DAY }
    case 'yesterday':
      return { start: today - DAY, end: today }
    case 'this week': {
      const monday = today - ((new Date(today).getUTCDay() + 6) % 7) * DAY
      return { start: monday, end: monday + 7 * DAY }
    }
    case 'last 7 days':
      return { start: today - 6 * DAY, end: today + DAY }
  }
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})/.exec(value) ?? american(value)
  if (match === null) return undefined
  const start = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  return Number.isNaN(start) ? undefined : { start, end: start + DAY }
}

/** 11/21/2026 as year, month, day. */
function american(value: string): (string | undefined)[] | null {
  const match = /^(\d{1,2})\/(\d{1,2})\/(\d{4})/.exec(value)
  return match === null ? null : [undefined, match[3], match[1], match[2]]
}
