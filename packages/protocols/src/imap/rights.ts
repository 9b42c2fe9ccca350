/** Rights of RFC 4314 §2.1 and the bits folders keep ([MS-OXCPERM] §2.2.7), both ways. */
import { Right } from '@postrider/domain'

/** Letters that stand for one bit are tied together: RFC 4314 §4. */
const groups: readonly (readonly [letters: string, bit: number])[] = [
  ['l', Right.folderVisible],
  ['r', Right.readAny],
  ['sw', Right.editAny],
  ['i', Right.create],
  ['k', Right.createSubfolder],
  ['te', Right.deleteAny],
  ['xa', Right.folderOwner],
]
/** What goes with a bit, for the programs that know only bits: who may change all may change what is his. */
const along: readonly (readonly [bit: number, more: number])[] = [
  [Right.editAny, Right.editOwned],
  [Right.deleteAny, Right.deleteOwned],
]
const NAMED = groups.reduce((all, [, bit]) => all | bit, 0)

/** RFC 2086's letters: RFC 4314 §2.1.1. They stand beside what they were divided into. */
const older: ReadonlyMap<string, string> = new Map([
  ['k', 'kc'],
  ['te', 'ted'],
])
const shown = groups.map(([letters, bit]) => [older.get(letters) ?? letters, bit] as const)

/** The rights that can be given, those that are tied together in one word: RFC 4314 §3.7. */
export const rightGroups: readonly string[] = shown.map(([letters]) => letters)

/** Every right there is. */
export const allRights: string = rightGroups.join('')

/** Bits as letters. */
export const lettersOf = (rights: number): string =>
  shown.flatMap(([letters, bit]) => ((rights & bit) === 0 ? [] : [letters])).join('')

/** Letters as bits; undefined when one is no right. `p` is one that means nothing here: nobody posts to a mailbox. */
export function bitsOf(letters: string): number | undefined {
  let bits = 0
  for (const letter of letters) {
    const found = shown.find(([group]) => group.includes(letter))
    if (found === undefined && letter !== 'p') return undefined
    bits |= found?.[1] ?? 0
  }
  return bits
}

/** A member's rights after a change: RFC 4314 §3.1. Bits that have no letter stay, unless nothing else is left. */
export function changedRights(before: number, change: '' | '+' | '-', bits: number): number {
  const named = change === '' ? bits : change === '+' ? (before & NAMED) | bits : before & NAMED & ~bits
  if (named === 0) return 0
  let after = (before & ~NAMED) | named
  for (const [bit, more] of along) after = (named & bit) === 0 ? after & ~more : after | more
  return after
}
