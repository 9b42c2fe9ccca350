/** EmailSubmission/get, /changes, /query, /queryChanges, /set: RFC 8621 §7. */
import { randomUUID } from 'node:crypto'
import type { ItemId } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { readEmailId, threadIdOf } from '../core/ids.ts'
import { isObject, type JsonObject, record, sameJson } from '../core/json.ts'
import { type Answers, method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import {
  changesArgs,
  changesLimit,
  checkSetSize,
  getArgs,
  patchedObject,
  pick,
  queryChangesArgs,
  setArgs,
  SetOutcome,
  wantedIds,
  wantedProperties,
  windowArgs,
  windowed,
} from '../core/standard.ts'
import { MAX_PENDING, MAX_QUERY_LIMIT, MAX_SUBMISSIONS } from '../limits.ts'
import { recordChanges, type Stored } from '../store/records.ts'
import { runEmailSet } from './email-set.ts'
import { writeUtcDate } from './header-forms.ts'
import { identitiesOf } from './identity.ts'
import { ACCEPTED, SUBMISSION, type SubmissionValue } from './outbox.ts'
import { type Envelope, envelopeShape, prepareOutgoing } from './outgoing.ts'

const properties = [
  'id',
  'identityId',
  'emailId',
  'threadId',
  'envelope',
  'sendAt',
  'undoStatus',
  'deliveryStatus',
  'dsnBlobIds',
  'mdnBlobIds',
] as const

/** RFC 8621 §7. Whether it arrived elsewhere is told by reports, not here. */
function shown({ id, value }: Stored<SubmissionValue>): Record<string, unknown> {
  const { reply } = value
  const delivered = reply === ACCEPTED ? 'queued' : 'no'
  const status = record(
    value.envelope.rcptTo.map(({ email }) => [email, { smtpReply: reply, delivered, displayed: 'unknown' }] as const),
  )
  return {
    id,
    identityId: value.identityId,
    emailId: value.emailId,
    threadId: value.threadId,
    envelope: value.envelope,
    sendAt: writeUtcDate(value.sendAt),
    undoStatus: value.undoStatus,
    deliveryStatus: reply === null ? null : status,
    dsnBlobIds: [],
    mdnBlobIds: [],
  }
}

export const submissionGet = method({
  name: 'EmailSubmission/get',
  capability: 'submission',
  args: getArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'submission')
    const wanted = wantedProperties(args.properties, properties)
    const kept = await call.jmap.records.read<SubmissionValue>(account.handle, SUBMISSION)
    const ids = args.ids === null ? null : wantedIds(call, args.ids)
    const list = ids === null ? kept.records : kept.records.filter((one) => ids.includes(one.id))
    return {
      accountId: args.accountId,
      state: String(kept.change),
      list: list.map((one) => pick(shown(one), wanted)),
      notFound: (ids ?? []).filter((id) => !list.some((one) => one.id === id)),
    }
  },
})

export const submissionChanges = method({
  name: 'EmailSubmission/changes',
  capability: 'submission',
  args: changesArgs,
  async run(call, args) {
    const limit = changesLimit(args.maxChanges)
    const account = await call.account(args.accountId, 'submission')
    const kept = await call.jmap.records.read<SubmissionValue>(account.handle, SUBMISSION)
    return { accountId: args.accountId, ...recordChanges(kept, args.sinceState, limit) }
  },
})

const ids = s.optional<readonly string[] | undefined>(s.list(s.idOrCreation), undefined)
const filterShape = s.object({
  identityIds: ids,
  emailIds: ids,
  threadIds: ids,
  undoStatus: s.optional<'pending' | 'final' | 'canceled' | undefined>(
    s.oneOf('pending', 'final', 'canceled'),
    undefined,
  ),
  before: s.optional<number | undefined>(s.utcDate, undefined),
  after: s.optional<number | undefined>(s.utcDate, undefined),
})
const comparator = s.object({
  property: s.oneOf('emailId', 'threadId', 'sentAt', 'sendAt'),
  isAscending: s.optional(s.boolean, true),
  collation: s.maybe(s.string),
})
const operatorShape = s.object({ operator: s.oneOf('AND', 'OR', 'NOT'), conditions: s.list(s.jsonObject) })

function matches(filter: JsonObject, one: SubmissionValue): boolean {
  if (Object.hasOwn(filter, 'operator')) {
    const { operator, conditions } = operatorShape(filter, 'filter')
    const test = (inner: JsonObject): boolean => matches(inner, one)
    return operator === 'AND'
      ? conditions.every(test)
      : operator === 'OR'
        ? conditions.some(test)
        : !conditions.some(test)
  }
  const { identityIds, emailIds, threadIds, undoStatus, before, after } = filterShape(filter, 'filter')
  return (
    (identityIds?.includes(one.identityId) ?? true) &&
    (emailIds?.includes(one.emailId) ?? true) &&
    (threadIds?.includes(one.threadId) ?? true) &&
    (undoStatus === undefined || one.undoStatus === undoStatus) &&
    (before === undefined || one.sendAt < before) &&
    (after === undefined || one.sendAt >= after)
  )
}

export const submissionQuery = method({
  name: 'EmailSubmission/query',
  capability: 'submission',
  args: { accountId: s.id, filter: s.maybe(s.jsonObject), sort: s.maybe(s.list(s.jsonObject)), ...windowArgs },
  async run(call, args) {
    const account = await call.account(args.accountId, 'submission')
    const kept = await call.jmap.records.read<SubmissionValue>(account.handle, SUBMISSION)
    const sort = (args.sort ?? []).map((one, i) => {
      try {
        return comparator(one, `sort/${i}`)
      } catch {
        throw new MethodError('unsupportedSort')
      }
    })
    const found = kept.records.filter((one) => args.filter === null || matches(args.filter, one.value))
    found.sort((a, b) => {
      for (const { property, isAscending } of sort) {
        const key = property === 'sentAt' ? 'sendAt' : property
        const [x, y] = [a.value[key], b.value[key]]
        if (x !== y) return x < y === isAscending ? -1 : 1
      }
      return b.created - a.created
    })
    const all = found.map((one) => one.id)
    return windowed(all, args, String(kept.change), MAX_QUERY_LIMIT)
  },
})

export const submissionQueryChanges = method({
  name: 'EmailSubmission/queryChanges',
  capability: 'submission',
  args: queryChangesArgs,
  async run(call, args) {
    await call.account(args.accountId, 'submission')
    throw new MethodError('cannotCalculateChanges')
  },
})

const newSubmission = s.object({
  identityId: s.idOrCreation,
  emailId: s.idOrCreation,
  envelope: s.optional<Envelope | null>(s.nullable(envelopeShape), null),
})

export const submissionSet = method({
  name: 'EmailSubmission/set',
  capability: 'submission',
  args: {
    ...setArgs,
    onSuccessUpdateEmail: s.maybe(s.mapOf(s.idOrCreation, s.jsonObject)),
    onSuccessDestroyEmail: s.maybe(s.list(s.idOrCreation)),
  },
  async run(call, args): Promise<Answers> {
    checkSetSize(args)
    const account = await call.account(args.accountId, 'submission')
    const { records } = call.jmap
    const before = (await records.read<SubmissionValue>(account.handle, SUBMISSION)).change
    if (args.ifInState !== null && args.ifInState !== String(before)) throw new MethodError('stateMismatch')
    const outcome = new SetOutcome()
    /** The mail of every submission that was touched with success, by how the client calls it. */
    const emails = new Map<string, string>()
    for (const [creation, object] of args.create ?? []) {
      try {
        const { id, value } = await create(call, account, object)
        call.remember(creation, id)
        const { envelope, ...rest } = shown({ id, created: 0, changed: 0, value })
        outcome.created(creation, { ...rest, ...(isObject(object.envelope) ? {} : { envelope }) })
        emails.set(`#${creation}`, value.emailId)
        emails.set(id, value.emailId)
      } catch (error) {
        outcome.notCreated(creation, error)
      }
    }
    for (const [key, patch] of args.update ?? []) {
      try {
        const id = call.resolve(key) ?? key
        emails.set(key, await update(call, account, id, patch))
        outcome.updated(id)
      } catch (error) {
        outcome.notUpdated(key, error)
      }
    }
    for (const key of args.destroy ?? []) {
      try {
        const id = call.resolve(key) ?? key
        emails.set(key, await destroy(call, account, id))
        outcome.destroyed(id)
      } catch (error) {
        outcome.notDestroyed(key, error)
      }
    }
    const after = (await records.read<SubmissionValue>(account.handle, SUBMISSION)).change
    if (after !== before) call.jmap.changed(account.handle.mailbox, 'EmailSubmission')
    const answer = outcome.answer(args.accountId, String(before), String(after))
    const update_ = new Map<string, JsonObject>()
    for (const [key, patch] of args.onSuccessUpdateEmail ?? []) {
      const email = emails.get(key)
      if (email !== undefined) update_.set(email, patch)
    }
    const destroyed = (args.onSuccessDestroyEmail ?? []).flatMap((key) => emails.get(key) ?? [])
    if (update_.size === 0 && destroyed.length === 0) return { answer, more: [] }
    const implicit = { accountId: args.accountId, ifInState: null, create: null, update: update_, destroy: destroyed }
    return { answer, more: [['Email/set', await runEmailSet(call, implicit)]] }
  },
})

async function create(
  call: Call,
  account: Account,
  object: JsonObject,
): Promise<{ id: string; value: SubmissionValue }> {
  const wanted = newSubmission(object, '')
  const { jmap } = call
  const identities = await identitiesOf(call, account)
  const identity = identities.find((one) => one.id === (call.resolve(wanted.identityId) ?? ''))
  if (identity === undefined) throw invalidProperties(['identityId'])
  const emailId = call.resolve(wanted.emailId) ?? ''
  const view = await call.view(account)
  const mail = view.mail(readEmailId(emailId) as ItemId)
  const place = mail?.places[0]
  if (place === undefined) throw invalidProperties(['emailId'])
  if (place.size > jmap.settings.maxMessageSize)
    throw new SetError('tooLarge', undefined, { maxSize: jmap.settings.maxMessageSize })
  const [item] = await account.handle.get({ by: { mids: [place.mid] }, columns: ['original', 'promoted'] })
  if (item === undefined) throw invalidProperties(['emailId'])
  const outgoing = prepareOutgoing(call, await account.handle.original(item), identity.email, wanted.envelope)
  const held = outgoing.sendAt > jmap.parts.clock.now()
  const value: SubmissionValue = {
    identityId: identity.id,
    emailId,
    threadId: threadIdOf(item.promoted?.conversation ?? ''),
    envelope: outgoing.envelope,
    sendAt: outgoing.sendAt,
    undoStatus: held ? 'pending' : 'final',
    reply: held ? null : ACCEPTED,
    nonce: randomUUID(),
  }
  if (held) await jmap.parts.agenda?.add(account.handle.mailbox)
  const { result } = await jmap.records.write<SubmissionValue, string>(
    account.handle,
    SUBMISSION,
    ({ kept, add, remove, also }) => {
      const pending = kept.records.filter((one) => one.value.undoStatus === 'pending')
      if (held && pending.length >= MAX_PENDING) throw new SetError('rateLimit', 'too many mails are held already')
      // The oldest that are done with are forgotten: RFC 8621 §7 lets the server do so.
      const done = kept.records.filter((one) => one.value.undoStatus !== 'pending')
      for (const one of done.slice(0, Math.max(0, done.length + 1 - MAX_SUBMISSIONS))) remove(one.id)
      if (held) for (const operation of jmap.outbox.keep(value.nonce, outgoing.message)) also(operation)
      return add(value)
    },
    held ? undefined : (operations) => jmap.outbox.send(call.principal, outgoing, operations),
  )
  if (held) jmap.outbox.wait(account.entry, result, value.sendAt)
  return { id: result, value }
}

/** Only `undoStatus` can change, from pending to canceled: RFC 8621 §7.5. */
async function update(call: Call, account: Account, id: string, patch: JsonObject): Promise<string> {
  const { records, outbox } = call.jmap
  const { result } = await records.write<SubmissionValue, string>(account.handle, SUBMISSION, ({ kept, put, also }) => {
    const found = kept.records.find((one) => one.id === id)
    if (found === undefined) throw new SetError('notFound')
    const now = shown(found) as JsonObject
    const patched = patchedObject(now, patch)
    const changed = [...new Set([...Object.keys(now), ...Object.keys(patched)])].filter(
      (name) => !sameJson(now[name], patched[name]),
    )
    const foreign = changed.filter((name) => name !== 'undoStatus')
    if (foreign.length > 0) throw invalidProperties(foreign)
    if (changed.length === 0) return found.value.emailId
    if (patched.undoStatus !== 'canceled') throw invalidProperties(['undoStatus'])
    if (found.value.undoStatus !== 'pending') throw new SetError('cannotUnsend')
    put(id, { ...found.value, undoStatus: 'canceled' })
    also(outbox.forget(found.value.nonce))
    return found.value.emailId
  })
  return result
}

/** Destroying forgets, it does not unsend: one that waits must be canceled first. */
async function destroy(call: Call, account: Account, id: string): Promise<string> {
  const { result } = await call.jmap.records.write<SubmissionValue, string>(
    account.handle,
    SUBMISSION,
    ({ kept, remove }) => {
      const found = kept.records.find((one) => one.id === id)
      if (found === undefined) throw new SetError('notFound')
      if (found.value.undoStatus === 'pending') throw new SetError('forbidden', 'cancel it first')
      remove(id)
      return found.value.emailId
    },
  )
  return result
}
