/**
 * What an act on many mails does to each: the patch of an Email/set (RFC 8621 §4.6) on mailboxIds, keywords, categories, followUp and snoozed, the
 * operations it comes to, and the patch that takes it back.
 */
import { Flag, type Item, type Operation } from '@postrider/domain'
import type { Call } from '../core/call.ts'
import { MethodError, SetError } from '../core/error.ts'
import { mailboxIdOf } from '../core/ids.ts'
import { isObject, type Json, type JsonObject, record, sameJson } from '../core/json.ts'
import { pointerTokens } from '../core/pointer.ts'
import { patchedObject } from '../core/standard.ts'
import { extraOperations, extrasOf, snoozedFolder, snoozeOperations } from '../mail/extras.ts'
import { foldersOf, keywordsFrom, markOperations, placeOperations } from '../mail/place.ts'
import { keywordsOf } from '../view/keywords.ts'
import type { Mail, View } from '../view/view.ts'

const patchable = ['mailboxIds', 'keywords', 'categories', 'followUp', 'snoozed'] as const
/** Given whole, not key by key. */
const single: ReadonlySet<string> = new Set(['followUp', 'snoozed'])
type Patchable = (typeof patchable)[number]
const isPatchable = (name: string): name is Patchable => (patchable as readonly string[]).includes(name)

export interface BulkPatch {
  readonly patch: JsonObject
  readonly changes: ReadonlySet<Patchable>
}

/** Reads a patch: creation ids resolved, keywords in lower case. Raises invalidArguments for what an act on many cannot do. */
export function readPatch(call: Call, given: JsonObject): BulkPatch {
  const patch = record<Json>()
  const changes = new Set<Patchable>()
  for (const [key, value] of Object.entries(given)) {
    const [name = '', inner, ...deeper] = pointerTokens(key, true) ?? []
    const fits =
      isPatchable(name) &&
      deeper.length === 0 &&
      (inner === undefined || (!single.has(name) && (value === true || value === null)))
    if (!fits)
      throw new MethodError('invalidArguments', `${patchable.join(', ')} are what can change`, {
        arguments: ['update'],
      })
    changes.add(name)
    const one = name === 'mailboxIds' ? (call.resolve(inner ?? '') ?? inner) : inner
    const token = name === 'keywords' ? one?.toLowerCase() : one
    patch[token === undefined ? key : keyOf(name, token)] = value
  }
  if (changes.size === 0) throw new MethodError('invalidArguments', 'nothing to do', { arguments: ['update'] })
  return { patch, changes }
}

const keyOf = (name: string, token: string): string => `${name}/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`

/** What of a mail can change, as it is now. `props`: its item's, where they matter. */
function stateOf(view: View, mail: Mail, props: Item['props']): Readonly<Record<Patchable, Json>> {
  const { categories = {}, followUp = null, snoozed = null } = extrasOf(mail, { props }, snoozedFolder(view)?.id)
  return {
    mailboxIds: record(mail.places.map((one) => [mailboxIdOf(one.folder), true] as const)),
    keywords: keywordsOf(mail),
    categories,
    followUp,
    snoozed,
  }
}

/** Times as numbers: the same moment is written in several ways. MS-ASEMAIL_R409: start and due go together. */
function timesOf(value: Json | undefined): string {
  if (!isObject(value)) return ''
  const time = (name: string): number | null => (typeof value[name] === 'string' ? Date.parse(value[name]) : null)
  const [start, due] = [time('start'), time('due')]
  return JSON.stringify([start ?? due, due ?? start, time('reminder'), time('completed'), time('until')])
}
const same = (name: Patchable, one: Json | undefined, other: Json | undefined): boolean =>
  single.has(name) ? timesOf(one) === timesOf(other) : sameJson(one ?? {}, other ?? {})

export interface Plan {
  readonly operations: readonly Operation[]
  readonly inverse: JsonObject
  /** When a snoozed mail comes back; null: it was brought back. */
  readonly until?: number | null
}

/** What a patch does to one mail; undefined: nothing. Raises SetError for a mail it cannot be done to. */
export function planned(
  call: Call,
  view: View,
  mail: Mail,
  props: Item['props'],
  { patch, changes }: BulkPatch,
): Plan | undefined {
  const before = stateOf(view, mail, props)
  const after = patchedObject(before, patch)
  const operations: Operation[] = []
  const inverse = record<Json>()
  const differs = (name: Patchable): boolean => {
    if (!changes.has(name) || same(name, after[name], before[name])) return false
    if (single.has(name)) {
      inverse[name] = before[name]
      return true
    }
    const [was, now] = [before[name] as JsonObject, (after[name] ?? {}) as JsonObject]
    for (const key of Object.keys(was)) if (now[key] !== true) inverse[keyOf(name, key)] = true
    for (const key of Object.keys(now)) if (was[key] !== true) inverse[keyOf(name, key)] = null
    return true
  }
  const flagged = (before.keywords as JsonObject).$flagged === true
  const extra = new Set((['categories', 'followUp'] as const).filter(differs))
  if (extra.size > 0) operations.push(...extraOperations(mail, extra, after))
  if (extra.has('followUp')) {
    // A flag without dates is a keyword only: it is there again when the dates are gone.
    if (before.followUp === null && flagged) inverse['keywords/$flagged'] = true
    if (changes.has('keywords') && (after.keywords as JsonObject | undefined)?.$flagged === true)
      operations.splice(
        0,
        operations.length,
        ...operations.filter((one) => one.op !== 'flag' || one.clear !== Flag.flagged),
      )
  }
  if (differs('keywords')) operations.push(...markOperations(mail, keywordsFrom(after.keywords)))
  if (differs('snoozed')) {
    const item = { itemId: mail.id, props } as Item
    const { operations: moves, until } = snoozeOperations(mail, item, after.snoozed, view, call.jmap.parts.clock.now())
    operations.push(...moves)
    return { operations, inverse, until }
  }
  if (differs('mailboxIds')) {
    const folders = foldersOf(call, view, after.mailboxIds)
    if (folders.length === 0) throw new SetError('invalidProperties', undefined, { properties: ['mailboxIds'] })
    operations.push(...placeOperations(mail, folders))
  }
  return operations.length === 0 ? undefined : { operations, inverse }
}

/** Whether a mail still is as a patch left it: only then it may be taken back. */
export const isAsLeft = (view: View, mail: Mail, props: Item['props'], { patch, changes }: BulkPatch): boolean => {
  const now = stateOf(view, mail, props)
  const then = patchedObject(now, patch)
  return [...changes].every((name) => same(name, then[name], now[name]))
}

/** Whether the props of mails' items matter. */
export const needsProps = ({ changes }: BulkPatch): boolean =>
  changes.has('categories') || changes.has('followUp') || changes.has('snoozed')
