/** Types of which an account has just one object, with id `singleton`: the /get and /set of such a type. */
import { createHash } from 'node:crypto'
import type { Account } from './accounts.ts'
import type { CapabilityName } from './capabilities.ts'
import type { Call } from './call.ts'
import { MethodError, SetError } from './error.ts'
import { type Json, type JsonObject, sameJson } from './json.ts'
import { type Method, method } from './method.ts'
import {
  checkSetSize,
  getArgs,
  patchedObject,
  pick,
  setArgs,
  SetOutcome,
  wantedIds,
  wantedProperties,
} from './standard.ts'

const ID = 'singleton'

export interface Singleton<T> {
  readonly name: string
  readonly capability: CapabilityName
  readonly properties: readonly string[]
  read(account: Account): Promise<T>
  shown(value: T): Readonly<Record<string, Json>>
  /** The value the patched object stands for; raises SetError or Misfit. */
  taken(patched: JsonObject, before: T, call: Call): T
  write(account: Account, value: T, call: Call): Promise<void>
}

const stateOf = (shown: unknown): string =>
  createHash('sha256').update(JSON.stringify(shown)).digest('hex').slice(0, 16)

export function singletonMethods<T>(type: Singleton<T>): readonly [Method, Method] {
  const properties = ['id', ...type.properties]
  const get = method({
    name: `${type.name}/get`,
    capability: type.capability,
    args: getArgs,
    async run(call, args) {
      const account = await call.account(args.accountId, type.capability)
      const wanted = wantedProperties(args.properties, properties)
      const shown = type.shown(await type.read(account))
      const ids = args.ids === null ? [ID] : wantedIds(call, args.ids)
      return {
        accountId: args.accountId,
        state: stateOf(shown),
        list: ids.includes(ID) ? [pick({ id: ID, ...shown }, wanted)] : [],
        notFound: ids.filter((id) => id !== ID),
      }
    },
  })
  const set = method({
    name: `${type.name}/set`,
    capability: type.capability,
    args: setArgs,
    async run(call, args) {
      checkSetSize(args)
      const account = await call.account(args.accountId, type.capability)
      const outcome = new SetOutcome()
      let value: T = await type.read(account)
      const before = stateOf(type.shown(value))
      if (args.ifInState !== null && args.ifInState !== before) throw new MethodError('stateMismatch')
      for (const creation of args.create?.keys() ?? []) outcome.notCreated(creation, new SetError('singleton'))
      for (const [key, patch] of args.update ?? []) {
        try {
          if (key !== ID) throw new SetError('notFound')
          const { id, ...patched } = patchedObject({ id: ID, ...type.shown(value) }, patch)
          if (id !== ID) throw new SetError('invalidProperties', undefined, { properties: ['id'] })
          const next = type.taken(patched, value, call)
          await type.write(account, next, call)
          value = next
          call.jmap.changed(account.handle.mailbox, type.name)
          outcome.updated(key, differences(type.shown(next), patched))
        } catch (error) {
          outcome.notUpdated(key, error)
        }
      }
      for (const id of args.destroy ?? []) outcome.notDestroyed(id, new SetError('singleton'))
      return outcome.answer(args.accountId, before, stateOf(type.shown(value)))
    },
  })
  return [get, set]
}

/** What is now otherwise than the client asked for. */
function differences(now: Readonly<Record<string, Json>>, wanted: JsonObject): Record<string, Json> | null {
  const entries = Object.entries(now).filter(([name, value]) => !sameJson(wanted[name] ?? null, value))
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
