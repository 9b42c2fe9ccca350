import { type ChangeNumber, changeNumber } from '@postrider/domain'
import { formatRanges, inRanges, type Ranges, rangesOf } from '@postrider/wire/imap'
import type { Picture, PictureRows } from '../pictures/picture.ts'
import type { Session } from '../session.ts'
import { CHANGES_LIMIT, type View } from './view.ts'

/** Every UID there can be. */
export const EVERY_UID: Ranges = Uint32Array.of(1, 0xffff_ffff)

const MAX_CHANGE_NUMBER = 2 ** 48 - 1

/** A client's number as a change number; one beyond all we ever give means "nothing is newer". */
export function modSeqOf(value: number): ChangeNumber {
  return changeNumber(Math.min(value, MAX_CHANGE_NUMBER))
}

/**
 * VANISHED (EARLIER): which of the `known` UIDs went away after `modSeq` (RFC 7162 §3.2.5.1, §3.2.6). False when the tombstones do not
 * reach back that far; then every known UID below `uidNext` that is not here is told. `picture`: the folder as the view has it, which may remember.
 */
export async function tellVanished(
  session: Session,
  view: View,
  modSeq: number,
  known: Ranges,
  uidNext: number,
  picture?: Picture,
): Promise<boolean> {
  const gone = new Set<number>()
  const remembered = picture?.goneAfter(modSeq)
  for (const uid of remembered ?? []) if (!view.map.has(uid) && inRanges(known, uid)) gone.add(uid)
  let since = modSeqOf(modSeq)
  while (remembered === undefined) {
    const page = await session.user.mailbox.changes({ since, folder: view.folder, limit: CHANGES_LIMIT })
    if (page.resync) {
      write(session, absent(view, known, uidNext))
      return false
    }
    for (const uid of page.gone.uid) if (!view.map.has(uid) && inRanges(known, uid)) gone.add(uid)
    since = page.upTo
    if (!page.more) break
    await session.pace()
  }
  write(session, rangesOf([...gone].sort((a, b) => a - b)))
  return true
}

/** The known UIDs below `uidNext` that are not here. */
function absent(view: View, known: Ranges, uidNext: number): Ranges {
  const lost: number[] = []
  const here = view.map.ranges
  let at = 0
  for (let i = 0; i < known.length; i += 2) {
    let low = known[i] as number
    const high = Math.min(known[i + 1] as number, uidNext - 1)
    while (at < here.length && (here[at + 1] as number) < low) at += 2
    for (let k = at; k < here.length && (here[k] as number) <= high; k += 2) {
      if ((here[k] as number) > low) lost.push(low, (here[k] as number) - 1)
      low = (here[k + 1] as number) + 1
    }
    if (low <= high) lost.push(low, high)
  }
  return Uint32Array.from(lost)
}

function write(session: Session, gone: Ranges): void {
  if (gone.length > 0) session.out.ascii('* VANISHED (EARLIER) ').ascii(formatRanges(gone)).crlf()
}

/** FETCH with UID, FLAGS and MODSEQ for the known messages that changed after `modSeq`. */
export async function tellChanged(
  session: Session,
  view: View,
  modSeq: number,
  known: Ranges,
  rows: PictureRows,
): Promise<void> {
  const skip = (row: number): boolean =>
    (rows.change[row] as number) <= modSeq || !inRanges(known, rows.uid[row] as number)
  await view.tellFlags(session, rows, true, skip)
}
