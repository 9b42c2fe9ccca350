/**
 * SmartReply and SmartForward: the client's text above, the original below, its attachments along. [MS-ASCMD] §2.2.1.19, §2.2.1.20.
 * What is signed or encrypted is never taken apart: a signed new message goes as it is, an original that cannot be quoted without losing
 * its signature is forwarded whole as message/rfc822.
 */
import type { Item, MailboxHandle } from '@postrider/domain'
import {
  type AttachmentInput,
  attachmentPart,
  bodyStartOf,
  buildMultipart,
  findBodies,
  HeaderFields,
  htmlToText,
  messagePart,
  type MimeNode,
  partBytes,
  partText,
  renderNode,
  rewriteHeaders,
  scanMessage,
  textPart,
  textToHtml,
} from '@postrider/wire/mime'
import { attachmentList, contentOf, displayName } from '../items/attachments.ts'
import { Original } from '../items/original.ts'
import { BodyText, BodyType, crlf } from '../items/text.ts'
import { type Language, quoteFields, quoteHeader, quoteHtml, quoteText } from './quote.ts'

export interface MergeInput {
  readonly mailbox: MailboxHandle
  /** The client's message, CRLF. */
  readonly mime: Uint8Array
  /** The original, read with the columns of a whole mail. */
  readonly item: Item
  readonly kind: 'reply' | 'forward'
  readonly language: Language
}

const sealed = (type: string, subtype: string): boolean =>
  (type === 'multipart' && (subtype === 'signed' || subtype === 'encrypted')) ||
  (type === 'application' && /^(?:x-)?pkcs7-mime$/.test(subtype))

/** Text that PGP signed or encrypted inside a plain body: RFC 9580 §6.2. */
const pgpInline = /^-----BEGIN PGP (?:SIGNED )?MESSAGE-----/m

export async function mergeMessage(input: MergeInput): Promise<Uint8Array> {
  const tree = scanMessage(input.mime)
  const root = tree.parts[0]
  if (root === undefined || sealed(root.type, root.subtype)) return input.mime
  const written = writtenOf(input.mime)
  if (written.text !== undefined && pgpInline.test(written.text)) return input.mime
  const original = Original.of(input.mailbox, input.item)
  const [originalRoot] = await original.parts()
  const opaque = originalRoot !== undefined && sealed(originalRoot.type, originalRoot.subtype)
  // A clear-signed original can be read and quoted; what is encrypted cannot.
  const readable = !opaque || originalRoot.subtype === 'signed'
  const text = readable ? await quotedBodies(input, original, written) : written
  const along = await attachmentsOf(input, original, opaque, text.html !== undefined)
  const nodes = [...written.attachments.map(attachmentPart), ...along.attached]
  return assemble(input.mime, text, [...written.inline, ...along.inline], nodes)
}

interface Written {
  readonly text: string | undefined
  readonly html: string | undefined
  readonly inline: readonly AttachmentInput[]
  readonly attachments: readonly AttachmentInput[]
}

/** What the client wrote. */
function writtenOf(mime: Uint8Array): Written {
  const tree = scanMessage(mime)
  const { text, html, calendar, inline, attachments, more } = findBodies(tree)
  const file = (part: (typeof attachments)[number], isInline: boolean): AttachmentInput => ({
    content: partBytes(tree.bytes, part),
    contentType: `${part.type}/${part.subtype}${part.charset === undefined ? '' : `; charset=${part.charset}`}`,
    filename: part.filename,
    contentId: part.contentId,
    contentLocation: part.location,
    inline: isInline,
  })
  const texts = [text, ...more].filter((part) => part !== undefined)
  return {
    text: texts.length === 0 ? undefined : crlf(texts.map((part) => partText(tree.bytes, part)).join('\r\n')),
    html: html === undefined ? undefined : partText(tree.bytes, html),
    inline: inline.map((part) => file(part, true)),
    attachments: [...attachments, ...(calendar === undefined ? [] : [calendar])].map((part) => file(part, false)),
  }
}

/** The bodies with the original below. HTML when either side has it, plain text always. */
async function quotedBodies(
  { item, kind, language }: MergeInput,
  original: Original,
  written: Written,
): Promise<Pick<Written, 'text' | 'html'>> {
  const header = original.exists ? await original.header(quoteFields) : new HeaderFields(new Uint8Array(0))
  const block = quoteHeader(item, header, language)
  const body = new BodyText(original, item.props)
  const reply = kind === 'reply'
  const plain = written.text ?? htmlToText(written.html ?? '')
  const text = quoteText(crlf(plain), block, await body.as(BodyType.plain), reply, language)
  if (written.html === undefined && (await body.native()) === BodyType.plain) return { text, html: undefined }
  const html = written.html ?? textToHtml(plain)
  return { text, html: quoteHtml(html, block, await body.as(BodyType.html), reply) }
}

/**
 * What of the original goes along: in a forward its attachments, in both the pictures its HTML shows. A sealed one goes whole
 * when it is forwarded.
 */
async function attachmentsOf(
  { mailbox, item, kind }: MergeInput,
  original: Original,
  opaque: boolean,
  html: boolean,
): Promise<{ inline: AttachmentInput[]; attached: MimeNode[] }> {
  if (opaque) return { inline: [], attached: kind === 'forward' ? [messagePart(await original.whole())] : [] }
  const inline: AttachmentInput[] = []
  const attached: MimeNode[] = []
  for (const attachment of attachmentList(item)) {
    const shown = attachment.inline && attachment.contentId !== undefined && html
    if (!shown && kind === 'reply') continue
    const content = await contentOf(mailbox, item, attachment, original)
    if (content === undefined) continue
    const input: AttachmentInput = {
      content: content.bytes,
      contentType: content.contentType,
      filename: displayName(attachment),
      contentId: attachment.contentId,
      inline: shown,
    }
    if (shown) inline.push(input)
    else attached.push(attachmentPart(input))
  }
  return { inline, attached }
}

/** Fields of the client's header that describe the body it had. */
const BODY_FIELDS = [
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-id',
  'content-language',
  'mime-version',
]

/** The client's header over a new body: mixed( related( alternative( text, html ), inline… ), attachments… ). UTF-8 throughout (MS-ASCMD_R548). */
function assemble(
  mime: Uint8Array,
  { text, html }: Pick<Written, 'text' | 'html'>,
  inline: readonly AttachmentInput[],
  attached: readonly MimeNode[],
): Uint8Array {
  const alternatives: MimeNode[] = [textPart(text ?? '')]
  if (html !== undefined) alternatives.push(textPart(html, 'html'))
  let body = alternatives.length === 1 ? alternatives[0]! : buildMultipart('alternative', alternatives)
  const pictures = html === undefined ? [] : unique(inline)
  if (pictures.length > 0) body = buildMultipart('related', [body, ...pictures.map(attachmentPart)])
  if (attached.length > 0) body = buildMultipart('mixed', [body, ...attached])
  const bodyStart = bodyStartOf(mime, 0, mime.length)
  const header = rewriteHeaders(mime.subarray(0, bodyStart), { remove: BODY_FIELDS })
  return Buffer.concat([...fieldsOf(header), renderNode(body, 'MIME-Version: 1.0\r\n')])
}

/** The fields of a header block, each with its line end, without the blank line. */
function fieldsOf(header: Uint8Array): Uint8Array[] {
  const fields = new HeaderFields(header)
  const last = fields.fields.at(-1)
  if (last === undefined) return []
  const block = header.subarray(0, last.end)
  return block.at(-1) === 10 ? [block] : [block, Buffer.from('\r\n')]
}

/** Each Content-ID once: the client may have sent a picture of the original along. */
function unique(inline: readonly AttachmentInput[]): AttachmentInput[] {
  const seen = new Set<string>()
  return inline.filter(({ contentId }) => {
    const id = contentId ?? ''
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}
