import type { Column } from '@postrider/domain'
import {
  type CommandOf,
  intersectRanges,
  type Ranges,
  partialSlice,
  rangesOf,
  resolveRanges,
  sliceRanges,
} from '@postrider/wire/imap'
import { bad, no, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { fetchColumns, type Rows } from '../fetch/columns.ts'
import { ITEM_BATCH, type ReadItems, readItems, writeItems } from '../fetch/items.ts'
import { asksUidsOnly, pictureRows, readyTexts } from '../fetch/ready.ts'
import type { Texts } from '../pictures/texts.ts'
import { type ColumnAttribute, type FetchPlan, planFetch } from '../fetch/plan.ts'
import { type ReadWhole, readWhole, WHOLE_BATCH } from '../fetch/whole.ts'
import type { Session } from '../session.ts'
import { EVERY_UID, modSeqOf, tellVanished } from '../view/resync.ts'
import { type Window, windows } from '../view/uid-map.ts'

/** Messages whose columns are read at once. */
const COLUMN_BATCH = 4_096
/** Messages whose texts are looked up at once, and read where they are missing. */
const TEXT_BATCH = 1_000

/** RFC 9051 §6.4.5, with CHANGEDSINCE and VANISHED of RFC 7162 and PARTIAL of RFC 9394. */
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
      session.enableCondstore()
    }
    let sequences = view.sequences(args.set, args.uid)
    if (args.changedSince !== undefined) {
      if (args.vanished) {
        const known = args.set.kind === 'ranges' ? resolveRanges(args.set.ranges, view.map.last) : EVERY_UID
        await tellVanished(session, view, args.changedSince, known, view.map.last + 1)
      }
      sequences = await changedOnly(session, sequences, args.changedSince)
    }
    if (args.partial !== undefined)
      sequences = sliceRanges(sequences, ...partialSlice(args.partial, countOf(sequences)))
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
  return intersectRanges(sequences, changed)
}

/** What was read of a window, ready to be written: columns, items, or whole messages with columns. */
type Read =
  | { readonly window: Window; readonly rows: Rows; readonly texts?: readonly (Texts | undefined)[] }
  | { readonly window: Window; readonly items: ReadItems }
  | { readonly window: Window; readonly rows: Rows; readonly whole: ReadWhole }

/** Windows whose reading is under way while one is written: the mailbox's home and this process work side by side. */
const READ_AHEAD = 2

function countOf(ranges: Ranges): number {
  let sum = 0
  for (let i = 0; i < ranges.length; i += 2) sum += (ranges[i + 1] as number) - (ranges[i] as number) + 1
  return sum
}

/** Writes the answers, window by window. True when some of the messages were gone. */
async function run(session: Session, plan: FetchPlan, sequences: Ranges): Promise<boolean> {
  const { view } = session
  const known = await pictureRows(session, plan, countOf(sequences))
  const size = plan.columnsOnly
    ? COLUMN_BATCH
    : plan.wholeOnly
      ? WHOLE_BATCH
      : known === undefined
        ? ITEM_BATCH
        : TEXT_BATCH
  // A small first window: its answer is on the way while the next are read.
  const waiting = windows(view.map, sequences, size, size >> 2)
  // Reading that marks as read does not run ahead: what is marked is sent.
  const ahead = plan.marksSeen && !view.readOnly ? 1 : 1 + READ_AHEAD
  const reading: Promise<Read>[] = []
  let missing = false
  for (;;) {
    while (reading.length < ahead) {
      const next = waiting.next()
      if (next.done === true) break
      const promise = read(session, plan, next.value, known)
      // A failure is raised when its turn comes, or dropped with the session.
      promise.catch(() => undefined)
      reading.push(promise)
    }
    const promise = reading.shift()
    if (promise === undefined) return missing
    const done = await promise
    const found = await write(session, plan, done)
    missing ||= found < done.window.uids.length
  }
}

async function read(
  session: Session,
  plan: FetchPlan,
  window: Window,
  known: Awaited<ReturnType<typeof pictureRows>>,
): Promise<Read> {
  if (plan.wholeOnly) {
    const [rows, whole] = await Promise.all([
      known?.rows ?? (asksUidsOnly(plan) ? uidRows(window) : scanWindow(session, plan.columns, window)),
      readWhole(session, plan, window),
    ])
    return { window, rows, whole }
  }
  if (known !== undefined) {
    const texts = await readyTexts(session, plan, known.picture, window)
    if (texts !== undefined) return { window, rows: known.rows, texts }
  }
  if (!plan.columnsOnly) return { window, items: await readItems(session, plan, window) }
  const rows = await scanWindow(session, plan.columns, window)
  // An item without an original has a size only when it is made into a message: the longer way, for its window.
  if (!plan.columns.includes('size') || !rows.size.includes(0)) return { window, rows }
  return { window, items: await readItems(session, { ...plan, itemColumns: ['original', 'index'] }, window) }
}

async function write(session: Session, plan: FetchPlan, done: Read): Promise<number> {
  if ('whole' in done) {
    const { parts, rest } = done.whole
    let found = 0
    for (const { window, originals } of parts)
      found += await fetchColumns(
        session,
        plan,
        window,
        done.rows,
        plan.steps.map(() => originals),
      )
    return rest === undefined ? found : found + (await writeItems(session, plan, rest.window, rest.items))
  }
  if ('rows' in done) return fetchColumns(session, plan, done.window, done.rows, done.texts)
  return writeItems(session, plan, done.window, done.items)
}

const uidRows = ({ uids }: Window): Rows => ({ count: uids.length, uid: uids, keywordSets: [[]] }) as unknown as Rows

/** One range of UIDs where the window has no gaps in its numbers, else the UIDs one by one. */
async function scanWindow(session: Session, columns: readonly Column[], { uids, sequences }: Window): Promise<Rows> {
  const { view, user } = session
  const last = uids.length - 1
  const dense = (sequences[last] as number) - (sequences[0] as number) === last
  const where = dense ? { uids: [uids[0] as number, uids[last] as number] as const } : { only: uids }
  // Only the columns asked for are there; the emitters of a plan read no others.
  return (await user.mailbox.scan({ folder: view.folder, columns, ...where })) as Rows
}
