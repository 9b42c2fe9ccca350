import type { Principal } from '@postrider/domain'
import { sanitizeHtml, plainToHtml, type Sanitized } from '@postrider/wire/html'
import type { WebContext } from './context.ts'

/** One mail as pages show it: asked from JMAP, bodies made safe. */

/** Who wants to know that it was read: RFC 8098 §2.1. */
export const receiptField = 'header:Disposition-Notification-To:asAddresses'

export interface Person {
  readonly name: string | null
  readonly email: string
}
export interface Part {
  readonly partId: string | null
  readonly blobId: string | null
  readonly type: string
  readonly name: string | null
  readonly size: number
  readonly cid: string | null
  readonly disposition: string | null
}
export interface Mail {
  readonly id: string
  readonly threadId: string
  readonly mailboxIds: Readonly<Record<string, true>>
  readonly keywords: Readonly<Record<string, true>>
  readonly from: readonly Person[] | null
  readonly to: readonly Person[] | null
  readonly cc: readonly Person[] | null
  readonly bcc: readonly Person[] | null
  readonly replyTo: readonly Person[] | null
  readonly subject: string | null
  readonly receivedAt: string
  readonly sentAt: string | null
  readonly messageId: readonly string[] | null
  readonly references: readonly string[] | null
  readonly inReplyTo: readonly string[] | null
  readonly preview: string
  readonly size: number
  readonly htmlBody: readonly Part[]
  readonly textBody: readonly Part[]
  readonly attachments: readonly Part[]
  readonly bodyValues: Readonly<Record<string, { readonly value: string; readonly isTruncated: boolean }>>
  readonly [receiptField]: readonly Person[] | null
}

/** Bytes of one body that is shown; the rest is in the original. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

const properties = [
  'id',
  'threadId',
  'mailboxIds',
  'keywords',
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'subject',
  'receivedAt',
  'sentAt',
  'messageId',
  'references',
  'inReplyTo',
  'preview',
  'size',
  'htmlBody',
  'textBody',
  'attachments',
  'bodyValues',
  receiptField,
]

type Calls = Parameters<WebContext['jmap']['call']>[1]
/** The answer to one call; rejects with what the method said when it was an error. */
export async function ask<T>(
  { jmap }: Pick<WebContext, 'jmap'>,
  principal: Principal,
  name: string,
  args: Calls[number][1],
): Promise<T> {
  const [response] = await jmap.call(principal, [[name, args, '0']])
  if (response === undefined || response[0] === 'error') throw new CallError(name, response?.[1])
  return response[1] as T
}
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly type: string
  constructor(method: string, answer: unknown) {
    const type = String((answer as { type?: unknown } | undefined)?.type ?? 'none')
    super(`${method}: ${type}`)
    this.type = type
  }
}

export async function loadMail(
  context: Pick<WebContext, 'jmap'>,
  principal: Principal,
  accountId: string,
  id: string,
): Promise<Mail | undefined> {
  if (!/^[\w-]{1,255}$/.test(id)) return undefined
  const args = {
    accountId,
    ids: [id],
    properties,
    bodyProperties: ['partId', 'blobId', 'type', 'name', 'size', 'cid', 'disposition'],
    fetchHTMLBodyValues: true,
    fetchTextBodyValues: true,
    maxBodyValueBytes: MAX_BODY_BYTES,
  }
  try {
    const { list } = await ask<{ list: readonly Mail[] }>(context, principal, 'Email/get', args)
    return list[0]
  } catch (error) {
    if (error instanceof CallError && error.type === 'accountNotFound') return undefined
    throw error
  }
}

/** Where the picture with this Content-ID is had. */
export function cidAddresses(accountId: string, { attachments, htmlBody }: Mail): (id: string) => string | undefined {
  const byId = new Map<string, Part>()
  for (const part of [...attachments, ...htmlBody])
    if (part.cid !== null && part.blobId !== null && /^image\/(?!svg)/.test(part.type))
      byId.set(part.cid.replace(/^<|>$/g, ''), part)
  return (id) => {
    const part = byId.get(id)
    if (part === undefined) return undefined
    const name = encodeURIComponent((part.name ?? '').slice(0, 100) || 'picture')
    return `/jmap/download/${accountId}/${part.blobId}/${name}?type=${encodeURIComponent(part.type)}`
  }
}

export interface SafeBody extends Sanitized {
  /** What the mail itself brought. */
  readonly kind: 'html' | 'text'
}

/** The body made safe; `picture` gives a remote picture's address of our own, when the user agreed. Undefined when there is none that is text. */
export function safeBody(
  accountId: string,
  mail: Mail,
  {
    picture,
    styles = true,
    pictures = true,
  }: { picture?: ((url: string) => string) | undefined; styles?: boolean; pictures?: boolean } = {},
): SafeBody | undefined {
  const found: SafeBody[] = []
  const cid = cidAddresses(accountId, mail)
  for (const part of mail.htmlBody) {
    const body = part.partId === null ? undefined : mail.bodyValues[part.partId]
    if (body === undefined) continue
    if (part.type === 'text/html') {
      const safe = sanitizeHtml(body.value, {
        cid,
        styles,
        pictures,
        ...(picture === undefined ? {} : { remote: picture }),
      })
      found.push({ ...safe, kind: 'html', cut: safe.cut || body.isTruncated })
    } else if (part.type.startsWith('text/')) {
      const { html, quoted, cut } = plainToHtml(body.value)
      found.push({ html, quoted, cut: cut || body.isTruncated, remote: 0, blocked: 0, kind: 'text' })
    }
  }
  if (found.length <= 1) return found[0]
  return {
    html: found.map(({ html }) => html).join('<hr>'),
    remote: found.reduce((sum, { remote }) => sum + remote, 0),
    blocked: found.reduce((sum, { blocked }) => sum + blocked, 0),
    quoted: found.some(({ quoted }) => quoted),
    cut: found.some(({ cut }) => cut),
    kind: found.some(({ kind }) => kind === 'html') ? 'html' : 'text',
  }
}
