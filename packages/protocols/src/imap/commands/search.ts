import { NO_RANGES, type SearchKey } from '@postrider/wire/imap'
import { bad, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { type Found, saved, writeEsearch, writeNumbers } from '../search/answer.ts'
import { evaluate } from '../search/evaluate.ts'
import type { Session } from '../session.ts'

/** RFC 9051 §6.4.4, RFC 4731 (RETURN), RFC 5182 (SAVE), RFC 9394 (PARTIAL), RFC 7162 §3.1.5 (MODSEQ). */
export const search = command({
  name: 'SEARCH',
  states: selected,
  updates: 'noExpunge',
  async run(session, { tag, uid, returns, charset, key }) {
    const { view, enabled } = session
    // RFC 6855 §3: everything is UTF-8 then, and a charset could only contradict.
    if (charset && enabled.utf8Accept) return bad('No CHARSET after ENABLE UTF8=ACCEPT')
    if (returns?.save === true && !usesSaved(key)) view.saved = NO_RANGES
    const found = await find(session, key)
    // RFC 9051 §7.3.4: a rev2 client never sees the old SEARCH line.
    const told =
      returns ?? (enabled.rev2 ? { min: false, max: false, all: true, count: false, save: false } : undefined)
    if (returns?.save === true) view.saved = saved(session, returns, found.sequences)
    if (told === undefined) await writeNumbers(session, 'SEARCH', found, uid)
    else if (told.min || told.max || told.all || told.count || told.partial !== undefined)
      writeEsearch(session, tag, told, found, uid)
    return ok('SEARCH completed')
  },
})

/** Runs a program; the sequence numbers come ascending. */
export async function find(session: Session, key: SearchKey): Promise<Found> {
  const mask = await evaluate(session, key)
  const sequences: number[] = []
  for (let i = 1; i < mask.length; i++) if (mask[i] === 1) sequences.push(i)
  if (!names(key, 'modseq')) return { sequences, modSeqs: undefined }
  session.enableCondstore()
  return { sequences, modSeqs: await modSeqsOf(session, sequences) }
}

async function modSeqsOf(session: Session, sequences: readonly number[]): Promise<number[]> {
  const { view, user } = session
  const rows = await user.mailbox.scan({ folder: view.folder, columns: ['uid', 'change'] })
  const bySequence = new Map<number, number>()
  for (let i = 0; i < rows.count; i++)
    bySequence.set(view.map.sequenceOf(rows.uid[i] as number), rows.change[i] as number)
  return sequences.map((sequence) => bySequence.get(sequence) ?? 0)
}

function names(key: SearchKey, kind: SearchKey['kind']): boolean {
  const stack: SearchKey[] = [key]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.kind === kind) return true
    if (next.kind === 'and') stack.push(...next.keys)
    else if (next.kind === 'or') stack.push(next.left, next.right)
    else if (next.kind === 'not') stack.push(next.key)
  }
  return false
}

/** RFC 5182 §2.1: the old result may be part of the question. */
function usesSaved(key: SearchKey): boolean {
  const stack: SearchKey[] = [key]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.kind === 'set' && next.set.kind === 'saved') return true
    if (next.kind === 'and') stack.push(...next.keys)
    else if (next.kind === 'or') stack.push(next.left, next.right)
    else if (next.kind === 'not') stack.push(next.key)
  }
  return false
}
