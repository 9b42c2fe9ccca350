/**
 * What an act on many mails does to each: the patch of an Email/set (RFC 8621 §4.6) on mailboxIds, keywords and categories, the operations
 * it comes to, and the patch that takes it back.
 */
import type { Item, Operation } from '@postrider/domain'
import type { Call } from '../core/call.ts'
import { MethodError, SetError } from '../core/error.ts'
import { mailboxIdOf } from '../core/ids.ts'
import { type Json, type JsonObject, record, sameJson } from '../core/json.ts'
import { pointerTokens } from '../core/pointer.ts'
import { patchedObject } from '../core/standard.ts'
import { categoriesOf, extraOperations } from '../mail/extras.ts'
import { foldersOf, keywordsFrom, markOperations, placeOperations } from '../mail/place.ts'
import { keywordsOf } from '../view/keywords.ts'
import type { Mail, View } from '../view/view.ts'

const patchable = ['mailboxIds', 'keywords', 'categories'] as const
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
    const fits = isPatchable(name) && deeper.length === 0 && (inner === undefined || value === true || value === null)
    if (!fits)
      throw new MethodError('invalidArguments', 'mailboxIds, keywords and categories are what can change', {
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

/** What of a mail can change, as it is now. `props`: its item's, where categories matter. */
function stateOf(mail: Mail, props: Item['props']): Record<Patchable, JsonObject> {
  return {
    mailboxIds: record(mail.places.map((one) => [mailboxIdOf(one.folder), true] as const)),
    keywords: keywordsOf(mail),
    categories: record(categoriesOf(props).map((name) => [name, true] as const)),
  }
}

/** What a patch does to one mail; undefined: nothing. Raises SetError for a mail it cannot be done to. */
export function planned(
  call: Call,
  view: View,
  mail: Mail,
  props: Item['props'],
  { patch, changes }: BulkPatch,
): { readonly operations: Operation[]; readonly inverse: JsonObject } | undefined {
  const before = stateOf(mail, props)
  const after = patchedObject(before, patch)
  const operations: Operation[] = []
  const inverse = record<Json>()
  const differs = (name: Patchable): boolean => {
    if (!changes.has(name) || sameJson(after[name] ?? {}, before[name])) return false
    const now = (after[name] ?? {}) as JsonObject
    for (const key of Object.keys(before[name])) if (now[key] !== true) inverse[keyOf(name, key)] = true
    for (const key of Object.keys(now)) if (before[name][key] !== true) inverse[keyOf(name, key)] = null
    return true
  }
  if (differs('categories')) operations.push(...extraOperations(mail, new Set(['categories']), after))
  if (differs('keywords')) operations.push(...markOperations(mail, keywordsFrom(after.keywords)))
  if (differs('mailboxIds')) {
    const folders = foldersOf(call, view, after.mailboxIds)
    if (folders.length === 0) throw new SetError('invalidProperties', undefined, { properties: ['mailboxIds'] })
    operations.push(...placeOperations(mail, folders))
  }
  return operations.length === 0 ? undefined : { operations, inverse }
}

/** Whether a mail still is as a patch left it: only then it may be taken back. */
export const isAsLeft = (mail: Mail, props: Item['props'], { patch, changes }: BulkPatch): boolean => {
  const now = stateOf(mail, props)
  const then = patchedObject(now, patch)
  return [...changes].every((name) => sameJson(then[name] ?? {}, now[name]))
}

/** The props of mails, by item id, where categories matter. */
export const needsProps = ({ changes }: BulkPatch): boolean => changes.has('categories')
