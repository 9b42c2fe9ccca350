/**
 * Out of office: one record a mailbox, kept as a state entry (`OOF_STATE`). Clients write it (ActiveSync Settings, later EWS, MAPI, web), the
 * transport reads it on delivery and answers each sender once. [MS-ASCMD] §2.2.3.117 (Oof), [MS-OXWOOF] §3.1.
 */
export const oofStates = ['disabled', 'enabled', 'scheduled'] as const
export type OofState = (typeof oofStates)[number]

/** Who writes to the mailbox: a member of the organisation, an outsider who is among its contacts, any other outsider. */
export const oofAudiences = ['internal', 'externalKnown', 'externalUnknown'] as const
export type OofAudience = (typeof oofAudiences)[number]

export interface OofReply {
  readonly enabled: boolean
  readonly bodyType: 'text' | 'html'
  /** The answer in that type; may be empty, then none is sent. */
  readonly message: string
  /** Of an HTML message: the text that goes beside it, where somebody wrote one (RFC 8621 §8 `textBody`). */
  readonly text?: string | undefined
}

export interface OofRecord {
  readonly state: OofState
  /** ms since 1970, both set for `scheduled`: answers go out in [start, end). */
  readonly start: number | undefined
  readonly end: number | undefined
  readonly replies: Readonly<Record<OofAudience, OofReply>>
  /** Of the answers; undefined: that of the mail answered, with a word before it. RFC 8621 §8 `subject`. */
  readonly subject?: string | undefined
  /** When it was last written, ms: the transport forgets then whom it has answered already. */
  readonly changed: number
}

/** Where the record lives: `putState`/`state` client and key. The transport keeps whom it answered under the key prefix `answered/`. */
export const OOF_STATE = { client: 'oof', key: 'record' } as const
export const MAX_OOF_SUBJECT = 998
/** Characters of one reply. Exchange takes 128 KB of HTML. */
export const MAX_OOF_MESSAGE = 128 * 1024

const noReply: OofReply = { enabled: false, bodyType: 'text', message: '' }
export const oofDefault: OofRecord = {
  state: 'disabled',
  start: undefined,
  end: undefined,
  replies: { internal: noReply, externalKnown: noReply, externalUnknown: noReply },
  changed: 0,
}

/** The reply this audience gets at `now`, undefined for none. */
export function oofReplyAt(record: OofRecord, audience: OofAudience, now: number): OofReply | undefined {
  if (record.state === 'disabled') return undefined
  if (record.state === 'scheduled' && !(now >= (record.start ?? Infinity) && now < (record.end ?? Infinity)))
    return undefined
  const reply = record.replies[audience]
  return reply.enabled && reply.message !== '' ? reply : undefined
}

const VERSION = 1

export function encodeOof(record: OofRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: VERSION, ...record }))
}

/** What `encodeOof` wrote; the default for no bytes or bytes that are not such a record (a lost note must not stop mail). */
export function decodeOof(bytes: Uint8Array | undefined): OofRecord {
  if (bytes === undefined || bytes.length === 0) return oofDefault
  let raw: unknown
  try {
    raw = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return oofDefault
  }
  if (!isObject(raw) || raw.v !== VERSION) return oofDefault
  const replies = isObject(raw.replies) ? raw.replies : {}
  return {
    state: oofStates.find((one) => one === raw.state) ?? 'disabled',
    start: time(raw.start),
    end: time(raw.end),
    replies: {
      internal: replyOf(replies.internal),
      externalKnown: replyOf(replies.externalKnown),
      externalUnknown: replyOf(replies.externalUnknown),
    },
    ...(typeof raw.subject === 'string' && raw.subject !== '' ? { subject: raw.subject } : {}),
    changed: time(raw.changed) ?? 0,
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const time = (value: unknown): number | undefined => (Number.isFinite(value) ? (value as number) : undefined)
function replyOf(raw: unknown): OofReply {
  if (!isObject(raw)) return noReply
  const html = raw.bodyType === 'html'
  return {
    enabled: raw.enabled === true,
    bodyType: html ? 'html' : 'text',
    message: typeof raw.message === 'string' ? raw.message : '',
    ...(html && typeof raw.text === 'string' && raw.text !== '' ? { text: raw.text } : {}),
  }
}
