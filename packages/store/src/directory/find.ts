import type { GroupEntry, MailboxEntry } from '@postrider/domain'

export type Recipient = MailboxEntry | GroupEntry

/** Without accents and case, so that `Zoe` finds `Zoë`. */
const fold = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
const wordsOf = (text: string): string[] =>
  fold(text)
    .split(/[\s,;<>()"]+/)
    .filter((word) => word !== '')

function words(entry: Recipient): Set<string> {
  const found = new Set<string>()
  const add = (text: string): void => {
    for (const word of wordsOf(text)) found.add(word)
  }
  add(entry.displayName)
  for (const address of [entry.address, ...entry.aliases]) add(address)
  if ('givenName' in entry) {
    add(entry.givenName)
    add(entry.surname)
  }
  // The parts of first.last@ are names as well.
  for (const part of fold(entry.address.slice(0, entry.address.lastIndexOf('@'))).split(/[._-]/))
    if (part !== '') found.add(part)
  return found
}

const collator = new Intl.Collator('en', { sensitivity: 'base' })
const byName = (a: Recipient, b: Recipient): number =>
  collator.compare(a.displayName, b.displayName) || (a.address < b.address ? -1 : a.address > b.address ? 1 : 0)

/**
 * Ambiguous name resolution: every word typed must be the beginning of some word of the recipient. A sorted list of all words answers it
 * by binary search; built at the first question after a change.
 */
export class AddressList {
  readonly #all: Recipient[]
  readonly #words: (readonly [word: string, at: number])[] = []
  readonly #sets: Set<string>[]

  constructor(visible: Iterable<Recipient>) {
    this.#all = [...visible].sort(byName)
    this.#sets = this.#all.map(words)
    for (const [at, set] of this.#sets.entries()) for (const word of set) this.#words.push([word, at])
    this.#words.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]))
  }

  /** Hits in the list's order. An empty text finds everybody. */
  find(text: string, limit: number): { readonly total: number; readonly entries: readonly Recipient[] } {
    const typed = wordsOf(text.slice(0, MAX_QUERY))
    if (typed.length === 0) return { total: this.#all.length, entries: this.#all.slice(0, limit) }
    typed.sort((a, b) => b.length - a.length)
    const [longest = '', ...others] = typed
    const hits = new Set<number>()
    for (let at = this.#lower(longest); at < this.#words.length; at++) {
      const [word, entry] = this.#words[at]!
      if (!word.startsWith(longest)) break
      if (others.every((other) => this.#has(entry, other))) hits.add(entry)
    }
    const order = [...hits].sort((a, b) => a - b)
    return { total: order.length, entries: order.slice(0, limit).map((at) => this.#all[at]!) }
  }

  #has(entry: number, prefix: string): boolean {
    for (const word of this.#sets[entry]!) if (word.startsWith(prefix)) return true
    return false
  }

  #lower(prefix: string): number {
    let low = 0
    let high = this.#words.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#words[middle]![0] < prefix) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Characters of a query that count. */
export const MAX_QUERY = 256
