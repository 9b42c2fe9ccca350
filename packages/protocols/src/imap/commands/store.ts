import { ALL_FLAGS, type Operation, type ResultOf, resultOf, type Uid } from '@postrider/domain'
import { type CommandOf, formatRanges, rangesOf } from '@postrider/wire/imap'
import { no, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { flagSet } from '../flags.ts'
import type { Session } from '../session.ts'
import { modSeqOf } from '../view/resync.ts'
import { windows } from '../view/uid-map.ts'
import { reportColumns, type View } from '../view/view.ts'
import { writable } from './expunge.ts'

/** Messages changed by one transaction. */
const STORE_BATCH = 2_000

/** RFC 9051 §6.4.6, with UNCHANGEDSINCE of RFC 7162 §3.1.3. */
export const store = command({
  name: 'STORE',
  states: selected,
  updates: 'noExpunge',
  async run(session, args) {
    writable(session)
    if (args.unchangedSince !== undefined) session.enableCondstore()
    const { view } = session
    const sequences = view.sequences(args.set, args.uid)
    // Asked in the same breath as for the first change, so before it: then only our own changes are new, and their echo need not be told (see View.ownChanges).
    const looked = session.update(false, true)
    const change = changeOf(args)
    const modified: number[] = []
    let missed = false
    for (const window of windows(view.map, sequences, STORE_BATCH)) {
      const uids = window.uids
      const applying = session.user.mailbox.apply([{ op: 'flag', folder: view.folder, items: { uids }, ...change }])
      // Told below.
      applying.catch(() => {})
      await looked
      const applied = await applying
      const result = resultOf(applied, 0, 'flag')
      for (const uid of result.conflicts) modified.push(uid)
      const alone = view.ownChanges(result.changes, applied.change)
      if (alone && view.knows(change))
        session.context.pictures.flagged(session.user.mailbox, view.folder, result, applied.change)
      if (!args.silent && alone && result.uids.length === uids.length && view.knows(change))
        await view.tellFlags(session, rowsOf(result), args.uid)
      else if (!args.silent) missed = !(await tellAll(session, uids, args.uid, result.conflicts)) || missed
      else if (session.enabled.condstore) tellModSeq(session, result.uids, result.changes, args.uid)
      await session.pace()
    }
    await looked
    if (modified.length > 0) {
      const failed = modified.sort((a, b) => a - b)
      const text = args.uid ? rangesOf(failed) : view.map.toSequences(rangesOf(failed))
      return ok('Some had changed and were left alone', `MODIFIED ${formatRanges(text)}`)
    }
    if (missed && !args.uid) return no('Some of the messages no longer exist', 'EXPUNGEISSUED')
    return ok('STORE completed')
  },
})

type FlagChange = Omit<Extract<Operation, { op: 'flag' }>, 'op' | 'folder' | 'items'>

function changeOf(args: CommandOf<'STORE'>): FlagChange {
  const { bits, keywords } = flagSet(args.flags)
  const condition = args.unchangedSince === undefined ? {} : { unchangedSince: modSeqOf(args.unchangedSince) }
  if (args.action === 'add') return { set: bits, addKeywords: keywords, ...condition }
  if (args.action === 'remove') return { clear: bits, removeKeywords: keywords, ...condition }
  return { set: bits, clear: ALL_FLAGS & ~bits, keywords, ...condition }
}

/** Rows that all changed and have no keywords, as a scan would read them. */
const rowsOf = ({ uids, flags, changes }: ResultOf<'flag'>): Parameters<View['tellFlags']>[1] => ({
  count: uids.length,
  uid: uids,
  flags,
  keywords: new Uint32Array(uids.length),
  change: changes,
  keywordSets: [[]],
})

/** The new state of every message named, changed or not; false when some are gone. */
async function tellAll(
  session: Session,
  uids: Uint32Array,
  withUid: boolean,
  conflicts: Uint32Array,
): Promise<boolean> {
  const { view } = session
  const rows = await session.user.mailbox.scan({ folder: view.folder, columns: reportColumns, only: uids })
  const left = new Set<number>(conflicts)
  await view.tellFlags(session, rows, withUid, (row) => left.has(rows.uid[row] as number))
  return rows.count === uids.length
}

/** RFC 7162 §3.1.3: even a silent STORE tells the new mod-sequences. */
function tellModSeq(session: Session, uids: ArrayLike<Uid | number>, changes: Float64Array, withUid: boolean): void {
  const { out, view } = session
  for (let i = 0; i < uids.length; i++) {
    const uid = uids[i] as number
    out.ascii('* ').number(view.map.sequenceOf(uid)).ascii(' FETCH (')
    if (withUid || session.enabled.qresync) out.ascii('UID ').number(uid).ascii(' ')
    out
      .ascii('MODSEQ (')
      .number(changes[i] as number)
      .ascii('))\r\n')
  }
}
