/** Types whose objects are small records of JMAP alone: the /get, /changes and /set of such a type. */
import type { Account } from './accounts.ts'
import type { CapabilityName } from './capabilities.ts'
import { MethodError, SetError } from './error.ts'
import { type Json, type JsonObject, sameJson } from './json.ts'
import { type Method, method } from './method.ts'
import {
  changesArgs,
  changesLimit,
  checkSetSize,
  getArgs,
  patchedObject,
  pick,
  setArgs,
  SetOutcome,
  wantedIds,
  wantedProperties,
} from './standard.ts'
import type { Jmap } from '../service.ts'
import { type Kept, recordChanges, type Stored } from '../store/records.ts'

export interface Collection<T> {
  readonly name: string
  readonly capability: CapabilityName
  /** Where its records are kept: {@link Records}. */
  readonly kind: string
  readonly properties: readonly string[]
  readonly most: number
  shown(value: T): Readonly<Record<string, Json>>
  /** The value a whole object stands for; raises SetError or Misfit. `others`: the values there are besides. */
  taken(object: JsonObject, others: readonly T[], before: T | undefined): T
  /** What an account has before anything was changed, in its owner's language. */
  initial?(language: Account['entry']['language']): readonly T[]
}

/** The records, with the initial ones made when the account has never had any. */
export async function collectionOf<T>(jmap: Jmap, account: Account, type: Collection<T>): Promise<Kept<T>> {
  const kept = await jmap.records.read<T>(account.handle, type.kind)
  if (kept.change > 0 || type.initial === undefined) return kept
  await jmap.records.write<T, void>(account.handle, type.kind, ({ kept: now, add }) => {
    if (now.change === 0) for (const one of type.initial?.(account.entry.language) ?? []) add(one)
  })
  return jmap.records.read<T>(account.handle, type.kind)
}

export function collectionMethods<T>(type: Collection<T>): readonly [Method, Method, Method] {
  const properties = ['id', ...type.properties]
  const object = ({ id, value }: Stored<T>): Record<string, Json> => ({ id, ...type.shown(value) })
  const { capability } = type
  const get = method({
    name: `${type.name}/get`,
    capability,
    args: getArgs,
    async run(call, args) {
      const account = await call.account(args.accountId, capability)
      const wanted = wantedProperties(args.properties, properties)
      const kept = await collectionOf(call.jmap, account, type)
      const ids = args.ids === null ? null : wantedIds(call, args.ids)
      const list = ids === null ? kept.records : kept.records.filter((one) => ids.includes(one.id))
      return {
        accountId: args.accountId,
        state: String(kept.change),
        list: list.map((one) => pick(object(one), wanted)),
        notFound: (ids ?? []).filter((id) => !list.some((one) => one.id === id)),
      }
    },
  })
  const changes = method({
    name: `${type.name}/changes`,
    capability,
    args: changesArgs,
    async run(call, args) {
      const limit = changesLimit(args.maxChanges)
      const account = await call.account(args.accountId, capability)
      return {
        accountId: args.accountId,
        ...recordChanges(await collectionOf(call.jmap, account, type), args.sinceState, limit),
      }
    },
  })
  const set = method({
    name: `${type.name}/set`,
    capability,
    args: setArgs,
    async run(call, args) {
      checkSetSize(args)
      const account = await call.account(args.accountId, capability)
      await collectionOf(call.jmap, account, type)
      const outcome = new SetOutcome()
      const made: [creation: string, id: string, rest: Record<string, unknown>][] = []
      const done = await call.jmap.records.write<T, void>(account.handle, type.kind, ({ kept, add, put, remove }) => {
        const live = new Map(kept.records.map((one) => [one.id, one]))
        const others = (id?: string): T[] => [...live.values()].flatMap((one) => (one.id === id ? [] : [one.value]))
        if (args.ifInState !== null && args.ifInState !== String(kept.change)) throw new MethodError('stateMismatch')
        for (const [creation, wanted] of args.create ?? []) {
          try {
            if (live.size >= type.most) throw new SetError('rateLimit', `there are ${type.most} already`)
            const value = type.taken(wanted, others(), undefined)
            const id = add(value)
            live.set(id, { id, created: 0, changed: 0, value })
            const rest = Object.entries(type.shown(value)).filter(([name, one]) => !sameJson(one, wanted[name]))
            made.push([creation, id, Object.fromEntries(rest)])
          } catch (error) {
            outcome.notCreated(creation, error)
          }
        }
        for (const [key, patch] of args.update ?? []) {
          const id = call.resolve(key) ?? key
          try {
            const found = live.get(id)
            if (found === undefined) throw new SetError('notFound')
            const { id: same, ...patched } = patchedObject(object(found), patch)
            if (same !== id) throw new SetError('invalidProperties', undefined, { properties: ['id'] })
            const value = type.taken(patched, others(id), found.value)
            put(id, value)
            live.set(id, { ...found, value })
            outcome.updated(id)
          } catch (error) {
            outcome.notUpdated(key, error)
          }
        }
        for (const key of args.destroy ?? []) {
          const id = call.resolve(key) ?? key
          if (live.delete(id)) {
            remove(id)
            outcome.destroyed(id)
          } else outcome.notDestroyed(key, new SetError('notFound'))
        }
      })
      for (const [creation, id, rest] of made) {
        call.remember(creation, id)
        outcome.created(creation, { id, ...rest })
      }
      if (done.after !== done.before) call.jmap.changed(account.handle.mailbox, type.name)
      return outcome.answer(args.accountId, String(done.before), String(done.after))
    },
  })
  return [get, changes, set]
}
