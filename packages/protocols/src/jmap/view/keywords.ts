/** Keywords of JMAP (RFC 8621 §4.1.1) and the flags of a placement. */
import { Flag, type FlagName, MAX_KEYWORDS_PER_ITEM } from '@postrider/domain'
import { SetError } from '../core/error.ts'
import { record } from '../core/json.ts'
import { MAX_KEYWORD } from '../limits.ts'
import type { Mail } from './view.ts'

/** IMAP's \Deleted has no keyword: RFC 8621 §4.1.1. */
export const flagKeywords = {
  seen: '$seen',
  answered: '$answered',
  flagged: '$flagged',
  draft: '$draft',
  forwarded: '$forwarded',
  mdnSent: '$mdnsent',
  junk: '$junk',
  notJunk: '$notjunk',
} as const satisfies Partial<Record<FlagName, string>>

const bits = new Map<string, number>(
  Object.entries(flagKeywords).map(([name, keyword]) => [keyword, Flag[name as FlagName]]),
)
/** All bits that are keywords. */
export const KEYWORD_BITS: number = [...bits.values()].reduce((all, bit) => all | bit, 0)

/** RFC 8621 §4.1.1: 1 to 255 characters of %x21-7e, but for those IMAP has other uses for. */
export const isKeyword = (text: string): boolean =>
  text.length <= MAX_KEYWORD && /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|~]+$/.test(text)

export interface KeywordSet {
  readonly flags: number
  readonly words: readonly string[]
}

/** Sorts keywords into bits and words; raises a SetError for what is none or too much. */
export function keywordSet(keywords: Iterable<string>): KeywordSet {
  let flags = 0
  const words = new Set<string>()
  for (const one of keywords) {
    const keyword = one.toLowerCase()
    if (!isKeyword(keyword)) throw new SetError('invalidProperties', 'not a keyword', { properties: ['keywords'] })
    const bit = bits.get(keyword)
    if (bit === undefined) words.add(keyword)
    else flags |= bit
  }
  if (words.size > MAX_KEYWORDS_PER_ITEM) throw new SetError('tooManyKeywords')
  return { flags, words: [...words] }
}

/** Flag bits of a mail: read is what is read in every folder it is in; every other mark counts wherever it stands. */
export function flagsOf(mail: Mail): number {
  const { places } = mail
  const first = places[0]?.flags ?? 0
  if (places.length === 1) return first
  const any = places.reduce((all, one) => all | one.flags, 0)
  return places.every((one) => (one.flags & Flag.seen) !== 0) ? any : any & ~Flag.seen
}

export const hasKeyword = (mail: Mail, keyword: string): boolean => {
  const bit = bits.get(keyword)
  if (bit !== undefined) return (flagsOf(mail) & bit) !== 0
  return mail.places.some((one) => one.keywords.some((word) => word.toLowerCase() === keyword))
}

/** The `keywords` property. */
export function keywordsOf(mail: Mail): Record<string, true> {
  const flags = flagsOf(mail)
  const out = record<true>()
  for (const [keyword, bit] of bits) if ((flags & bit) !== 0) out[keyword] = true
  for (const place of mail.places)
    for (const word of place.keywords) if (isKeyword(word)) out[word.toLowerCase()] = true
  return out
}

/** Unread for the counters of a mailbox: RFC 8621 §2, neither $seen nor $draft. */
export const isUnread = (mail: Mail): boolean => (flagsOf(mail) & (Flag.seen | Flag.draft)) === 0
