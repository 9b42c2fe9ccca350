/** What one types into the search field, as a filter of Email/query (RFC 8621 §4.4.1): words, “quoted words” and operators, `-` for not. */
import type { Filter, Mailbox } from '../jmap/types.ts'

interface Term {
  readonly not: boolean
  readonly operator: string
  readonly value: string
}

/** `from:"Ada L" -is:read plan`: terms in order. */
export function terms(text: string): Term[] {
  const out: Term[] = []
  for (const match of text.matchAll(/(-)?(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/gi)) {
    const [, not, operator = '', quoted, plain] = match
    const value = quoted ?? plain ?? ''
    if (value !== '') out.push({ not: not !== undefined, operator: operator.toLowerCase(), value })
  }
  return out
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1_000, m: 1_000_000, g: 1_000_000_000 }
function bytes(value: string): number | undefined {
  const match = /^(\d+)([kmg]?)b?$/i.exec(value)
  return match === null ? undefined : Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 1)
}
function date(value: string): string | undefined {
  const parsed = new Date(
    /^\d{4}$/.test(value)
      ? `${value}-01-01T00:00:00`
      : /^\d{4}-\d\d?$/.test(value)
        ? `${value}-01T00:00:00`
        : `${value}T00:00:00`,
  )
  return Number.isNaN(parsed.getTime()) ? undefined : parsed.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** One term as a condition; undefined when it says nothing we know: then it is searched for as text. */
function condition({ operator, value }: Term, mailboxes: Iterable<Mailbox>): Filter | undefined {
  switch (operator) {
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc':
    case 'subject':
    case 'body':
      return { [operator]: value }
    case 'has':
      return /^attachments?$/i.test(value) ? { hasAttachment: true } : undefined
    case 'is': {
      const known: Readonly<Record<string, Filter>> = {
        unread: { notKeyword: '$seen' },
        read: { hasKeyword: '$seen' },
        flagged: { hasKeyword: '$flagged' },
        starred: { hasKeyword: '$flagged' },
        answered: { hasKeyword: '$answered' },
        draft: { hasKeyword: '$draft' },
      }
      return known[value.toLowerCase()]
    }
    case 'category':
      return { hasCategory: value }
    case 'before':
    case 'after':
    case 'since': {
      const at = date(value)
      return at === undefined ? undefined : { [operator === 'before' ? 'before' : 'after']: at }
    }
    case 'larger':
    case 'smaller': {
      const size = bytes(value)
      return size === undefined ? undefined : { [operator === 'larger' ? 'minSize' : 'maxSize']: size }
    }
    case 'in': {
      const wanted = value.toLowerCase()
      for (const one of mailboxes)
        if (one.role === wanted || one.name.toLowerCase() === wanted) return { inMailbox: one.id }
      return undefined
    }
    default:
      return undefined
  }
}

/** The filter, or null when nothing is asked. `within`: one mailbox only, unless the text names one itself. */
export function searchFilter(text: string, mailboxes: readonly Mailbox[], within?: string): Filter | null {
  const conditions: Filter[] = []
  const words: string[] = []
  let named = false
  for (const term of terms(text)) {
    const known = condition(term, mailboxes)
    if (known !== undefined && term.operator === 'in') named = true
    const asked = known ?? { text: term.operator === '' ? term.value : `${term.operator}:${term.value}` }
    if (term.not) conditions.push({ operator: 'NOT', conditions: [asked] })
    else if (known === undefined && !/\s/.test(term.value)) words.push(String((asked as { text: string }).text))
    else conditions.push(asked)
  }
  for (const word of words) conditions.push({ text: word })
  if (conditions.length === 0) return null
  if (within !== undefined && !named) conditions.unshift({ inMailbox: within })
  return conditions.length === 1 ? (conditions[0] as Filter) : { operator: 'AND', conditions }
}
