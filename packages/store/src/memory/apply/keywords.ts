import { DomainError, MAX_KEYWORD_LENGTH, MAX_KEYWORDS_PER_ITEM } from '@postrider/domain'

/** Keywords compare without case (RFC 9051 §2.3.2); the first spelling stays. */
const keyOf = (keyword: string): string => keyword.toLowerCase()

/** A keyword set: each once, in the order given. Throws `invalid` or `tooMany`. */
export function keywordSet(keywords: readonly string[]): readonly string[] {
  const set = new Map<string, string>()
  for (const keyword of keywords) {
    if (typeof keyword !== 'string' || keyword.length === 0 || keyword.length > MAX_KEYWORD_LENGTH) {
      throw new DomainError('invalid', `keyword ${JSON.stringify(keyword).slice(0, 80)}`)
    }
    const key = keyOf(keyword)
    if (!set.has(key)) set.set(key, keyword)
  }
  if (set.size > MAX_KEYWORDS_PER_ITEM) throw new DomainError('tooMany', `${set.size} keywords`)
  return [...set.values()]
}

/** A set with some taken out and some put in. */
export function changedKeywords(
  before: readonly string[],
  remove: readonly string[],
  add: readonly string[],
): readonly string[] {
  const out = new Set(remove.map(keyOf))
  return keywordSet([...before.filter((keyword) => !out.has(keyOf(keyword))), ...add])
}

export const sameKeywords = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((keyword, i) => keyword === b[i])
