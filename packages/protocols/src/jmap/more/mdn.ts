/** MDN/send and MDN/parse: RFC 9007. A notification leaves once for each mail: the mail is marked in the same transaction. */
import { Flag, isDomainError, type ItemId, type Operation } from '@postrider/domain'
import { decodeWords, HeaderFields, mailboxesOf, messageIds, parseAddressList } from '@postrider/wire/mime'
import { openBlob } from '../blobs/blob.ts'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { emailIdOf, readEmailId } from '../core/ids.ts'
import { type JsonObject, record } from '../core/json.ts'
import { type Answers, method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { setErrorFrom, wantedIds } from '../core/standard.ts'
import { runEmailSet } from '../mail/email-set.ts'
import { type Identity, identitiesOf } from '../mail/identity.ts'
import { refusalOf } from '../mail/outbox.ts'
import { flagsOf } from '../view/keywords.ts'
import { actionModes, dispositionTypes, type Mdn, readMdn, sendingModes, writeMdn } from './mdn-message.ts'

const MAX_TEXT = 64 * 1024
const MAX_FIELD = 998
const MAX_EXTENSIONS = 50

const maybeText = s.optional<string | null>(s.nullable(s.string), null)
const shape = s.object({
  forEmailId: s.idOrCreation,
  subject: maybeText,
  textBody: maybeText,
  includeOriginalMessage: s.optional(s.boolean, false),
  reportingUA: maybeText,
  disposition: s.object({
    actionMode: s.oneOf(...actionModes),
    sendingMode: s.oneOf(...sendingModes),
    type: s.oneOf(...dispositionTypes),
  }),
  finalRecipient: maybeText,
  error: s.optional<readonly string[] | null>(s.nullable(s.list(s.string)), null),
  extensionFields: s.optional<JsonObject | null>(s.nullable(s.jsonObject), null),
})

const sendArgs = {
  accountId: s.id,
  identityId: s.idOrCreation,
  send: s.mapOf(s.id, s.jsonObject),
  onSuccessUpdateEmail: s.maybe(s.mapOf(s.idOrCreation, s.jsonObject)),
} as const

export const mdnSend = method({
  name: 'MDN/send',
  capability: 'mdn',
  args: sendArgs,
  async run(call, args): Promise<Answers> {
    const account = await call.account(args.accountId, 'mdn')
    const identityId = call.resolve(args.identityId)
    const identity = (await identitiesOf(call, account)).find((one) => one.id === identityId)
    if (identity === undefined)
      throw new MethodError('invalidArguments', 'no such identity', { arguments: ['identityId'] })
    const sent = record<unknown>()
    const notSent = record<unknown>()
    const emails = new Map<string, string>()
    for (const [creation, object] of args.send) {
      try {
        const { emailId, set } = await sendOne(call, account, identity, object)
        sent[creation] = set
        emails.set(`#${creation}`, emailId)
      } catch (error) {
        notSent[creation] = setErrorFrom(error).toJSON()
      }
    }
    const answer = {
      accountId: args.accountId,
      sent: Object.keys(sent).length === 0 ? null : sent,
      notSent: Object.keys(notSent).length === 0 ? null : notSent,
    }
    const update = new Map<string, JsonObject>()
    for (const [key, patch] of args.onSuccessUpdateEmail ?? []) {
      const email = emails.get(key)
      if (email !== undefined) update.set(email, patch)
    }
    if (update.size === 0) return { answer, more: [] }
    const implicit = { accountId: args.accountId, ifInState: null, create: null, update, destroy: null }
    return { answer, more: [['Email/set', await runEmailSet(call, implicit)]] }
  },
})

/** Sends one; answers its mail and what the server set: RFC 9007 §2.1. */
async function sendOne(
  call: Call,
  account: Account,
  identity: Identity,
  object: JsonObject,
): Promise<{ readonly emailId: string; readonly set: Record<string, unknown> }> {
  const wanted = shape(object, '')
  const extensionFields = extensionsOf(wanted.extensionFields)
  const long = (['subject', 'reportingUA', 'finalRecipient'] as const).filter(
    (name) => (wanted[name]?.length ?? 0) > MAX_FIELD,
  )
  if (long.length > 0) throw invalidProperties(long)
  if ((wanted.textBody?.length ?? 0) > MAX_TEXT) throw new SetError('tooLarge')
  const view = await call.view(account)
  const mail = view.mail(readEmailId(call.resolve(wanted.forEmailId) ?? '') as ItemId)
  const place = mail?.places[0]
  if (mail === undefined || place === undefined) throw new SetError('notFound')
  if ((flagsOf(mail) & Flag.mdnSent) !== 0) throw new SetError('mdnAlreadySent')
  const [item] = await account.handle.get({ by: { mids: [place.mid] }, columns: ['original'] })
  if (item === undefined) throw new SetError('notFound')
  const original = await account.handle.original(item)
  const header = new HeaderFields(original)
  const asked = mailboxesOf(parseAddressList(header.get('disposition-notification-to') ?? ''))
  const to = asked.find((one) => one.address !== '')?.address
  // RFC 9007 §2.1: nobody asked for one.
  if (to === undefined) throw new SetError('notFound', 'no valid Disposition-Notification-To')
  const own = finalRecipientOf(call, wanted.finalRecipient, identity)
  const mdn: Mdn = {
    ...wanted,
    forEmailId: emailIdOf(mail.id),
    extensionFields,
    mdnGateway: null,
    originalRecipient: header.get('original-recipient')?.trim() ?? null,
    finalRecipient: own,
    originalMessageId: messageIds(header.get('message-id') ?? '')[0] ?? null,
  }
  const from = { name: identity.name, address: identity.email }
  const message = writeMdn(mdn, { from, to, now: call.jmap.parts.clock.now(), original })
  const envelope = { mailFrom: { email: '', parameters: null }, rcptTo: [{ email: to, parameters: null }] }
  const marks = mail.places.map(
    ({ folder, mid }): Operation => ({ op: 'flag', folder, items: { mids: [mid] }, set: Flag.mdnSent }),
  )
  // RFC 8098 §3: from nobody, so that it is never answered; once for each mail, from whichever device.
  const also: Operation[] = [...marks, { op: 'once', key: `jmap/mdn/${mail.id}`, keepMs: ONCE_MS }]
  await call.jmap.outbox.send(call.principal, { envelope, message }, also).catch((error: unknown) => {
    const before = error instanceof SetError ? error.type === refusalOf.duplicate : isDomainError(error, 'duplicate')
    throw before ? new SetError('mdnAlreadySent') : error
  })
  const { originalRecipient, originalMessageId, finalRecipient } = mdn
  const set = { finalRecipient, originalRecipient, originalMessageId }
  return { emailId: mdn.forEmailId ?? '', set }
}
const ONCE_MS = 400 * 24 * 60 * 60 * 1_000

/** RFC 8098 §3.2.4: `rfc822; address`. It must be one the user may write as. */
function finalRecipientOf(call: Call, given: string | null, identity: Identity): string {
  if (given === null) return `rfc822; ${identity.email}`
  const address = given.replace(/^\s*rfc822\s*;/i, '').trim()
  if (call.jmap.parts.directory.maySendAs(call.principal.account, address) === 'no') throw new SetError('forbiddenFrom')
  return `rfc822; ${address}`
}

function extensionsOf(given: JsonObject | null): Record<string, string> | null {
  if (given === null) return null
  const entries = Object.entries(given)
  const fits = ([name, value]: readonly [string, unknown]): boolean =>
    /^[!-9;-~]{1,76}$/.test(name) && typeof value === 'string' && value.length <= MAX_FIELD
  if (entries.length > MAX_EXTENSIONS || !entries.every(fits)) throw invalidProperties(['extensionFields'])
  return Object.fromEntries(entries) as Record<string, string>
}

export const mdnParse = method({
  name: 'MDN/parse',
  capability: 'mdn',
  args: { accountId: s.id, blobIds: s.list(s.id) },
  async run(call, args) {
    const account = await call.account(args.accountId, 'mdn')
    const parsed = record<unknown>()
    const notParsable: string[] = []
    const notFound: string[] = []
    for (const id of wantedIds(call, args.blobIds)) {
      const blob = await openBlob(call, account, id)
      if (blob === undefined) {
        notFound.push(id)
        continue
      }
      const bytes = await blob.read()
      const mdn = readMdn(bytes)
      if (mdn === undefined) notParsable.push(id)
      else
        parsed[id] = {
          ...mdn,
          subject: decodeWords(new HeaderFields(bytes).get('subject') ?? '').trim() || null,
          forEmailId: await mailOf(call, account, mdn.originalMessageId),
        }
    }
    const none = (list: readonly string[]): readonly string[] | null => (list.length === 0 ? null : list)
    return {
      accountId: args.accountId,
      parsed: Object.keys(parsed).length === 0 ? null : parsed,
      notParsable: none(notParsable),
      notFound: none(notFound),
    }
  },
})

/** The mail a notification is about: that of its Message-ID, if it is here. */
async function mailOf(call: Call, account: Account, messageId: string | null): Promise<string | null> {
  if (messageId === null) return null
  const view = await call.view(account)
  const { mids } = await account.handle.search({
    folders: [...view.folders.keys()],
    query: { kind: 'header', name: 'Message-ID', value: messageId },
    order: 'uid',
    offset: 0,
    limit: 1,
  })
  const mail = mids[0] === undefined ? undefined : view.byMid(mids[0])
  return mail === undefined ? null : emailIdOf(mail.id)
}
