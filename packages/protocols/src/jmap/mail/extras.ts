/**
 * What our own capability adds to Email: `categories` (as Outlook and phones have them), `followUp` (the dates of a flag), `snoozed`, and
 * `inference` (Focused or Other). They are properties of the item, beside the flags and folders of RFC 8621.
 */
import {
  Flag,
  fileTime,
  type Folder,
  type FolderId,
  fromFileTime,
  type Item,
  namedProperties,
  type Operation,
  Pid,
  type PropertyBag,
  type PropValue,
} from '@postrider/domain'
import { invalidProperties, SetError } from '../core/error.ts'
import { type Json, type JsonObject, record } from '../core/json.ts'
import * as s from '../core/shape.ts'
import type { Mail, Place, View } from '../view/view.ts'
import { writeUtcDate } from './header-forms.ts'

export const extraProperties = ['categories', 'followUp', 'snoozed', 'inference'] as const
export type ExtraProperty = (typeof extraProperties)[number]
export const isExtra = (name: string): name is ExtraProperty => (extraProperties as readonly string[]).includes(name)

const MAX_CATEGORIES = 300
const MAX_CATEGORY = 255
const COMPLETE = 1
const ACTIVE = 2
const RED = 6

/** Index of the snoozed mails of a mailbox, for who wakes them: `putState` client; the key is the item's id. */
export const SNOOZE_STATE = 'snooze'
/** The special use of the folder snoozed mails lie in. */
export const SNOOZED_USE = '\\Snoozed'

export const categoriesOf = (props: PropertyBag | undefined): readonly string[] => {
  const value = props?.get(namedProperties.keywords.tag)
  return Array.isArray(value)
    ? (value as readonly unknown[]).filter((one): one is string => typeof one === 'string')
    : []
}
const timeOf = (props: PropertyBag | undefined, tag: number): number | undefined => {
  const value = props?.get(tag)
  return typeof value === 'bigint' ? fromFileTime(value) : undefined
}
const dateOf = (props: PropertyBag | undefined, tag: number): string | null => {
  const time = timeOf(props, tag)
  return time === undefined ? null : writeUtcDate(time)
}

export const snoozedFolder = (view: View): Folder | undefined =>
  view.allFolders.find((one) => (one.specialUse ?? '').toLowerCase() === SNOOZED_USE.toLowerCase())

/** The properties of one item. */
export function extrasOf(
  mail: Mail,
  { props }: Pick<Item, 'props'>,
  snoozed: FolderId | undefined,
): Record<string, Json> {
  const flagged = mail.places.some((one) => (one.flags & Flag.flagged) !== 0)
  const status = props?.get(Pid.TagFlagStatus)
  const due = dateOf(props, namedProperties.commonEnd.tag)
  const start = dateOf(props, namedProperties.commonStart.tag)
  const reminder =
    props?.get(namedProperties.reminderSet.tag) === true ? dateOf(props, namedProperties.reminderTime.tag) : null
  const completed = dateOf(props, Pid.TagFlagCompleteTime)
  // What an earlier flag left behind does not belong to one that IMAP set since.
  const active = flagged && status === ACTIVE && (due !== null || start !== null || reminder !== null)
  const complete = !flagged && status === COMPLETE
  const until = dateOf(props, namedProperties.snoozedUntil.tag)
  const waits = until !== null && mail.places.some((one) => one.folder === snoozed)
  return {
    categories: record(categoriesOf(props).map((name) => [name, true] as const)),
    followUp: active || complete ? { start, due, reminder, completed: complete ? completed : null } : null,
    snoozed: waits ? { until } : null,
    inference: props?.get(namedProperties.inference.tag) === 1 ? 'other' : 'focused',
  }
}

const followUpShape = s.nullable(
  s.object({
    start: s.optional<number | null>(s.nullable(s.utcDate), null),
    due: s.optional<number | null>(s.nullable(s.utcDate), null),
    reminder: s.optional<number | null>(s.nullable(s.utcDate), null),
    completed: s.optional<number | null>(s.nullable(s.utcDate), null),
  }),
)
export const snoozedShape = s.nullable(s.object({ until: s.utcDate }))

const followUpTags = [
  Pid.TagFlagStatus,
  Pid.TagFollowupIcon,
  Pid.TagFlagCompleteTime,
  namedProperties.taskComplete.tag,
  namedProperties.taskDateCompleted.tag,
  namedProperties.reminderSet.tag,
  namedProperties.reminderTime.tag,
  namedProperties.commonStart.tag,
  namedProperties.commonEnd.tag,
  namedProperties.taskStartDate.tag,
  namedProperties.taskDueDate.tag,
]

/** The operations that bring categories, follow-up and inference to what a patched object says. Snoozing is snooze.ts's. */
export function extraOperations(mail: Mail, changed: ReadonlySet<string>, after: JsonObject): Operation[] {
  const place = mail.places[0] as Place
  const set = new Map<number, PropValue>()
  const remove: number[] = []
  const out: Operation[] = []
  if (changed.has('categories')) {
    const { categories } = after
    const names = Object.entries((categories ?? {}) as JsonObject)
    const wrong = ([name, there]: readonly [string, Json]): boolean =>
      there !== true || name.trim() === '' || name.length > MAX_CATEGORY
    if (names.length > MAX_CATEGORIES || names.some(wrong)) throw invalidProperties(['categories'])
    if (names.length === 0) remove.push(namedProperties.keywords.tag)
    else
      set.set(
        namedProperties.keywords.tag,
        names.map(([name]) => name.toWellFormed()),
      )
  }
  if (changed.has('inference')) {
    const { inference } = after
    if (inference !== 'focused' && inference !== 'other') throw invalidProperties(['inference'])
    set.set(namedProperties.inference.tag, inference === 'other' ? 1 : 0)
  }
  if (changed.has('followUp')) {
    const wanted = followUpShape(after.followUp ?? null, 'followUp')
    remove.push(...followUpTags)
    const complete = wanted !== null && wanted.completed !== null
    if (wanted !== null) {
      set.set(Pid.TagFlagStatus, complete ? COMPLETE : ACTIVE)
      set.set(namedProperties.taskComplete.tag, complete)
      if (!complete) set.set(Pid.TagFollowupIcon, RED)
      const time = (value: number | null, ...tags: readonly number[]): void => {
        if (value !== null) for (const tag of tags) set.set(tag, fileTime(value))
      }
      // MS-ASEMAIL_R409: the four dates go together.
      const due = wanted.due ?? wanted.start
      const start = wanted.start ?? wanted.due
      if (start !== null && due !== null && start > due) throw invalidProperties(['followUp'])
      time(start, namedProperties.commonStart.tag, namedProperties.taskStartDate.tag)
      time(due, namedProperties.commonEnd.tag, namedProperties.taskDueDate.tag)
      time(wanted.reminder, namedProperties.reminderTime.tag)
      set.set(namedProperties.reminderSet.tag, wanted.reminder !== null)
      time(wanted.completed, Pid.TagFlagCompleteTime, namedProperties.taskDateCompleted.tag)
    }
    const flag = wanted !== null && !complete
    for (const one of mail.places) {
      const items = { mids: [one.mid] }
      const flagged = (one.flags & Flag.flagged) !== 0
      if (flag && !flagged) out.push({ op: 'flag', folder: one.folder, items, set: Flag.flagged })
      if (!flag && flagged) out.push({ op: 'flag', folder: one.folder, items, clear: Flag.flagged })
    }
  }
  if (set.size > 0 || remove.length > 0)
    out.unshift({ op: 'update', mid: place.mid, set, remove: remove.filter((tag) => !set.has(tag)) })
  return out
}

/** The operations that take a mail out of sight until a time, or bring it back before. */
export function snoozeOperations(
  mail: Mail,
  { props }: Pick<Item, 'props'>,
  value: Json | undefined,
  view: View,
  now: number,
): { readonly operations: Operation[]; readonly until: number | null } {
  const wanted = snoozedShape(value ?? null, 'snoozed')
  const folder = snoozedFolder(view)
  if (folder === undefined) throw new SetError('serverFail', 'there is no folder for snoozed mail')
  const place = mail.places.find((one) => one.folder === folder.id)
  const key = String(mail.id)
  if (wanted === null) {
    if (place === undefined) return { operations: [], until: null }
    return {
      operations: [...wakeOperations(view, mail, props, place), { op: 'deleteState', client: SNOOZE_STATE, key }],
      until: null,
    }
  }
  if (wanted.until <= now) throw invalidProperties(['snoozed'], 'the time is past')
  const note: Operation = { op: 'putState', client: SNOOZE_STATE, key, value: Buffer.from(String(wanted.until)) }
  const inbox = view.allFolders.find((one) => one.role === 'inbox')?.id
  const from = mail.places.find((one) => one.folder === inbox) ?? (mail.places[0] as Place)
  const set = new Map<number, PropValue>([[namedProperties.snoozedUntil.tag, fileTime(wanted.until)]])
  if (place !== undefined) return { operations: [{ op: 'update', mid: place.mid, set }, note], until: wanted.until }
  set.set(namedProperties.snoozedFrom.tag, String(from.folder))
  return {
    operations: [
      { op: 'update', mid: from.mid, set },
      { op: 'move', from: from.folder, items: { mids: [from.mid] }, to: folder.id },
      note,
    ],
    until: wanted.until,
  }
}

/** Out of the Snoozed folder, back where it came from. */
export function wakeOperations(view: View, mail: Mail, props: PropertyBag | undefined, place: Place): Operation[] {
  const from = Number(props?.get(namedProperties.snoozedFrom.tag) ?? 0) as FolderId
  const inbox = view.allFolders.find((one) => one.role === 'inbox')?.id
  const to = view.folders.has(from) && from !== place.folder ? from : inbox
  const operations: Operation[] = [
    { op: 'update', mid: place.mid, remove: [namedProperties.snoozedUntil.tag, namedProperties.snoozedFrom.tag] },
  ]
  const items = { mids: [place.mid] }
  // A copy that is there already is the mail itself.
  if (to === undefined || mail.places.some((one) => one.folder === to))
    operations.push({ op: 'remove', folder: place.folder, items })
  else operations.push({ op: 'move', from: place.folder, items, to })
  return operations
}
