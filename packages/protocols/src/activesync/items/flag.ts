/**
 * email:Flag: [MS-ASEMAIL] §2.2.2.34 and §3.2.5.4.2. A follow-up flag lives in two places that IMAP, MAPI and phones share: the bit
 * \Flagged and the bag ([MS-OXOFLAG]). Active: bit set. Complete: bit clear, PidTagFlagStatus 1. None: bit clear, anything else.
 * So a \Flagged set over IMAP is an active flag on the phone, and one taken away over IMAP is gone there too.
 */
import { Flag, fileTime, fromFileTime, type Item, namedProperties, Pid, type PropertyBag } from '@postrider/domain'
import { child, type Element, el, integer, ownText, type Tag } from '@postrider/wire/wbxml'
import { easDate, parseEasDate } from './dates.ts'

/** email:Status: [MS-ASEMAIL] §2.2.2.74. */
export const FlagStatus = { cleared: 0, complete: 1, active: 2 } as const

/** FlagType of a flag that came without one: MS-ASEMAIL_R1059. */
export const DEFAULT_FLAG_TYPE = 'Flag for follow up'

/** PidTagFollowupIcon of a red flag: [MS-OXOFLAG] §2.2.1.2. */
const RED = 6

/** The dates of a flag: element, property. The first four go together (MS-ASEMAIL_R409). */
const dates = [
  ['Tasks:StartDate', namedProperties.taskStartDate.tag],
  ['Tasks:DueDate', namedProperties.taskDueDate.tag],
  ['Tasks:UtcStartDate', namedProperties.commonStart.tag],
  ['Tasks:UtcDueDate', namedProperties.commonEnd.tag],
] as const

const otherDates = [
  ['Tasks:ReminderTime', namedProperties.reminderTime.tag],
  ['Tasks:OrdinalDate', namedProperties.ordinalDate.tag],
] as const

const completion = [
  ['Tasks:DateCompleted', namedProperties.taskDateCompleted.tag],
  ['Email:CompleteTime', Pid.TagFlagCompleteTime],
] as const

const texts = [
  ['Tasks:Subject', namedProperties.toDoTitle.tag],
  ['Email:FlagType', namedProperties.flagRequest.tag],
  ['Tasks:SubOrdinalDate', namedProperties.subOrdinalDate.tag],
] as const

/** Everything of a flag in the bag: what clearing removes. */
export const flagProperties: readonly number[] = [
  Pid.TagFlagStatus,
  Pid.TagFollowupIcon,
  namedProperties.taskComplete.tag,
  namedProperties.reminderSet.tag,
  ...[...dates, ...otherDates, ...completion, ...texts].map(([, tag]) => tag),
]

/** Characters of each text of a flag. */
const MAX_TEXT = 1_024

/** Which of the three states an item is in. */
export function flagStatus(item: Pick<Item, 'flags' | 'props'>): number {
  if ((item.flags & Flag.flagged) !== 0) return FlagStatus.active
  return item.props?.get(Pid.TagFlagStatus) === FlagStatus.complete ? FlagStatus.complete : FlagStatus.cleared
}

const dateOf = (props: PropertyBag | undefined, tag: number): string | undefined => {
  const value = props?.get(tag)
  return typeof value === 'bigint' ? easDate(fromFileTime(value)) : undefined
}
const textOf = (props: PropertyBag | undefined, tag: number): string | undefined => {
  const value = props?.get(tag)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The Flag element; empty where there is no flag (MS-ASEMAIL_R437). */
export function flagElement(item: Pick<Item, 'flags' | 'props'>): Element {
  const status = flagStatus(item)
  if (status === FlagStatus.cleared) return el('Email:Flag')
  // What an earlier flag left in the bag does not belong to one that IMAP set since.
  const props = item.props?.get(Pid.TagFlagStatus) === status ? item.props : undefined
  const timed = (pairs: readonly (readonly [Tag, number])[]): (Element | undefined)[] =>
    pairs.map(([tag, property]) => {
      const value = dateOf(props, property)
      return value === undefined ? undefined : el(tag, value)
    })
  const worded = (tag: Tag, property: number, fallback?: string): Element | undefined => {
    const value = textOf(props, property) ?? fallback
    return value === undefined ? undefined : el(tag, value)
  }
  const complete = status === FlagStatus.complete
  const reminder = props?.get(namedProperties.reminderSet.tag)
  return el(
    'Email:Flag',
    worded('Tasks:Subject', namedProperties.toDoTitle.tag),
    el('Email:Status', status),
    worded('Email:FlagType', namedProperties.flagRequest.tag, DEFAULT_FLAG_TYPE),
    ...(complete ? timed(completion) : []),
    ...timed(dates),
    typeof reminder === 'boolean' && el('Tasks:ReminderSet', reminder ? 1 : 0),
    ...timed(otherDates),
    worded('Tasks:SubOrdinalDate', namedProperties.subOrdinalDate.tag),
  )
}

/** A change of the flag, ready for the operations `flag` and `update`. */
export interface FlagChange {
  /** Undefined: as it is. */
  readonly flagged: boolean | undefined
  readonly set: PropertyBag
  readonly remove: readonly number[]
}

/**
 * Reads a client's Flag element over what the item has. Undefined is Status 6: a value outside its range, a required element
 * missing (§3.2.5.4.2), start after due, half of the four dates.
 */
export function parseFlag(element: Element, item: Pick<Item, 'flags' | 'props'>): FlagChange | undefined {
  const clear: FlagChange = { flagged: false, set: new Map(), remove: flagProperties }
  if (element.children.length === 0) return clear
  const status = integer(element, 'Email:Status')
  if (status !== undefined && status !== 0 && status !== 1 && status !== 2) return undefined
  if (status === FlagStatus.cleared) return clear
  const given = new Map<number, number>()
  for (const [tag, property] of [...dates, ...otherDates, ...completion]) {
    const found = child(element, tag)
    if (found === undefined) continue
    const time = parseEasDate(ownText(found))
    if (time === undefined) return undefined
    given.set(property, time)
  }
  if (!datesAgree(given)) return undefined
  const set = new Map<number, string | number | boolean | bigint>()
  for (const [property, time] of given) set.set(property, fileTime(time))
  for (const [tag, property] of texts) {
    const found = child(element, tag)
    if (found !== undefined) set.set(property, ownText(found).slice(0, MAX_TEXT).toWellFormed())
  }
  const reminder = child(element, 'Tasks:ReminderSet')
  if (reminder !== undefined) {
    const value = ownText(reminder).trim()
    if (value !== '0' && value !== '1') return undefined
    // MS-ASEMAIL_R702: a reminder needs its time.
    if (value === '1' && !given.has(namedProperties.reminderTime.tag)) return undefined
    set.set(namedProperties.reminderSet.tag, value === '1')
  }
  return status === FlagStatus.complete ? complete(set, given) : activate(set, given, status, item)
}

/** MS-ASEMAIL_R407, R409, R739, R851, R862. */
function datesAgree(given: ReadonlyMap<number, number>): boolean {
  const [start, due, utcStart, utcDue] = dates.map(([, property]) => given.get(property))
  if (start === undefined && due === undefined && utcStart === undefined && utcDue === undefined) return true
  if (start === undefined || due === undefined || utcStart === undefined || utcDue === undefined) return false
  return start <= due && utcStart <= utcDue
}

/** MS-ASEMAIL_R334, R358, R86: completing takes both times. */
function complete(set: Map<number, string | number | boolean | bigint>, given: ReadonlyMap<number, number>) {
  if (completion.some(([, property]) => !given.has(property))) return undefined
  set.set(Pid.TagFlagStatus, FlagStatus.complete)
  set.set(namedProperties.taskComplete.tag, true)
  return { flagged: false, set, remove: [Pid.TagFollowupIcon] }
}

function activate(
  set: Map<number, string | number | boolean | bigint>,
  given: ReadonlyMap<number, number>,
  status: number | undefined,
  item: Pick<Item, 'flags' | 'props'>,
): FlagChange | undefined {
  const before = flagStatus(item)
  // MS-ASEMAIL_R359: one time of completion needs the other.
  const completed = completion.filter(([, property]) => given.has(property)).length
  if (completed === 1) return undefined
  // Without Status it is an update of what is there (R90); nothing to update is an error.
  if (status === undefined && before === FlagStatus.cleared) return undefined
  if (status === undefined && before === FlagStatus.complete) return { flagged: undefined, set, remove: [] }
  // MS-ASEMAIL_R940: a new flag names its type.
  if (before !== FlagStatus.active && !set.has(namedProperties.flagRequest.tag)) return undefined
  set.set(Pid.TagFlagStatus, FlagStatus.active)
  set.set(Pid.TagFollowupIcon, RED)
  set.set(namedProperties.taskComplete.tag, false)
  const remove = completion.map(([, property]) => property).filter((property) => !given.has(property))
  return { flagged: true, set, remove: before === FlagStatus.active ? [] : remove }
}
