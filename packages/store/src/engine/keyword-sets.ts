import { DomainError, MAX_KEYWORD_LENGTH, MAX_KEYWORDS_PER_ITEM } from '@postrider/domain'
import type { Statements } from './statements.ts'
import type { Journal } from './journal.ts'
import { read } from './sql/read.ts'
import { write } from './sql/write.ts'

/** Keywords compare without case (RFC 9051 §2.3.2); the first spelling stays. */
const keyOf = (keyword: string): string => keyword.toLowerCase()

/** A keyword set: each once, in the order given. Throws `invalid` or `tooMany`. */
export function keywordSet(keywords: readonly string[]): readonly string[] {
  if (keywords.length === 0) return keywords
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

/** The interned keyword sets of one mailbox: rows hold the number of a set. 0 is the empty set. */
export class KeywordSets {
  readonly #connection: Statements
  readonly #mailbox: number
  readonly #words = new Map<number, readonly string[]>([[0, []]])
  readonly #numbers = new Map<string, number>([['[]', 0]])

  constructor(connection: Statements, mailbox: number) {
    this.#connection = connection
    this.#mailbox = mailbox
    for (const row of connection.all(read.keywordSets, mailbox)) {
      this.#words.set(row[0] as number, JSON.parse(row[1] as string) as string[])
      this.#numbers.set(row[1] as string, row[0] as number)
    }
  }

  words(kw: number): readonly string[] {
    const words = this.#words.get(kw)
    if (words === undefined) throw new DomainError('corrupt', `keyword set ${kw} of mailbox ${this.#mailbox}`)
    return words
  }

  /** The number of a set, made when it is new. */
  number(journal: Journal, words: readonly string[]): number {
    if (words.length === 0) return 0
    const text = JSON.stringify(words)
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const kw = this.#words.size
    this.#connection.run(write.addKeywordSet, this.#mailbox, kw, text)
    journal.set(this.#words, kw, words)
    journal.set(this.#numbers, text, kw)
    return kw
  }
}
