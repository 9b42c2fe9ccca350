/** SmartReply and SmartForward, which differ in a word: [MS-ASCMD] §2.2.1.19, §2.2.1.20. */
import { Flag, type Item, type Operation, Pid } from '@postrider/domain'
import { HeaderFields, mailboxesOf, messageIds, parseAddressList, toCrlf } from '@postrider/wire/mime'
import type { Answer } from '../command.ts'
import type { Context } from '../context.ts'
import { indexTime, responseLevel } from '../items/conversation.ts'
import { Original } from '../items/original.ts'
import { type Verb, verbProperties } from '../items/verb.ts'
import type { Request } from '../request.ts'
import { Status, StatusError } from '../status.ts'
import { mergeMessage } from './merge.ts'
import { type ExtraFields, isMime, prepareOutgoing } from './outgoing.ts'
import { parseCompose } from './request.ts'
import { resendKey } from './resend.ts'
import { ownAddresses } from './sender.ts'
import { findSource } from './source.ts'
import { clientIdKey, sendMail } from './submit.ts'

/** Fields of the original that thread the new message under it. */
const threadFields = [
  'message-id',
  'references',
  'in-reply-to',
  'from',
  'reply-to',
  'to',
  'cc',
  'thread-topic',
] as const

/** Identifiers kept in References: RFC 5537 §3.4.4 suggests the first and the newest. */
const MAX_REFERENCES = 50

export async function smart(context: Context, request: Request, kind: 'reply' | 'forward'): Promise<Answer> {
  const compose = parseCompose(context, request, true)
  if (compose.source === undefined) throw new StatusError(Status.InvalidXML, 'Source')
  if (!isMime(compose.mime)) throw new StatusError(Status.InvalidMIME)
  const item = await findSource(context, compose.source)
  const original = Original.of(context.mailbox, item)
  const header = original.exists ? await original.header(threadFields) : new HeaderFields(new Uint8Array(0))
  const language = request.language ?? context.principal.language
  const mime = toCrlf(compose.mime)
  // MS-ASCMD_R3775: with ReplaceMime the client has written it all.
  const merged = compose.replaceMime
    ? mime
    : await mergeMessage({ mailbox: context.mailbox, mime, item, kind, language })
  const prepared = prepareOutgoing(context, merged, thread(context, item, header))
  if (!prepared.ok) throw new StatusError(prepared.status, prepared.reason)
  const verb = kind === 'forward' ? 'forward' : replyVerb(context, header, mime)
  const once = compose.clientId === undefined ? resendKey(context, mime) : clientIdKey(context, compose.clientId)
  const outcome = await sendMail(context, prepared.outgoing, {
    save: compose.save,
    once,
    also: marks(context, item, verb),
  })
  if (outcome === 'duplicate' && compose.clientId !== undefined) throw new StatusError(Status.MessagePreviouslySent)
  return { kind: 'empty' }
}

/** In-Reply-To, References (RFC 5322 §3.6.4) and Thread-Index ([MS-OXOMSG] §2.2.1.3), where the client wrote none. */
function thread(context: Context, item: Item, header: HeaderFields): ExtraFields {
  const [id] = messageIds(header.get('message-id') ?? '')
  const fields: [string, string][] = []
  if (id !== undefined) {
    const before = messageIds(header.get('references') ?? header.get('in-reply-to') ?? '').filter((one) => one !== id)
    const kept = before.length < MAX_REFERENCES ? before : [before[0]!, ...before.slice(2 - MAX_REFERENCES)]
    fields.push(['In-Reply-To', id], ['References', [...kept, id].join(' ')])
  }
  fields.push(['Thread-Index', threadIndex(context, item)])
  const topic = header.get('thread-topic')
  if (topic !== undefined && topic !== '') fields.push(['Thread-Topic', topic])
  return fields
}

/** PidTagConversationIndex of the original, one response level longer. */
function threadIndex(context: Context, item: Item): string {
  const stored = item.props?.get(Pid.TagConversationIndex)
  const base =
    stored instanceof Uint8Array && stored.length >= 22
      ? Buffer.from(stored)
      : Buffer.concat([
          Buffer.from([1]),
          indexTime(item.promoted?.sent ?? item.received),
          Buffer.from((item.promoted?.conversation ?? '').padEnd(32, '0').slice(0, 32), 'hex'),
        ])
  return Buffer.concat([base, responseLevel(base, context.deps.clock.now())]).toString('base64')
}

/** A reply to more people than the one who wrote is one to all: [MS-ASEMAIL] §2.2.2.44. */
function replyVerb(context: Context, original: HeaderFields, mime: Uint8Array): Verb {
  const list = (header: HeaderFields, ...fields: string[]) =>
    fields.flatMap((field) =>
      mailboxesOf(header.all(field).flatMap((value) => parseAddressList(value))).map((one) =>
        one.address.toLowerCase(),
      ),
    )
  const own = ownAddresses(context)
  const author = new Set(list(original, 'reply-to').length > 0 ? list(original, 'reply-to') : list(original, 'from'))
  const others = new Set(list(original, 'to', 'cc').filter((one) => !own.has(one) && !author.has(one)))
  return list(new HeaderFields(mime), 'to', 'cc').some((one) => others.has(one)) ? 'replyAll' : 'reply'
}

/** \Answered or $Forwarded for IMAP, the verb and its time for MAPI and phones. */
function marks(context: Context, item: Item, verb: Verb): Operation[] {
  const items = { mids: [item.mid] }
  const set = verb === 'forward' ? Flag.forwarded : Flag.answered
  return [
    { op: 'flag', folder: item.folder, items, set },
    { op: 'update', mid: item.mid, set: verbProperties(verb, context.deps.clock.now()) },
  ]
}
