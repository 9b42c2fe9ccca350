import { ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { type Found, saved, writeEsearch, writeNumbers } from '../search/answer.ts'
import { sortMessages } from '../search/sort.ts'
import { find } from './search.ts'

/** RFC 5256 §3, RFC 5957 (DISPLAYFROM, DISPLAYTO), RFC 5267 §3 (RETURN). */
export const sort = command({
  name: 'SORT',
  states: selected,
  capability: 'SORT',
  updates: 'noExpunge',
  async run(session, { tag, uid, returns, criteria, key }) {
    const found = await find(session, key)
    const sequences = await sortMessages(session, found.sequences, criteria)
    const modSeqs = found.modSeqs && reorder(found.sequences, found.modSeqs, sequences)
    const sorted: Found = { sequences, modSeqs }
    if (returns?.save === true) session.view.saved = saved(session, returns, sequences)
    if (returns === undefined) await writeNumbers(session, 'SORT', sorted, uid)
    else if (returns.min || returns.max || returns.all || returns.count || returns.partial !== undefined) {
      writeEsearch(session, tag, returns, sorted, uid, true)
    }
    return ok('SORT completed')
  },
})

function reorder(from: readonly number[], values: readonly number[], to: readonly number[]): number[] {
  const bySequence = new Map(from.map((sequence, i) => [sequence, values[i] as number]))
  return to.map((sequence) => bySequence.get(sequence) ?? 0)
}
