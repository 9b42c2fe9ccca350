/** A message disposition notification: written and read, RFC 8098 and RFC 6522. */
import {
  buildMessage,
  buildMultipart,
  decodeTransfer,
  HeaderFields,
  headerField,
  isEmbedded,
  type MimeNode,
  messagePart,
  partText,
  scanMessage,
  textPart,
} from '@postrider/wire/mime'

export const actionModes = ['manual-action', 'automatic-action'] as const
export const sendingModes = ['mdn-sent-manually', 'mdn-sent-automatically'] as const
export const dispositionTypes = ['deleted', 'dispatched', 'displayed', 'processed'] as const

/** RFC 9007 §2. */
export interface Mdn {
  readonly forEmailId: string | null
  readonly subject: string | null
  readonly textBody: string | null
  readonly includeOriginalMessage: boolean
  readonly reportingUA: string | null
  readonly disposition: {
    readonly actionMode: (typeof actionModes)[number]
    readonly sendingMode: (typeof sendingModes)[number]
    readonly type: (typeof dispositionTypes)[number]
  }
  readonly mdnGateway: string | null
  readonly originalRecipient: string | null
  readonly finalRecipient: string | null
  readonly originalMessageId: string | null
  readonly error: readonly string[] | null
  readonly extensionFields: Readonly<Record<string, string>> | null
}

const line = (text: string): string => text.replace(/[\r\n\0]+/g, ' ').trim()

/** The notification as a message: to whoever asked, from a person. */
export function writeMdn(
  mdn: Mdn,
  about: {
    readonly from: { readonly name: string; readonly address: string }
    readonly to: string
    readonly now: number
    readonly original: Uint8Array
  },
): Uint8Array {
  const parts: MimeNode[] = [textPart(`${mdn.textBody ?? ''}\r\n`), fieldsPart(mdn)]
  if (mdn.includeOriginalMessage) parts.push(messagePart(about.original))
  return buildMessage({
    from: [about.from],
    to: [{ address: about.to }],
    subject: mdn.subject ?? '',
    date: about.now,
    inReplyTo: mdn.originalMessageId ?? undefined,
    references: mdn.originalMessageId === null ? [] : [mdn.originalMessageId],
    // RFC 3834 §5: nobody answers this automatically.
    headers: [['Auto-Submitted', 'auto-replied']],
    body: buildMultipart('report', parts, [['report-type', 'disposition-notification']]),
  })
}

/** message/disposition-notification: RFC 8098 §3.1. */
function fieldsPart({ disposition, ...mdn }: Mdn): MimeNode {
  let text = ''
  const field = (name: string, value: string | null): void => {
    if (value !== null && value !== '') text += headerField(name, line(value))
  }
  field('Reporting-UA', mdn.reportingUA)
  field('Original-Recipient', mdn.originalRecipient)
  field('Final-Recipient', mdn.finalRecipient)
  field('Original-Message-ID', mdn.originalMessageId)
  field('Disposition', `${disposition.actionMode}/${sending[disposition.sendingMode]}; ${disposition.type}`)
  for (const error of mdn.error ?? []) field('Error', error)
  for (const [name, value] of Object.entries(mdn.extensionFields ?? {})) field(name, value)
  const body = Buffer.from(text, 'utf8')
  return {
    fields: headerField('Content-Type', 'message/disposition-notification'),
    body,
    boundary: '',
    children: [],
    eightBit: body.some((byte) => byte > 127),
  }
}

/** RFC 8098 §3.2.6.2 writes them with capitals. */
const sending = {
  'mdn-sent-manually': 'MDN-sent-manually',
  'mdn-sent-automatically': 'MDN-sent-automatically',
} as const

const known = new Set([
  'reporting-ua',
  'mdn-gateway',
  'original-recipient',
  'final-recipient',
  'original-message-id',
  'disposition',
  'error',
])

/** Reads one; undefined for what is no notification. */
export function readMdn(bytes: Uint8Array): Mdn | undefined {
  const { parts } = scanMessage(bytes)
  const [top] = parts
  if (top === undefined || top.type !== 'multipart' || top.subtype !== 'report') return undefined
  const report = parts.find(
    (one) => one.parent === 0 && one.type === 'message' && one.subtype.endsWith('disposition-notification'),
  )
  if (report === undefined) return undefined
  const raw = bytes.subarray(report.bodyStart, report.bodyEnd)
  const fields = new HeaderFields(
    Buffer.concat([isEmbedded(report) && !report.opaque ? raw : decodeTransfer(raw, report.encoding), CRLF]),
  )
  const disposition = readDisposition(fields.get('disposition') ?? '')
  if (disposition === undefined) return undefined
  const text = parts.find((one) => one.parent === 0 && one.type === 'text')
  const value = (name: string): string | null => fields.get(name)?.trim() || null
  const errors = fields.all('error').map((one) => one.trim())
  const extensions = fields.fields
    .filter((one) => !known.has(one.name.toLowerCase()))
    .map((one) => [one.name, (fields.get(one.name.toLowerCase()) ?? '').trim()] as const)
  return {
    forEmailId: null,
    subject: null,
    textBody: text === undefined ? null : partText(bytes, text),
    includeOriginalMessage: parts.some((one) => one.parent === 0 && one.type === 'message' && one.subtype === 'rfc822'),
    reportingUA: value('reporting-ua'),
    disposition,
    mdnGateway: value('mdn-gateway'),
    originalRecipient: value('original-recipient'),
    finalRecipient: value('final-recipient'),
    originalMessageId: value('original-message-id'),
    error: errors.length === 0 ? null : errors,
    extensionFields: extensions.length === 0 ? null : Object.fromEntries(extensions),
  }
}
const CRLF = Buffer.from('\r\n')

/** RFC 8098 §3.2.6: `manual-action/MDN-sent-manually; displayed`, modifiers aside. */
function readDisposition(text: string): Mdn['disposition'] | undefined {
  const match = /^\s*([\w-]+)\s*\/\s*([\w-]+)\s*;\s*([\w-]+)/.exec(text.toLowerCase())
  const actionMode = actionModes.find((one) => one === match?.[1])
  const sendingMode = sendingModes.find((one) => one === match?.[2])
  const type = dispositionTypes.find((one) => one === match?.[3])
  return actionMode === undefined || sendingMode === undefined || type === undefined
    ? undefined
    : { actionMode, sendingMode, type }
}
