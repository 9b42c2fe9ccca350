import type { Item } from '@postrider/domain'
import { MAX_GET } from '@postrider/domain'
import { ResponseWriter } from '@postrider/wire/imap'
import { type MessageIndex, MessageIndexError, readMessageIndex } from '@postrider/wire/mime'
import { keepLater, type Kind, loadKept } from '../pictures/kept.ts'
import { type LastingColumn, lastingColumns, type Picture } from '../pictures/picture.ts'
import { lastingOf } from '../pictures/pictures.ts'
import { Texts } from '../pictures/texts.ts'
import type { Session } from '../session.ts'
import type { Window } from '../view/uid-map.ts'
import type { Rows } from './columns.ts'
import { writeBytes, writePrepared } from './items.ts'
import { type FetchPlan, isText, type TextStep } from './plan.ts'

/** Below this share of the folder its picture is not taken for a FETCH, unless it is there already. */
const WORTHWHILE = 4
const NO_SETS = [[]]
/** Kinds of texts kept of one folder: what a few mail programs ask. */
const MAX_KINDS = 8
/** So many texts are looked for among the kept ones before they are made. */
const MANY = 64

/** Of the columns no more than the UIDs, which the view knows. */
export const asksUidsOnly = ({ columns }: FetchPlan): boolean => columns.length === 1

/** The rows of the whole folder for a plan, from its picture; undefined where reading them for the messages asked for is the better way. */
export async function pictureRows(
  session: Session,
  plan: FetchPlan,
  messages: number,
): Promise<{ readonly picture: Picture; readonly rows: Rows } | undefined> {
  const { view, user, context } = session
  if (!(plan.textsOnly || plan.wholeOnly) || !user.mailbox.full) return undefined
  if (plan.wholeOnly && asksUidsOnly(plan)) return undefined
  const { pictures } = context
  if (messages * WORTHWHILE < view.map.count && !pictures.has(user.mailbox, view.folder)) return undefined
  const picture = await pictures.of(user.mailbox, view.folder, view.uidValidity)
  const wanted = lastingColumns.filter((column) => plan.columns.includes(column))
  if (!(await lastingOf(user.mailbox, view.folder, picture, wanted))) return undefined
  const { columns } = picture.lasting
  // An item without an original has a size only when it is made into a message: the longer way.
  if (wanted.includes('size') && columns.get('size')?.includes(0)) return undefined
  const keywordSets = plan.columns.includes('keywords') ? picture.rows.keywordSets : NO_SETS
  const lasting: Partial<Record<LastingColumn, Float64Array>> = Object.fromEntries(columns)
  // Only the columns of the plan are there; the emitters of a plan read no others.
  return { picture, rows: { ...picture.rows, keywordSets, ...lasting } as Rows }
}

/** The texts of a plan for a window, by its steps; undefined where one of them cannot be kept ready. What is missing is read. */
export async function readyTexts(
  session: Session,
  plan: FetchPlan,
  { rows, lasting }: Picture,
  { uids }: Window,
): Promise<(Texts | undefined)[] | undefined> {
  const { utf8 } = session.enabled
  const all: (Texts | undefined)[] = []
  const kinds: (Kind & { readonly step: TextStep })[] = []
  for (const [i, step] of plan.steps.entries()) {
    if (!isText(step)) continue
    const key = `${utf8 ? 'utf8 ' : ''}${step.kind === 'content' ? step.label : step.name}`
    const texts = lasting.texts.get(key) ?? new Texts()
    // The one asked for last stands last.
    lasting.texts.delete(key)
    lasting.texts.set(key, texts)
    all[i] = texts
    kinds.push({ step, name: key, texts })
  }
  for (const oldest of lasting.texts.keys()) {
    if (lasting.texts.size <= MAX_KINDS) break
    lasting.texts.delete(oldest)
  }
  if (kinds.some(({ texts }) => texts.refused.size > 0 && uids.some((uid) => texts.refused.has(uid)))) return undefined
  const { view, user, context } = session
  const areAllHere = (): boolean => kinds.every(({ texts }) => texts.hasAll(uids))
  if (!areAllHere() && uids.length >= MANY)
    await Promise.all(kinds.map((kind) => loadKept(user.mailbox, view.folder, kind, uids)))
  if (areAllHere()) return all
  const missing = uids.filter((uid) => kinds.some(({ texts }) => !texts.has(uid)))
  const out = new ResponseWriter(utf8)
  let found = 0
  for (let at = 0; at < missing.length; at += MAX_GET) {
    const part = missing.subarray(at, at + MAX_GET)
    const items = await user.mailbox.get({ by: { folder: view.folder, uids: part }, columns: ['index'] })
    for (const item of items) {
      const index = indexOf(item)
      for (const { step, texts } of kinds) {
        if (index === undefined || !keep(texts, item.uid, step, index, out)) texts.refused.add(item.uid)
        else found++
      }
    }
  }
  if (found < missing.length * kinds.length) return undefined
  const place = { mailbox: user.mailbox, folder: view.folder, log: context.log }
  if (missing.length >= MANY) for (const kind of kinds) keepLater(place, kind, rows)
  return all
}

/** The index of a received mail, as it was kept; empty for an item without an original. */
function indexOf(item: Item): MessageIndex | undefined {
  if (item.associated || item.index === undefined || item.index.length === 0) return undefined
  try {
    return readMessageIndex(item.index)
  } catch (error) {
    if (error instanceof MessageIndexError) return undefined
    throw error
  }
}

/** Makes the piece in `out`, which is used again for the next. */
function keep(texts: Texts, uid: number, step: TextStep, index: MessageIndex, out: ResponseWriter): boolean {
  if (texts.has(uid)) return true
  if (step.kind === 'prepared') writePrepared(out, out.utf8, step.name, index)
  else {
    const fields = step.fields === undefined ? undefined : index.headerFields(step.fields)
    if (fields === undefined) return false
    writeBytes(out, fields, false)
  }
  return texts.add(uid, out.borrow())
}
