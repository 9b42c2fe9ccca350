/** What /get, /changes, /set, /query and /queryChanges of every type have in common: RFC 8620 §5. */
import { DomainError } from '@postrider/domain'
import { MAX_CHANGES, MAX_OBJECTS_IN_GET, MAX_OBJECTS_IN_SET } from '../limits.ts'
import type { Call } from './call.ts'
import { MethodError, SetError, setErrorOf } from './error.ts'
import { type JsonObject, record } from './json.ts'
import { applyPatch } from './pointer.ts'
import * as s from './shape.ts'

export const getArgs = {
  accountId: s.id,
  ids: s.maybe(s.list(s.idOrCreation)),
  properties: s.maybe(s.list(s.string)),
} as const

export const changesArgs = {
  accountId: s.id,
  sinceState: s.string,
  maxChanges: s.maybe(s.unsigned),
} as const

export const setArgs = {
  accountId: s.id,
  ifInState: s.maybe(s.string),
  create: s.maybe(s.mapOf(s.id, s.jsonObject)),
  update: s.maybe(s.mapOf(s.idOrCreation, s.jsonObject)),
  destroy: s.maybe(s.list(s.idOrCreation)),
} as const

export const queryChangesArgs = {
  accountId: s.id,
  filter: s.maybe(s.jsonObject),
  sort: s.maybe(s.list(s.jsonObject)),
  sinceQueryState: s.string,
  maxChanges: s.maybe(s.unsigned),
  upToId: s.maybe(s.id),
  calculateTotal: s.optional(s.boolean, false),
} as const

/** `maxChanges`: RFC 8620 §5.2 wants a positive number. */
export function changesLimit(maxChanges: number | null): number {
  if (maxChanges === 0)
    throw new MethodError('invalidArguments', 'maxChanges is not positive', { arguments: ['maxChanges'] })
  return Math.min(maxChanges ?? MAX_CHANGES, MAX_CHANGES)
}

/** The ids a /get names, each once, creation ids resolved; raises requestTooLarge. */
export function wantedIds(call: Call, ids: readonly string[]): readonly string[] {
  const unique = [...new Set(ids)]
  if (unique.length > MAX_OBJECTS_IN_GET)
    throw new MethodError('requestTooLarge', `more than ${MAX_OBJECTS_IN_GET} ids`)
  return unique.map((id) => call.resolve(id) ?? id)
}

/** The properties a /get names, `id` always among them; raises invalidArguments for unknown ones. */
export function wantedProperties(
  properties: readonly string[] | null,
  defaults: readonly string[],
  known: (name: string) => boolean = (name) => defaults.includes(name),
): readonly string[] {
  if (properties === null) return defaults
  for (const name of properties)
    if (name !== 'id' && !known(name))
      throw new MethodError('invalidArguments', `${name.slice(0, 100)} is no property`, { arguments: ['properties'] })
  return [...new Set(['id', ...properties])]
}

/** A whole object cut to the properties asked for. */
export function pick(
  object: Readonly<Record<string, unknown>>,
  properties: readonly string[],
): Record<string, unknown> {
  return record(properties.filter((name) => Object.hasOwn(object, name)).map((name) => [name, object[name]] as const))
}

/** Refuses a /set with too many objects. */
export function checkSetSize(args: {
  readonly create: ReadonlyMap<string, unknown> | null
  readonly update: ReadonlyMap<string, unknown> | null
  readonly destroy: readonly string[] | null
}): void {
  const count = (args.create?.size ?? 0) + (args.update?.size ?? 0) + (args.destroy?.length ?? 0)
  if (count > MAX_OBJECTS_IN_SET) throw new MethodError('requestTooLarge', `more than ${MAX_OBJECTS_IN_SET} objects`)
}

/** What became of each object of a /set: RFC 8620 §5.3. */
export class SetOutcome {
  readonly #created = new Map<string, unknown>()
  readonly #updated = new Map<string, unknown>()
  readonly #destroyed: string[] = []
  readonly #notCreated = new Map<string, unknown>()
  readonly #notUpdated = new Map<string, unknown>()
  readonly #notDestroyed = new Map<string, unknown>()

  created(creation: string, properties: Readonly<Record<string, unknown>>): void {
    this.#created.set(creation, properties)
  }
  /** `properties`: what changed beyond what was asked for, else null. */
  updated(id: string, properties: Readonly<Record<string, unknown>> | null = null): void {
    this.#updated.set(id, properties)
  }
  destroyed(id: string): void {
    this.#destroyed.push(id)
  }
  notCreated(creation: string, error: unknown): void {
    this.#notCreated.set(creation, setErrorFrom(error).toJSON())
  }
  notUpdated(id: string, error: unknown): void {
    this.#notUpdated.set(id, setErrorFrom(error).toJSON())
  }
  notDestroyed(id: string, error: unknown): void {
    this.#notDestroyed.set(id, setErrorFrom(error).toJSON())
  }

  answer(accountId: string, oldState: string | null, newState: string): Record<string, unknown> {
    const map = (of: ReadonlyMap<string, unknown>): unknown => (of.size === 0 ? null : record(of))
    return {
      accountId,
      oldState,
      newState,
      created: map(this.#created),
      updated: map(this.#updated),
      destroyed: this.#destroyed.length === 0 ? null : this.#destroyed,
      notCreated: map(this.#notCreated),
      notUpdated: map(this.#notUpdated),
      notDestroyed: map(this.#notDestroyed),
    }
  }
}

/** What an object hears of an error; anything else than a refusal goes on upwards. */
export function setErrorFrom(error: unknown): SetError {
  if (error instanceof SetError) return error
  if (error instanceof s.Misfit) {
    const [property = ''] = error.path.split('/')
    return new SetError('invalidProperties', error.message, { properties: property === '' ? [] : [property] })
  }
  if (error instanceof DomainError) return new SetError(setErrorOf[error.code])
  throw error
}

/** The object as a patch leaves it; raises invalidPatch. */
export function patchedObject(object: JsonObject, patch: JsonObject): JsonObject {
  const out = applyPatch(object, patch)
  if (out === undefined) throw new SetError('invalidPatch')
  return out
}

/** A window of a list of ids: RFC 8620 §5.5 (position, anchor, limit). */
export interface Window {
  readonly position: number
  readonly anchor: string | null
  readonly anchorOffset: number
  readonly limit: number | null
}

export const windowArgs = {
  position: s.optional(s.integer, 0),
  anchor: s.maybe(s.id),
  anchorOffset: s.optional(s.integer, 0),
  limit: s.maybe(s.unsigned),
  calculateTotal: s.optional(s.boolean, false),
} as const

/** Where the window starts in `ids`; raises anchorNotFound. */
function windowStart(ids: readonly string[], { position, anchor, anchorOffset }: Window): number {
  if (anchor !== null) {
    const at = ids.indexOf(anchor)
    if (at < 0) throw new MethodError('anchorNotFound')
    return Math.max(0, at + anchorOffset)
  }
  return position < 0 ? Math.max(0, ids.length + position) : position
}

/** The answer of a /query over ids that are all known, in their order; raises anchorNotFound. Changes of it are not calculated. */
export function windowed(
  ids: readonly string[],
  args: Window & { readonly accountId: string; readonly calculateTotal: boolean },
  queryState: string,
  most: number,
): Record<string, unknown> {
  const start = windowStart(ids, args)
  return {
    accountId: args.accountId,
    queryState,
    canCalculateChanges: false,
    position: start,
    ids: ids.slice(start, start + Math.min(args.limit ?? most, most)),
    ...(args.calculateTotal ? { total: ids.length } : {}),
  }
}
