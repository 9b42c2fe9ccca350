/** The sort of Email/query: RFC 8621 §4.4.2. Total: the newest first where nothing else decides, the id last. */
import { baseSubject } from '@postrider/wire/mime'
import { collations } from '../core/capabilities.ts'
import { MethodError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import * as s from '../core/shape.ts'
import { MAX_SORT } from '../limits.ts'
import { hasKeyword } from '../view/keywords.ts'
import { type Mail, received, type View } from '../view/view.ts'

type Compare = (a: Mail, b: Mail) => number

export interface Sort {
  readonly kind: 'newest' | 'oldest' | 'other'
  readonly compare: Compare
  /** Needs the texts of mails. */
  readonly keys: boolean
  /** Needs conversations. */
  readonly threads: boolean
}

const comparator = s.object({
  property: s.string,
  isAscending: s.optional(s.boolean, true),
  collation: s.optional<string | undefined>(s.string, undefined),
  keyword: s.optional<string | undefined>(s.string, undefined),
})

const casemap: Readonly<Record<(typeof collations)[number], (text: string) => string>> = {
  'i;octet': (text) => text,
  'i;ascii-casemap': (text) => text.replace(/[a-z]/g, (c) => c.toUpperCase()),
  'i;unicode-casemap': (text) => text.normalize('NFKD').toUpperCase(),
}
const NEWEST: Compare = (a, b) => received(b) - received(a) || b.id - a.id

export function readSort(view: View, sort: readonly JsonObject[] | null): Sort {
  const steps = (sort ?? []).map((one, i) => step(view, one, i))
  if (steps.length > MAX_SORT) throw new MethodError('unsupportedSort', 'too many steps')
  const [first] = steps
  if (first === undefined) return { kind: 'newest', compare: NEWEST, keys: false, threads: false }
  const byReceipt = steps.length === 1 && first.property === 'receivedAt'
  return {
    kind: byReceipt ? (first.ascending ? 'oldest' : 'newest') : 'other',
    keys: steps.some((one) => one.keys),
    threads: steps.some((one) => one.threads),
    compare(a, b) {
      for (const one of steps) {
        const found = one.compare(a, b)
        if (found !== 0) return one.ascending ? found : -found
      }
      return NEWEST(a, b)
    },
  }
}

interface Step {
  readonly property: string
  readonly ascending: boolean
  readonly keys: boolean
  readonly threads: boolean
  readonly compare: Compare
}

function step(view: View, object: JsonObject, index: number): Step {
  const { property, isAscending, collation, keyword } = comparator(object, `sort/${index}`)
  const name = collations.find((one) => one === (collation ?? 'i;unicode-casemap'))
  if (name === undefined) throw new MethodError('unsupportedSort', 'unknown collation')
  const fold = casemap[name]
  const made = (compare: Compare, needs: { keys?: boolean; threads?: boolean } = {}): Step => ({
    property,
    ascending: isAscending,
    keys: needs.keys === true,
    threads: needs.threads === true,
    compare,
  })
  const text = (of: (mail: Mail) => string): Step => {
    const folded = new Map<Mail, string>()
    const value = (mail: Mail): string => {
      let known = folded.get(mail)
      if (known === undefined) {
        known = fold(of(mail))
        folded.set(mail, known)
      }
      return known
    }
    return made(
      (a, b) => {
        const [x, y] = [value(a), value(b)]
        return x < y ? -1 : x > y ? 1 : 0
      },
      { keys: true },
    )
  }
  const truth = (test: (mail: Mail, word: string) => boolean, threads: boolean): Step => {
    if (keyword === undefined)
      throw new MethodError('invalidArguments', 'the sort needs a keyword', { arguments: ['sort'] })
    const word = keyword.toLowerCase()
    return made((a, b) => Number(test(a, word)) - Number(test(b, word)), { threads })
  }
  const thread = (mail: Mail): readonly Mail[] => [...view.threadSet(mail.thread ?? '')]
  switch (property) {
    case 'receivedAt':
      return made((a, b) => received(a) - received(b))
    case 'sentAt':
      return made((a, b) => (a.keys?.sent ?? 0) - (b.keys?.sent ?? 0), { keys: true })
    case 'size':
      return made((a, b) => (a.places[0]?.size ?? 0) - (b.places[0]?.size ?? 0))
    case 'from':
      return text((mail) => mail.keys?.from ?? '')
    case 'to':
      return text((mail) => mail.keys?.to.split('; ', 1)[0] ?? '')
    case 'subject':
      return text((mail) => baseSubject(mail.keys?.subject ?? ''))
    case 'hasKeyword':
      return truth(hasKeyword, false)
    case 'allInThreadHaveKeyword':
      return truth((mail, word) => thread(mail).every((one) => hasKeyword(one, word)), true)
    case 'someInThreadHaveKeyword':
      return truth((mail, word) => thread(mail).some((one) => hasKeyword(one, word)), true)
    default:
      throw new MethodError('unsupportedSort', `no sorting by ${property.slice(0, 100)}`)
  }
}
