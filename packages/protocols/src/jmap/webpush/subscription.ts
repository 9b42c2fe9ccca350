/** PushSubscription/get and /set: RFC 8620 §7.2. They belong to the user, not to an account; address and keys are never told again. */
import { randomBytes } from 'node:crypto'
import type { Principal } from '@postrider/domain'
import { openAccount } from '../core/accounts.ts'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { accountIdOf } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import {
  checkSetSize,
  getArgs,
  patchedObject,
  pick,
  setArgs,
  SetOutcome,
  wantedIds,
  wantedProperties,
} from '../core/standard.ts'
import { MAX_PUSH_SUBSCRIPTIONS, PUSH_LIFE_MS } from '../limits.ts'
import { keysValid, type PushKeys } from './seal.ts'

export const PUSH = 'push'

export interface SubscriptionValue {
  readonly deviceClientId: string
  readonly url: string
  readonly keys: PushKeys | null
  /** What the client must show us to prove that it hears us. */
  readonly code: string
  readonly verified: boolean
  /** ms */
  readonly expires: number
  readonly types: readonly string[] | null
}

const told = ['id', 'deviceClientId', 'verificationCode', 'expires', 'types'] as const
const MAX_URL = 2_000
const MAX_TYPES = 50

const shown = (id: string, one: SubscriptionValue): Record<string, unknown> => ({
  id,
  deviceClientId: one.deviceClientId,
  verificationCode: one.verified ? one.code : null,
  expires: new Date(one.expires).toISOString().replace(/\.\d+Z$/, 'Z'),
  types: one.types,
})

/** Where a user's subscriptions lie. */
async function own(call: Call): Promise<Account> {
  const account = await openAccount(call.jmap.parts, call.principal, accountIdOf(call.principal.mailbox))
  if (account === undefined) throw new MethodError('forbidden')
  return account
}

const { ids, properties } = getArgs

export const pushGet = method({
  name: 'PushSubscription/get',
  capability: 'core',
  args: { ids, properties },
  async run(call, args) {
    // RFC 8620 §7.2.1: address and keys are for nobody's eyes.
    if (args.properties?.some((name) => name === 'url' || name === 'keys')) throw new MethodError('forbidden')
    const wanted = wantedProperties(args.properties, told)
    const account = await own(call)
    const { records } = await call.jmap.records.read<SubscriptionValue>(account.handle, PUSH)
    const now = call.jmap.parts.clock.now()
    const asked = args.ids === null ? null : wantedIds(call, args.ids)
    const list = records.filter(({ id, value }) => value.expires > now && (asked === null || asked.includes(id)))
    return {
      list: list.map(({ id, value }) => pick(shown(id, value), wanted)),
      notFound: (asked ?? []).filter((id) => !list.some((one) => one.id === id)),
    }
  },
})

const keysShape = s.object({ p256dh: s.string, auth: s.string })
const newSubscription = s.object({
  deviceClientId: s.string,
  url: s.string,
  keys: s.maybe(keysShape),
  expires: s.maybe(s.utcDate),
  types: s.maybe(s.list(s.string)),
})
const { create, update, destroy } = setArgs

export const pushSet = method({
  name: 'PushSubscription/set',
  capability: 'core',
  args: { create, update, destroy },
  async run(call, args) {
    checkSetSize(args)
    const { jmap } = call
    const { clock } = jmap.parts
    const account = await own(call)
    const outcome = new SetOutcome()
    const now = clock.now()
    const fresh: string[] = []
    await jmap.records.write<SubscriptionValue, void>(account.handle, PUSH, ({ kept, add, put, remove }) => {
      const all = new Map(kept.records.map(({ id, value }) => [id, value]))
      for (const [id, { expires }] of all)
        if (expires <= now) {
          remove(id)
          all.delete(id)
        }
      for (const [creation, object] of args.create ?? [])
        try {
          if (Object.hasOwn(object, 'verificationCode')) throw invalidProperties(['verificationCode'])
          const value = made(newSubscription(object, ''), now, jmap.settings.pushToPlainHttp)
          // The same device again: its old subscription is dead.
          for (const [id, one] of all)
            if (one.deviceClientId === value.deviceClientId && one.url === value.url) {
              remove(id)
              all.delete(id)
            }
          if (all.size >= MAX_PUSH_SUBSCRIPTIONS) throw new SetError('overQuota')
          const id = add(value)
          all.set(id, value)
          fresh.push(id)
          call.remember(creation, id)
          // What the client said itself is not told again.
          outcome.created(creation, pick(shown(id, value), ['id', 'expires', 'verificationCode']))
        } catch (error) {
          outcome.notCreated(creation, error)
        }
      for (const [key, patch] of args.update ?? [])
        try {
          const id = call.resolve(key) ?? key
          const known = all.get(id)
          if (known === undefined) throw new SetError('notFound')
          const value = changed(known, id, patch, now)
          put(id, value)
          all.set(id, value)
          outcome.updated(id)
        } catch (error) {
          outcome.notUpdated(key, error)
        }
      for (const key of args.destroy ?? [])
        try {
          const id = call.resolve(key) ?? key
          if (!all.delete(id)) throw new SetError('notFound')
          remove(id)
          outcome.destroyed(id)
        } catch (error) {
          outcome.notDestroyed(key, error)
        }
    })
    await jmap.pushes.changed(account.entry, account.handle, fresh)
    // RFC 8620 §7.2.2: no account, no states.
    const { accountId: _a, oldState: _o, newState: _n, ...answer } = outcome.answer('', null, '')
    return answer
  },
})

function made(
  { deviceClientId, url, keys, expires, types }: ReturnType<typeof newSubscription>,
  now: number,
  plainHttp: boolean,
): SubscriptionValue {
  if (deviceClientId === '' || deviceClientId.length > 255) throw invalidProperties(['deviceClientId'])
  if (!urlValid(url, plainHttp)) throw invalidProperties(['url'])
  if (keys !== null && !keysValid(keys)) throw invalidProperties(['keys'])
  return {
    deviceClientId,
    url,
    keys,
    code: randomBytes(24).toString('base64url'),
    verified: false,
    expires: lasting(expires, now),
    types: typesOf(types),
  }
}

function changed(known: SubscriptionValue, id: string, patch: JsonObject, now: number): SubscriptionValue {
  const before = shown(id, known)
  const after = patchedObject(before as JsonObject, patch) as Record<string, unknown>
  const wrong = Object.keys(after).filter((name) => !told.some((one) => one === name))
  for (const name of ['id', 'deviceClientId']) if (after[name] !== before[name]) wrong.push(name)
  if (wrong.length > 0) throw invalidProperties(wrong)
  const code = after.verificationCode
  if (code !== null && code !== known.code) throw invalidProperties(['verificationCode'])
  const expires = s.nullable(s.utcDate)((after.expires ?? null) as never, 'expires')
  return {
    ...known,
    verified: known.verified || code === known.code,
    expires: Object.hasOwn(patch, 'expires') ? lasting(expires, now) : known.expires,
    types: typesOf(s.nullable(s.list(s.string))((after.types ?? null) as never, 'types')),
  }
}

/** RFC 8620 §7.2: the server may shorten what is asked for. */
const lasting = (asked: number | null, now: number): number => {
  if (asked !== null && asked <= now) throw invalidProperties(['expires'])
  return Math.min(asked ?? Number.POSITIVE_INFINITY, now + PUSH_LIFE_MS)
}
function typesOf(types: readonly string[] | null): readonly string[] | null {
  if (types !== null && (types.length > MAX_TYPES || types.some((one) => one.length > 100)))
    throw invalidProperties(['types'])
  return types
}
function urlValid(text: string, plainHttp: boolean): boolean {
  if (text.length > MAX_URL || !URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return (protocol === 'https:' || (plainHttp && protocol === 'http:')) && username === '' && password === ''
}

export const principalOf = ({ account, address, displayName, mailbox, language }: Account['entry']): Principal => ({
  account,
  address,
  displayName,
  mailbox,
  language,
  protocol: 'web',
  appPassword: undefined,
})
