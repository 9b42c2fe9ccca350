/** VacationResponse: RFC 8621 §8, over the one out-of-office record every client writes. */
import { createHash } from 'node:crypto'
import {
  decodeOof,
  encodeOof,
  MAX_OOF_MESSAGE,
  MAX_OOF_SUBJECT,
  OOF_STATE,
  type OofRecord,
  type OofReply,
} from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { type Json, type JsonObject, sameJson } from '../core/json.ts'
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
import { writeUtcDate } from './header-forms.ts'

const ID = 'singleton'
const properties = ['id', 'isEnabled', 'fromDate', 'toDate', 'subject', 'textBody', 'htmlBody'] as const

async function readRecord(account: Account): Promise<OofRecord> {
  const entries = await account.handle.state(OOF_STATE.client, OOF_STATE.key)
  return decodeOof(entries.find((one) => one.key === OOF_STATE.key)?.value)
}
const stateOf = (oof: OofRecord): string => createHash('sha256').update(encodeOof(oof)).digest('hex').slice(0, 16)

function shown(oof: OofRecord): Record<string, Json> {
  const { message, bodyType, text } = answerOf(oof)
  const timed = oof.state === 'scheduled'
  return {
    id: ID,
    isEnabled: oof.state !== 'disabled',
    fromDate: timed && oof.start !== undefined && oof.start > 0 ? writeUtcDate(oof.start) : null,
    toDate: timed && oof.end !== undefined && oof.end < FOREVER ? writeUtcDate(oof.end) : null,
    subject: oof.subject ?? null,
    textBody: message === '' ? null : bodyType === 'html' ? (text ?? null) : message,
    htmlBody: message === '' || bodyType === 'text' ? null : message,
  }
}

/** What outsiders hear, else what colleagues hear: JMAP knows one answer for all. */
const answerOf = ({ replies }: OofRecord): OofReply =>
  [replies.externalUnknown, replies.externalKnown, replies.internal].find((one) => one.enabled && one.message !== '') ??
  [replies.internal, replies.externalUnknown].find((one) => one.message !== '') ??
  replies.internal
/** The end of an absence that has none: the year 9999. */
const FOREVER = Date.UTC(9999, 0, 1)

export const vacationGet = method({
  name: 'VacationResponse/get',
  capability: 'vacation',
  args: getArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'vacation')
    const wanted = wantedProperties(args.properties, properties)
    const oof = await readRecord(account)
    const ids = args.ids === null ? [ID] : wantedIds(call, args.ids)
    return {
      accountId: args.accountId,
      state: stateOf(oof),
      list: ids.includes(ID) ? [pick(shown(oof), wanted)] : [],
      notFound: ids.filter((id) => id !== ID),
    }
  },
})

const shape = s.object({
  id: s.optional(s.string, ID),
  isEnabled: s.boolean,
  fromDate: s.optional<number | null>(s.nullable(s.utcDate), null),
  toDate: s.optional<number | null>(s.nullable(s.utcDate), null),
  subject: s.optional<string | null>(s.nullable(s.string), null),
  textBody: s.optional<string | null>(s.nullable(s.string), null),
  htmlBody: s.optional<string | null>(s.nullable(s.string), null),
})

export const vacationSet = method({
  name: 'VacationResponse/set',
  capability: 'vacation',
  args: setArgs,
  async run(call, args) {
    checkSetSize(args)
    const account = await call.account(args.accountId, 'vacation')
    const outcome = new SetOutcome()
    let oof = await readRecord(account)
    const before = stateOf(oof)
    if (args.ifInState !== null && args.ifInState !== before) throw new MethodError('stateMismatch')
    for (const creation of args.create?.keys() ?? []) outcome.notCreated(creation, new SetError('singleton'))
    for (const [key, patch] of args.update ?? []) {
      try {
        if (key !== ID) throw new SetError('notFound')
        const next = changed(oof, patch, call.jmap.parts.clock.now())
        await account.handle.apply([{ op: 'putState', ...OOF_STATE, value: encodeOof(next) }])
        oof = next
        call.jmap.changed(account.handle.mailbox, 'VacationResponse')
        outcome.updated(key, differences(shown(next), patch))
      } catch (error) {
        outcome.notUpdated(key, error)
      }
    }
    for (const id of args.destroy ?? []) outcome.notDestroyed(id, new SetError('singleton'))
    return outcome.answer(args.accountId, before, stateOf(oof))
  },
})

function changed(oof: OofRecord, patch: JsonObject, now: number): OofRecord {
  const patched = patchedObject(shown(oof), patch)
  const wanted = shape({ ...patched, isEnabled: patched.isEnabled ?? false }, '')
  if (wanted.id !== ID) throw invalidProperties(['id'])
  if ((wanted.subject ?? '').length > MAX_OOF_SUBJECT) throw invalidProperties(['subject'], 'too long')
  const long = (['textBody', 'htmlBody'] as const).filter((name) => (wanted[name] ?? '').length > MAX_OOF_MESSAGE)
  if (long.length > 0) throw invalidProperties(long, 'too long')
  const { fromDate, toDate } = wanted
  if (fromDate !== null && toDate !== null && toDate <= fromDate) throw invalidProperties(['fromDate', 'toDate'])
  const scheduled = fromDate !== null || toDate !== null
  const bodies = ['textBody', 'htmlBody'].some((name) => Object.hasOwn(patch, name))
  const reply: OofReply = { enabled: wanted.isEnabled, ...wordsOf(wanted.textBody || null, wanted.htmlBody || null) }
  const same = (one: OofReply): OofReply => (bodies ? reply : one)
  const first = oof.replies.internal.enabled || oof.replies.externalKnown.enabled || oof.replies.externalUnknown.enabled
  const replies = {
    internal: same(oof.replies.internal),
    externalKnown: same(oof.replies.externalKnown),
    externalUnknown: same(oof.replies.externalUnknown),
  }
  const enabled = (one: OofReply): OofReply => (first ? one : { ...one, enabled: true })
  return {
    state: wanted.isEnabled ? (scheduled ? 'scheduled' : 'enabled') : 'disabled',
    start: scheduled ? (fromDate ?? 0) : undefined,
    end: scheduled ? (toDate ?? FOREVER) : undefined,
    replies:
      bodies || !wanted.isEnabled
        ? replies
        : {
            internal: enabled(replies.internal),
            externalKnown: enabled(replies.externalKnown),
            externalUnknown: enabled(replies.externalUnknown),
          },
    ...(wanted.subject === null || wanted.subject.trim() === '' ? {} : { subject: wanted.subject }),
    changed: now,
  }
}

const wordsOf = (text: string | null, html: string | null): Omit<OofReply, 'enabled'> =>
  html === null
    ? { bodyType: 'text', message: text ?? '' }
    : { bodyType: 'html', message: html, ...(text === null ? {} : { text }) }

/** What is now otherwise than the client asked for. */
function differences(now: Readonly<Record<string, Json>>, patch: JsonObject): Record<string, Json> | null {
  const entries = Object.entries(now).filter(
    ([name, value]) => Object.hasOwn(patch, name) && !sameJson(patch[name], value),
  )
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
