/** Identity/get, /changes, /set: RFC 8621 §6. Every address of the user is one; the user may add more for addresses they may send as. */
import { createHash } from 'node:crypto'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { type Json, type JsonObject, sameJson } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
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
} from '../core/standard.ts'
import { MAX_IDENTITIES } from '../limits.ts'
import { type Kept, recordChanges } from '../store/records.ts'
import { addressesShape } from './header-forms.ts'

const properties = ['id', 'name', 'email', 'replyTo', 'bcc', 'textSignature', 'htmlSignature', 'mayDelete'] as const
const MAX_SIGNATURE = 64 * 1024

type People = readonly { readonly name: string | null; readonly email: string }[]
interface IdentityValue {
  /** The address identity these are the user's settings of; null for one the user made. */
  readonly of: string | null
  readonly name: string
  readonly email: string
  readonly replyTo: People | null
  readonly bcc: People | null
  readonly textSignature: string
  readonly htmlSignature: string
}
export interface Identity extends IdentityValue {
  readonly id: string
  readonly mayDelete: boolean
  /** The record that keeps it; undefined for one nobody has changed. */
  readonly record: string | undefined
}

const KIND = 'identity'
const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

function identitiesFrom(account: Account, kept: Kept<IdentityValue>): Identity[] {
  const { entry } = account
  const overrides = new Map(
    kept.records.flatMap((one) => (one.value.of === null ? [] : [[one.value.of, one] as const])),
  )
  const own = [entry.address, ...entry.aliases].map((email): Identity => {
    const id = `D${hash(email.toLowerCase())}`
    const override = overrides.get(id)
    const blank = {
      of: id,
      name: entry.displayName,
      email,
      replyTo: null,
      bcc: null,
      textSignature: '',
      htmlSignature: '',
    }
    return { ...blank, ...override?.value, email, id, mayDelete: false, record: override?.id }
  })
  const made = kept.records.flatMap((one) =>
    one.value.of === null ? [{ ...one.value, id: one.id, mayDelete: true, record: one.id }] : [],
  )
  return [...own, ...made]
}

/** The user's identities as they are. */
export async function identitiesOf(call: Call, account: Account): Promise<readonly Identity[]> {
  return identitiesFrom(account, await call.jmap.records.read<IdentityValue>(account.handle, KIND))
}

/** Own changes, and which addresses the directory gives. */
const stateOf = (account: Account, change: number): string =>
  `${change}-${hash([account.entry.displayName, account.entry.address, ...account.entry.aliases].join('\n'))}`

export const identityGet = method({
  name: 'Identity/get',
  capability: 'submission',
  args: getArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'submission')
    const wanted = wantedProperties(args.properties, properties)
    const kept = await call.jmap.records.read<IdentityValue>(account.handle, KIND)
    const all = identitiesFrom(account, kept)
    const ids = args.ids === null ? null : wantedIds(call, args.ids)
    const list = ids === null ? all : all.filter((one) => ids.includes(one.id))
    return {
      accountId: args.accountId,
      state: stateOf(account, kept.change),
      list: list.map((one) => pick(one as unknown as Record<string, unknown>, wanted)),
      notFound: (ids ?? []).filter((id) => !list.some((one) => one.id === id)),
    }
  },
})

export const identityChanges = method({
  name: 'Identity/changes',
  capability: 'submission',
  args: changesArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'submission')
    const limit = changesLimit(args.maxChanges)
    const kept = await call.jmap.records.read<IdentityValue>(account.handle, KIND)
    const [change = '', addresses] = args.sinceState.split('-')
    if (stateOf(account, 0).split('-')[1] !== addresses) throw new MethodError('cannotCalculateChanges')
    const changes = recordChanges(kept, change, limit)
    const shown = new Map(kept.records.map((one) => [one.id, one.value.of]))
    const ids = (key: string): string[] => changes[key] as string[]
    return {
      accountId: args.accountId,
      ...changes,
      oldState: args.sinceState,
      newState: `${changes.newState}-${addresses}`,
      // Settings of an address are a change of an identity that was there before.
      created: ids('created').filter((id) => (shown.get(id) ?? null) === null),
      updated: [
        ...ids('updated').map((id) => shown.get(id) ?? id),
        ...ids('created').flatMap((id) => shown.get(id) ?? []),
      ],
    }
  },
})

const text = (value: Json, path: string): string => {
  const read = s.string(value, path)
  if (read.length > MAX_SIGNATURE) throw new s.Misfit(path, 'short enough')
  return read
}
const newIdentity = s.object({
  name: s.optional(s.string, ''),
  email: s.string,
  replyTo: s.optional<People | null>(s.nullable(addressesShape), null),
  bcc: s.optional<People | null>(s.nullable(addressesShape), null),
  textSignature: s.optional<string>(text, ''),
  htmlSignature: s.optional<string>(text, ''),
})

export const identitySet = method({
  name: 'Identity/set',
  capability: 'submission',
  args: setArgs,
  async run(call, args) {
    checkSetSize(args)
    const account = await call.account(args.accountId, 'submission')
    const outcome = new SetOutcome()
    const { directory } = call.jmap.parts
    const { before, after } = await call.jmap.records.write<IdentityValue, void>(
      account.handle,
      KIND,
      ({ kept, add, put, remove }) => {
        if (args.ifInState !== null && args.ifInState !== stateOf(account, kept.change))
          throw new MethodError('stateMismatch')
        const all = new Map(identitiesFrom(account, kept).map((one) => [one.id, one]))
        const attempt = (work: () => void, failed: (error: unknown) => void): void => {
          try {
            work()
          } catch (error) {
            failed(error)
          }
        }
        for (const [creation, object] of args.create ?? [])
          attempt(
            () => {
              const value = newIdentity(object, '')
              if (all.size >= MAX_IDENTITIES) throw new SetError('rateLimit')
              if (!mayUse(value.email)) throw new SetError('forbiddenFrom')
              const id = add({ ...value, of: null })
              call.remember(creation, id)
              const { email: _, ...rest } = value
              outcome.created(creation, { id, mayDelete: true, ...omitGiven(rest, object) })
            },
            (error) => outcome.notCreated(creation, error),
          )
        for (const [key, patch] of args.update ?? [])
          attempt(
            () => {
              const id = call.resolve(key) ?? key
              const known = all.get(id)
              if (known === undefined) throw new SetError('notFound')
              const { record, mayDelete, ...shown } = known
              const patched = patchedObject({ ...shown, mayDelete } as unknown as JsonObject, patch)
              const { id: _id, of: _of, mayDelete: _may, ...value } = patched as unknown as Identity
              if (value.email !== known.email || !sameJson(patched.id, id) || !sameJson(patched.mayDelete, mayDelete))
                throw invalidProperties(['email', 'id', 'mayDelete'].filter((name) => Object.hasOwn(patch, name)))
              const read = { ...newIdentity(value as unknown as Json, ''), of: known.mayDelete ? null : id }
              if (record === undefined) add(read)
              else put(record, read)
              outcome.updated(id)
            },
            (error) => outcome.notUpdated(key, error),
          )
        for (const key of args.destroy ?? [])
          attempt(
            () => {
              const id = call.resolve(key) ?? key
              const known = all.get(id)
              if (known === undefined) throw new SetError('notFound')
              if (!known.mayDelete) throw new SetError('forbidden')
              remove(id)
              outcome.destroyed(id)
            },
            (error) => outcome.notDestroyed(key, error),
          )
      },
    )
    return outcome.answer(args.accountId, stateOf(account, before), stateOf(account, after))

    /** `*@domain` is for servers that let anybody be anybody: RFC 8621 §6.1; this one does not. */
    function mayUse(email: string): boolean {
      return directory.maySendAs(call.principal.account, email) !== 'no'
    }
  },
})

const omitGiven = (value: Readonly<Record<string, unknown>>, given: JsonObject): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([name, one]) => !sameJson(given[name], one)))
