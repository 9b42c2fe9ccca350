import type { Ranges, ReturnOptions } from '@postrider/wire/imap'
import { formatInOrder, formatRanges, partialSlice, rangesOf } from '@postrider/wire/imap'
import type { Session } from '../session.ts'

/** What was found, in the order to be told: sequence numbers, and the highest mod-sequence when it was asked for. */
export interface Found {
  readonly sequences: readonly number[]
  /** Mod-sequences of `sequences`, only when the program named MODSEQ (RFC 7162 §3.1.5). */
  readonly modSeqs: readonly number[] | undefined
}

/** `* SEARCH` or `* SORT`: RFC 3501 §7.2.5, RFC 5256 §4. */
export async function writeNumbers(
  session: Session,
  name: 'SEARCH' | 'SORT',
  found: Found,
  uid: boolean,
): Promise<void> {
  const { out } = session
  out.ascii(`* ${name}`)
  for (const [i, sequence] of found.sequences.entries()) {
    out.ascii(' ').number(uid ? session.view.map.uidOf(sequence) : sequence)
    if ((i & 2047) === 2047) await session.pace()
  }
  if (found.modSeqs !== undefined && found.modSeqs.length > 0) {
    out.ascii(' (MODSEQ ').number(largest(found.modSeqs)).ascii(')')
  }
  out.crlf()
}

/**
 * `* ESEARCH`: RFC 4731 §3.1, RFC 9051 §7.3.4, RFC 9394 §3.1. `sorted`: MIN and MAX mean first and last in the sort order (RFC 5267 §3.1), and ALL keeps
 * the order.
 */
export function writeEsearch(
  session: Session,
  tag: string,
  returns: ReturnOptions,
  found: Found,
  uid: boolean,
  sorted = false,
): void {
  const { out, view } = session
  const { sequences, modSeqs } = found
  const number = (sequence: number): number => (uid ? view.map.uidOf(sequence) : sequence)
  const first = sequences[0]
  const last = sequences.at(-1)
  out.ascii('* ESEARCH (TAG ').string(tag).ascii(')')
  if (uid) out.ascii(' UID')
  if (returns.min && first !== undefined) out.ascii(' MIN ').number(number(first))
  if (returns.max && last !== undefined) out.ascii(' MAX ').number(number(last))
  if (returns.count) out.ascii(' COUNT ').number(sequences.length)
  if (returns.all && first !== undefined) {
    const numbers = sequences.map(number)
    out.ascii(' ALL ').ascii(sorted ? formatInOrder(numbers) : formatRanges(rangesOf(numbers)))
  }
  const window = windowOf(returns, sequences)
  if (returns.partial !== undefined && window !== undefined) {
    const numbers = window.map(number)
    out.ascii(` PARTIAL (${returns.partial.text} `)
    if (numbers.length === 0) out.ascii('NIL)')
    else out.ascii(sorted ? formatInOrder(numbers) : formatRanges(rangesOf(numbers))).ascii(')')
  }
  if (modSeqs !== undefined && first !== undefined) {
    const wide = returns.all || returns.count
    const ends = [
      ...(returns.min ? [modSeqs[0]] : []),
      ...(returns.max ? [modSeqs.at(-1)] : []),
      ...(windowOf(returns, modSeqs) ?? []),
    ]
    const told = wide || ends.length === 0 ? modSeqs : ends.filter((one) => one !== undefined)
    out.ascii(' MODSEQ ').number(largest(told))
  }
  out.crlf()
}

/** What PARTIAL leaves of a list; undefined when nobody asked for it. */
function windowOf({ partial }: ReturnOptions, list: readonly number[]): readonly number[] | undefined {
  return partial === undefined ? undefined : list.slice(...partialSlice(partial, list.length))
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), 0)
}

/** What SAVE keeps: RFC 5182 §2.1 and §2.4, RFC 9394 §3.2; with MIN, MAX and PARTIAL alone only these. */
export function saved(session: Session, returns: ReturnOptions, sequences: readonly number[]): Ranges {
  const window = windowOf(returns, sequences)
  const narrow = (returns.min || returns.max || window !== undefined) && !returns.all && !returns.count
  const kept = narrow
    ? [...(returns.min ? sequences.slice(0, 1) : []), ...(returns.max ? sequences.slice(-1) : []), ...(window ?? [])]
    : sequences
  const uids = kept.map((sequence) => session.view.map.uidOf(sequence)).sort((a, b) => a - b)
  return rangesOf(uids)
}
