import type { Column } from '@postrider/domain'
import { type CommandOf, type Ranges, rangesOf, resolveRanges } from '@postrider/wire/imap'
import { bad, no, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { fetchColumns, type Rows } from '../fetch/columns.ts'
import { fetchItems, ITEM_BATCH } from '../fetch/items.ts'
import { type ColumnAttribute, type FetchPlan, planFetch } from '../fetch/plan.ts'
import type { Session } from '../session.ts'
import { EVERY_UID, modSeqOf, tellVanished } from '../view/resync.ts'
import { type Window, windows } from '../view/uid-map.ts'

/** Messages whose columns are read at once. */
const COLUMN_BATCH = 8_192

/** RFC 9051 §6.4.5, with CHANGEDSINCE and VANISHED of RFC 7162. */
export const fetch = command({
  name: 'FETCH',
  states: selected,
  updates: 'noExpunge',
  async run(session, args) {
    const { view, enabled } = session
    if (args.vanished && !(enabled.qresync && args.uid && args.changedSince !== undefined)) {
      return bad('VANISHED needs QRESYNC, UID FETCH and CHANGEDSINCE')
    }
    const plan = planFor(args)
    if (args.changedSince !== undefined || plan.steps.some((step) => 'name' in step && step.name === 'MODSEQ')) {
      enabled.condstore = true
    }
    let sequences = view.sequences(args.set, args.uid)
    if (args.changedSince !== undefined) {
      if (args.vanished) {
        const known = args.set.kind === 'ranges' ? resolveRanges(args.set.ranges, view.map.last) : EVERY_UID
        await tellVanished(session, view, args.changedSince, known, view.map.last + 1)
      }
      sequences = await changedOnly(session, sequences, args.changedSince)
    }
    const missing = await run(session, plan, sequences)
    if (missing && !args.uid) return no('Some of the messages no longer exist', 'EXPUNGEISSUED')
    return ok('FETCH completed')
  },
})

function planFor(args: CommandOf<'FETCH'>): FetchPlan {
  const extra: ColumnAttribute[] = []
  if (args.uid) extra.push('UID')
  if (args.changedSince !== undefined) extra.push('MODSEQ')
  return planFetch(args.attributes, extra)
}

async function changedOnly(session: Session, sequences: Ranges, changedSince: number): Promise<Ranges> {
  const { view, user } = session
  const rows = await user.mailbox.scan({
    folder: view.folder,
    columns: ['uid'],
    changedSince: modSeqOf(changedSince),
  })
  const changed = view.map.toSequences(rangesOf(rows.uid))
  return intersect(sequences, changed)
}

function intersect(a: Ranges, b: Ranges): Ranges {
  const out: number[] = []
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const low = Math.max(a[i] as number, b[k] as number)
    const high = Math.min(a[i + 1] as number, b[k + 1] as number)
    if (low <= high) out.push(low, high)
    if ((a[i + 1] as number) < (b[k + 1] as number)) i += 2
    else k += 2
  }
  return Uint32Array.from(out)
}

/** True when some of the messages were gone. */
async function run(session: Session, plan: FetchPlan, sequences: Ranges): Promise<boolean> {
  const { view } = session
  let missing = false
  for (const window of windows(view.map, sequences, plan.columnsOnly ? COLUMN_BATCH : ITEM_BATCH)) {
    missing = !(await one(session, plan, window)) || missing
  }
  return missing
}

async function one(session: Session, plan: FetchPlan, window: Window): Promise<boolean> {
  if (!plan.columnsOnly) return (await fetchItems(session, plan, window)) === window.uids.length
  const rows = await scanWindow(session, plan.columns, window)
  // An item without an original has a size only when it is made into a message: the longer way, for its window.
  if (plan.columns.includes('size') && rows.size.includes(0)) {
    const rendered = { ...plan, itemColumns: ['original', 'index'] as const }
    let found = 0
    for (let i = 0; i < window.uids.length; i += ITEM_BATCH) {
      const part = { uids: window.uids.slice(i, i + ITEM_BATCH), sequences: window.sequences.slice(i, i + ITEM_BATCH) }
      found += await fetchItems(session, rendered, part)
    }
    return found === window.uids.length
  }
  return (await fetchColumns(session, plan, window, rows)) === window.uids.length
}

/** One range of UIDs where the window has no gaps in its numbers, else the UIDs one by one. */
async function scanWindow(session: Session, columns: readonly Column[], { uids, sequences }: Window): Promise<Rows> {
  const { view, user } = session
  const last = uids.length - 1
  const dense = (sequences[last] as number) - (sequences[0] as number) === last
  const where = dense ? { uids: [uids[0] as number, uids[last] as number] as const } : { only: uids }
  // Only the columns asked for are there; the emitters of a plan read no others.
  return (await user.mailbox.scan({ folder: view.folder, columns, ...where })) as Rows
}
