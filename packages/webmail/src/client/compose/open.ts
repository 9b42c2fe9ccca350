/** Windows of writing: what is open, and how an answer begins. The windows themselves are loaded when the first one opens. */
import { type Signal, signal } from '@preact/signals'
import { app } from '../app.ts'
import type { Address, Email, EmailContent, Id } from '../jmap/types.ts'
import { escapeHtml, textToHtml } from '../mail/sanitise.ts'
import { fullAddress, longDate, nameOf, t } from '../text/text.ts'

/** How a mail is sent: S/MIME. */
export interface Protect {
  readonly sign: boolean
  readonly encrypt: boolean
}

export interface Attached {
  readonly key: string
  readonly name: string
  readonly type: string
  readonly size: number
  readonly blobId: Id
  /** Set for pictures in the text. */
  readonly cid?: string | undefined
}

/** What a window of writing starts with. */
export interface Beginning {
  readonly key: string
  readonly draftId?: Id | undefined
  readonly messageId?: string | undefined
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  readonly bcc: readonly Address[]
  readonly subject: string
  /** HTML below the place where one writes. */
  readonly quoted: string
  /** HTML of a draft. */
  readonly body?: string | undefined
  readonly attached: readonly Attached[]
  readonly inReplyTo: readonly string[] | null
  readonly references: readonly string[] | null
  /** Marked when this is sent. */
  readonly answers?: { readonly id: Id; readonly keyword: '$answered' | '$forwarded' } | undefined
  /** The sender wants to know that it was read: RFC 8098 §2.1. */
  readonly receipt: boolean
  readonly focus: 'to' | 'text'
  /** It answers encrypted mail, or takes such a mail up again: nothing of it is saved in the clear. */
  readonly secret?: boolean | undefined
  readonly protect?: Protect | undefined
}

export const windows: Signal<readonly Beginning[]> = signal([])
let count = 0

export function compose(start: Partial<Omit<Beginning, 'key'>>): void {
  // One writes from one's own mailbox.
  if (app.sharedBy !== undefined) {
    location.assign(mailtoAddress(start))
    return
  }
  const beginning: Beginning = {
    to: [],
    cc: [],
    bcc: [],
    subject: '',
    quoted: '',
    attached: [],
    inReplyTo: null,
    references: null,
    receipt: false,
    focus: 'to',
    ...start,
    key: `w${++count}`,
  }
  windows.value = [...windows.peek(), beginning]
}
export const closeWindow = (key: string): void => {
  windows.value = windows.peek().filter((one) => one.key !== key)
}

/** `mailto:` as RFC 6068. */
export function composeMailto(url: string): void {
  const [addresses = '', query = ''] = url.replace(/^mailto:/i, '').split('?')
  const values = new URLSearchParams(query.replaceAll('+', '%2B'))
  const list = (text: string | null): Address[] =>
    (text ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .map((email) => ({ name: null, email }))
  compose({
    to: [...list(decodeURIComponent(addresses)), ...list(values.get('to'))],
    cc: list(values.get('cc')),
    subject: values.get('subject') ?? '',
    body: textToHtml(values.get('body') ?? ''),
  })
}

const prefixed = (prefix: 'Re' | 'Fwd', subject: string): string =>
  new RegExp(`^${prefix === 'Re' ? '(?:re|aw|sv|ré)' : '(?:fwd?|wg|tr)'}\\s*:`, 'i').test(subject)
    ? subject
    : `${prefix}: ${subject}`

const mailtoAddress = ({ to = [], cc = [], subject = '' }: Partial<Beginning>): string => {
  const emails = (list: readonly Address[]): string => list.map(({ email }) => email).join(',')
  const mailto = `mailto:${encodeURIComponent(emails(to))}?${new URLSearchParams({ cc: emails(cc), subject })}`
  return `${app.base}compose?mailto=${encodeURIComponent(mailto.replaceAll('+', '%20'))}`
}

/** What only this browser can open. */
const isSealed = ({ smime }: EmailContent): boolean => smime?.kind === 'opaque' || smime?.kind === 'encrypted'
/** The files of a mail; the signature, and the envelope, are none. */
const filesOf = (content: EmailContent): EmailContent['attachments'] =>
  content.attachments.filter(({ type }) => content.smime == null || !/^application\/(?:x-)?pkcs7-/.test(type))
/** How an answer is sent: as the mail was. */
const secrecy = ({ smime }: EmailContent): Pick<Beginning, 'secret' | 'protect'> =>
  smime?.kind === 'encrypted' ? { secret: true, protect: { sign: true, encrypt: true } } : {}

/** The mail's HTML for quoting; pictures in the text stay by their download address. */
async function quotable(email: Email, content: EmailContent): Promise<string> {
  if (isSealed(content)) return (await import('../smime/sealed.tsx')).quotedOf(email, content)
  const html = await app.contents.html(email.id, false)
  if (html !== undefined) return html.html
  return content.textBody.map((part) => textToHtml(content.bodyValues[part.partId ?? '']?.value ?? '')).join('')
}

export async function replyTo(kind: 'reply' | 'replyAll' | 'forward', id: Id | undefined): Promise<void> {
  const email = id === undefined ? undefined : app.store.email(id).peek()
  if (email === undefined || id === undefined) return
  if (email.keywords.$draft === true) return editDraft(id)
  let content: EmailContent
  let quoted: string
  try {
    content = await app.contents.content(id)
    quoted = await quotable(email, content)
  } catch {
    app.tell(t('bodyFailed'))
    return
  }
  const chain = [...(content.references ?? content.inReplyTo ?? []), ...(content.messageId ?? [])]
  if (kind === 'forward') {
    const lines: readonly [string, string][] = [
      [t('from'), (email.from ?? []).map(fullAddress).join(', ')],
      [t('date'), longDate(content.sentAt ?? email.receivedAt)],
      [t('subject'), email.subject ?? ''],
      [t('to'), (email.to ?? []).map(fullAddress).join(', ')],
    ]
    const head = lines.map(([label, value]) => `<div><b>${escapeHtml(label)}:</b> ${escapeHtml(value)}</div>`).join('')
    compose({
      subject: prefixed('Fwd', email.subject ?? ''),
      quoted: `<div>---- ${escapeHtml(t('forwarded'))} ----</div>${head}<div><br></div>${quoted}`,
      attached: filesOf(content).flatMap((part, i) =>
        part.blobId === null
          ? []
          : [
              {
                key: `f${i}`,
                name: part.name ?? part.type,
                type: part.type,
                size: part.size,
                blobId: part.blobId,
                cid: part.disposition === 'inline' ? (part.cid ?? undefined) : undefined,
              },
            ],
      ),
      references: chain,
      ...secrecy(content),
      answers: { id, keyword: '$forwarded' },
      focus: 'to',
    })
    return
  }
  const own = new Set(
    [app.signedInAs, ...app.store.identities.peek().map((one) => one.email)].map((one) => one.toLowerCase()),
  )
  const mine = (email.from ?? []).some((one) => own.has(one.email.toLowerCase()))
  // An answer to one's own mail goes to whom that one went.
  const to = mine ? (email.to ?? []) : (content.replyTo ?? email.from ?? [])
  const others = kind === 'replyAll' ? [...(mine ? [] : (email.to ?? [])), ...(content.cc ?? [])] : []
  const seen = new Set(to.map((one) => one.email.toLowerCase()))
  const cc = others.filter(({ email: address }) => {
    const key = address.toLowerCase()
    return !own.has(key) && !seen.has(key) && seen.add(key)
  })
  const who = email.from?.[0]
  const line = t('onWrote', {
    time: longDate(content.sentAt ?? email.receivedAt),
    name: who === undefined ? t('nobody') : nameOf(who),
  })
  compose({
    to,
    cc,
    subject: prefixed('Re', email.subject ?? ''),
    quoted: `<div>${escapeHtml(line)}</div><blockquote type="cite">${quoted}</blockquote>`,
    attached: filesOf(content).flatMap((part, i) =>
      part.blobId !== null && part.cid !== null && part.disposition === 'inline'
        ? [
            {
              key: `q${i}`,
              name: part.name ?? '',
              type: part.type,
              size: part.size,
              blobId: part.blobId,
              cid: part.cid,
            },
          ]
        : [],
    ),
    inReplyTo: content.messageId,
    references: chain,
    ...secrecy(content),
    answers: { id, keyword: '$answered' },
    focus: 'text',
  })
}

const asksReceipt = (content: EmailContent): boolean =>
  (content['header:Disposition-Notification-To:asAddresses'] ?? []).length > 0

export async function editDraft(id: Id): Promise<void> {
  if (windows.peek().some((one) => one.draftId === id)) return
  const email: Email | undefined = app.store.email(id).peek()
  if (email === undefined) return
  try {
    app.contents.forget(id)
    const content = await app.contents.content(id)
    const attached: Attached[] = filesOf(content).flatMap((part, i) =>
      part.blobId === null
        ? []
        : [
            {
              key: `d${i}`,
              name: part.name ?? part.type,
              type: part.type,
              size: part.size,
              blobId: part.blobId,
              cid: part.disposition === 'inline' ? (part.cid ?? undefined) : undefined,
            },
          ],
    )
    compose({
      draftId: id,
      to: email.to ?? [],
      cc: content.cc ?? [],
      bcc: content.bcc ?? [],
      subject: email.subject ?? '',
      body: await quotable(email, content),
      // Taken back before it left: it is signed, and encrypted, again.
      ...(content.smime == null ? {} : { protect: { sign: true, encrypt: content.smime.kind === 'encrypted' } }),
      ...secrecy(content),
      attached,
      inReplyTo: content.inReplyTo,
      references: content.references,
      receipt: asksReceipt(content),
      focus: 'text',
    })
  } catch {
    app.tell(t('bodyFailed'))
  }
}
