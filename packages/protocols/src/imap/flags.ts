import { ALL_FLAGS, Flag, type FlagName, imapFlagNames, MAX_KEYWORDS_PER_ITEM } from '@postrider/domain'
import { isKeyword } from '@postrider/wire/imap'
import { no, Refusal } from './codes.ts'

/** Flags of a message: bits for those the domain knows, strings for the client's own keywords. */
export interface FlagSet {
  readonly bits: number
  readonly keywords: readonly string[]
}

const names = Object.keys(Flag) as FlagName[]
const bitOf = new Map(names.map((name) => [imapFlagNames[name].toLowerCase(), Flag[name]]))
/** Every flag with a bit of its own, in the order they are written. */
export const KNOWN_FLAGS = names.map((name) => imapFlagNames[name])

/** Sorts a client's flags into bits and keywords; raises NO [LIMIT] beyond what an item may carry. */
export function flagSet(flags: readonly string[]): FlagSet {
  let bits = 0
  const keywords: string[] = []
  for (const flag of flags) {
    const bit = bitOf.get(flag.toLowerCase())
    if (bit !== undefined) bits |= bit
    else if (!keywords.some((one) => one.toLowerCase() === flag.toLowerCase())) keywords.push(flag)
  }
  if (keywords.length > MAX_KEYWORDS_PER_ITEM || keywords.some((one) => !isKeyword(one))) {
    throw new Refusal(no('Too many keywords, or too long ones', 'LIMIT'))
  }
  return { bits, keywords }
}

/** The bit of a flag's name, undefined for a keyword. */
export function flagBit(name: string): number | undefined {
  return bitOf.get(name.toLowerCase())
}

const listsOfBits: (string | undefined)[] = []

function bitNames(bits: number): string {
  const known = bits & ALL_FLAGS
  listsOfBits[known] ??= names
    .filter((name) => (known & Flag[name]) !== 0)
    .map((name) => imapFlagNames[name])
    .join(' ')
  return listsOfBits[known] as string
}

/** `(\Seen $Forwarded)`. Keywords that are no atoms (another protocol's categories) cannot be shown and are left out. */
export function flagList(bits: number, keywords: readonly string[]): string {
  const own = keywords.filter(isKeyword).join(' ')
  const known = bitNames(bits)
  return `(${known}${known !== '' && own !== '' ? ' ' : ''}${own})`
}

/** Flag lists for the rows of one packed answer, each made once. */
export class FlagLists {
  readonly #sets: readonly (readonly string[])[]
  readonly #made: (string | undefined)[] = []

  constructor(keywordSets: readonly (readonly string[])[]) {
    this.#sets = keywordSets
  }

  /** The list of one row: its bits, and its index into the keyword sets. */
  of(bits: number, keywords: number): string {
    const key = keywords * (ALL_FLAGS + 1) + (bits & ALL_FLAGS)
    this.#made[key] ??= flagList(bits, this.#sets[keywords] ?? [])
    return this.#made[key]
  }
}
