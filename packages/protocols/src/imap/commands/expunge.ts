import { Flag, type Packed, resultOf } from '@postrider/domain'
import { inRanges, type Ranges } from '@postrider/wire/imap'
import { no, ok, Refusal } from '../codes.ts'
import { command, selected } from '../command.ts'
import type { Session } from '../session.ts'

/** RFC 9051 §6.4.3, RFC 4315 §2.1 (UID EXPUNGE). HIGHESTMODSEQ goes with it for QRESYNC clients (RFC 7162 §3.2.9). */
export const expunge = command({
  name: 'EXPUNGE',
  states: selected,
  updates: 'none',
  async run(session, { set }) {
    writable(session)
    const { view } = session
    // Both questions travel together.
    const rows = flagsOf(session)
    rows.catch(() => {})
    await session.update(false, true)
    const wanted = set === undefined ? undefined : view.map.toUids(view.sequences(set, true))
    await removeDeleted(session, wanted, rows)
    // Where nobody else wrote meanwhile nothing is left to be read.
    await session.update(true)
    return ok('EXPUNGE completed', session.enabled.qresync ? `HIGHESTMODSEQ ${view.highestModSeq}` : undefined)
  },
})

/** Raises NO [READ-ONLY] after EXAMINE. */
export function writable(session: Session): void {
  if (session.view.readOnly) throw new Refusal(no('The mailbox is open for reading only', 'READ-ONLY'))
}

/** UIDs removed by one transaction: the owner of the mailbox must stay responsive to others. */
const REMOVE_BATCH = 1_000

async function flagsOf({ view, user, context }: Session): Promise<Packed<'uid' | 'flags'>> {
  const remembered = context.pictures.has(user.mailbox, view.folder)
  return remembered
    ? (await context.pictures.of(user.mailbox, view.folder, view.uidValidity)).rows
    : user.mailbox.scan({ folder: view.folder, columns: ['uid', 'flags'] })
}

/** Removes for good what is marked \Deleted (and in `wanted`, ranges of UIDs). */
export async function removeDeleted(
  session: Session,
  wanted: Ranges | undefined,
  flags = flagsOf(session),
): Promise<void> {
  const { view, user } = session
  const rows = await flags
  const doomed: number[] = []
  for (let i = 0; i < rows.count; i++) {
    const uid = rows.uid[i] as number
    if (((rows.flags[i] as number) & Flag.deleted) === 0 || !view.map.has(uid)) continue
    if (wanted === undefined || inRanges(wanted, uid)) doomed.push(uid)
  }
  for (let i = 0; i < doomed.length; i += REMOVE_BATCH) {
    const uids = Uint32Array.from(doomed.slice(i, i + REMOVE_BATCH))
    const applied = await user.mailbox.apply([{ op: 'remove', folder: view.folder, items: { uids } }])
    const removed = resultOf(applied, 0, 'remove')
    view.noteGone(removed.uids)
    view.ownChanges(removed.changes, applied.change)
    await session.pace()
  }
}
