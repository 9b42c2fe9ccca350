/** Body parts: EmailBodyPart and the lists made of them, RFC 8621 §4.1.4. */
import type { MimePart } from '@postrider/wire/mime'
import { partBlobId } from '../blobs/blob.ts'
import { MethodError } from '../core/error.ts'
import { record } from '../core/json.ts'
import { type HeaderProperty, headerProperty, rawValue, readForm } from './header-forms.ts'

export const partProperties = [
  'partId',
  'blobId',
  'size',
  'headers',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'language',
  'location',
  'subParts',
] as const
/** RFC 8621 §4.2: what of a part an Email/get answers by default. */
export const defaultPartProperties = [
  'partId',
  'blobId',
  'size',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'language',
  'location',
] as const

/** The parts a mail is made of; embedded messages are leaves. */
export interface Part {
  readonly mime: MimePart
  readonly subParts: readonly Part[] | undefined
}

export const typeOf = ({ mime }: Part): string => `${mime.type}/${mime.subtype}`

/** The tree from `root` on. Recursion is bounded by the scanner's depth limit. */
export function partTree(parts: readonly MimePart[], root = 0): Part {
  const mime = parts[root] as MimePart
  if (mime.type !== 'multipart') return { mime, subParts: undefined }
  const subParts: Part[] = []
  for (let child = mime.firstChild; child >= 0; child = (parts[child] as MimePart).nextSibling)
    subParts.push(partTree(parts, child))
  return { mime, subParts }
}

export interface BodyLists {
  readonly textBody: readonly Part[]
  readonly htmlBody: readonly Part[]
  readonly attachments: readonly Part[]
}

const isInlineMedia = (type: string): boolean => /^(?:image|audio|video)\//.test(type)

/** The algorithm of RFC 8621 §4.1.4, as it stands there, but that no text is lost. */
export function bodyLists(root: Part): BodyLists {
  const textBody: Part[] = []
  const htmlBody: Part[] = []
  const attachments: Part[] = []
  parseStructure([root], 'mixed', false, htmlBody, textBody, attachments)
  return { textBody, htmlBody, attachments }
}

function parseStructure(
  parts: readonly Part[],
  multipartType: string,
  inAlternative: boolean,
  htmlBody: Part[] | undefined,
  textBody: Part[] | undefined,
  attachments: Part[],
): void {
  let html = htmlBody
  let text = textBody
  const textLength = text?.length ?? -1
  const htmlLength = html?.length ?? -1
  for (const [i, part] of parts.entries()) {
    const type = typeOf(part)
    const isMultipart = part.subParts !== undefined
    const inline =
      part.mime.disposition !== 'attachment' &&
      (type === 'text/plain' || type === 'text/html' || isInlineMedia(type)) &&
      (i === 0 || (multipartType !== 'related' && (isInlineMedia(type) || part.mime.filename === undefined)))
    if (isMultipart) {
      const subtype = part.mime.subtype
      parseStructure(part.subParts ?? [], subtype, inAlternative || subtype === 'alternative', html, text, attachments)
    } else if (inline) {
      if (multipartType === 'alternative') {
        // Where the outer alternative has closed the body this one belongs to, it is an attachment rather than lost.
        const body = type === 'text/plain' ? text : type === 'text/html' ? html : undefined
        ;(body ?? attachments).push(part)
        continue
      }
      if (inAlternative) {
        if (type === 'text/plain') html = undefined
        if (type === 'text/html') text = undefined
      }
      text?.push(part)
      html?.push(part)
      // The RFC's steps lose a text where neither body is left to take it; here it is an attachment.
      const lost = text === undefined && html === undefined
      if (lost || ((text === undefined || html === undefined) && isInlineMedia(type))) attachments.push(part)
    } else attachments.push(part)
  }
  if (multipartType === 'alternative' && text !== undefined && html !== undefined) {
    // Found HTML part only, or text part only: it is the other body, too.
    if (textLength === text.length && htmlLength !== html.length) text.push(...html.slice(htmlLength))
    if (htmlLength === html.length && textLength !== text.length) html.push(...text.slice(textLength))
  }
}

/** What answering parts needs: the message's bytes by ranges, and the exact size of each. */
export interface PartSource {
  readonly blobId: string | null
  /** The header block of a part: bytes, and the fields' places in them. */
  header(part: MimePart): Promise<HeaderBlock>
  partSize(part: MimePart): Promise<number>
}

export interface HeaderBlock {
  readonly bytes: Uint8Array
  readonly fields: readonly {
    readonly name: string
    readonly start: number
    readonly valueStart: number
    readonly end: number
  }[]
}

/** The properties of parts a client asks for; raises invalidArguments. */
export function checkedPartProperties(names: readonly string[] | null): readonly string[] {
  if (names === null) return defaultPartProperties
  for (const name of names) {
    if ((partProperties as readonly string[]).includes(name)) continue
    const header = headerProperty(name)
    if (header === undefined || header === 'forbidden')
      throw new MethodError('invalidArguments', `${name.slice(0, 100)} is no property of a part`, {
        arguments: ['bodyProperties'],
      })
  }
  return [...new Set(names)]
}

/** One part as the client sees it; subParts always with it where `deep`. */
export async function partObject(
  source: PartSource,
  part: Part,
  properties: readonly string[],
  deep: boolean,
): Promise<Record<string, unknown>> {
  const out = record<unknown>()
  const { mime, subParts } = part
  const isMultipart = subParts !== undefined
  for (const name of properties) {
    switch (name) {
      case 'partId':
        out.partId = isMultipart ? null : partIdOf(mime)
        break
      case 'blobId':
        out.blobId = isMultipart || source.blobId === null ? null : partBlobId(source.blobId, mime)
        break
      case 'size':
        out.size = isMultipart ? 0 : await source.partSize(mime)
        break
      case 'name':
        out.name = mime.filename ?? null
        break
      case 'type':
        out.type = typeOf(part)
        break
      case 'charset':
        out.charset = mime.charset ?? (mime.type === 'text' ? 'us-ascii' : null)
        break
      case 'disposition':
        out.disposition = mime.disposition ?? null
        break
      case 'cid':
        out.cid = mime.contentId?.replace(/^\s*<|>\s*$/g, '') ?? null
        break
      case 'language':
        out.language = mime.language.length === 0 ? null : mime.language
        break
      case 'location':
        out.location = mime.location ?? null
        break
      case 'headers':
        out.headers = headerList(await source.header(mime))
        break
      case 'subParts':
        break
      default:
        out[name] = headerValue(await source.header(mime), headerProperty(name) as HeaderProperty)
    }
  }
  if (isMultipart && (deep || properties.includes('subParts')))
    out.subParts = await Promise.all(subParts.map((one) => partObject(source, one, properties, deep)))
  else if (properties.includes('subParts')) out.subParts = null
  return out
}

export const partIdOf = (mime: Pick<MimePart, 'index'>): string => String(mime.index)

/** EmailHeader[]: RFC 8621 §4.1.3, in the order of the message. */
export function headerList({ bytes, fields }: HeaderBlock): { name: string; value: string }[] {
  return fields.map((field) => ({
    name: Buffer.from(bytes.subarray(field.start, field.start + field.name.length)).toString('latin1'),
    value: rawValue(bytes.subarray(field.valueStart, field.end)),
  }))
}

/** One header property: the last field of the name, or all of them: RFC 8621 §4.1.3. */
export function headerValue(
  block: HeaderBlock,
  { name, form, all }: Pick<HeaderProperty, 'name' | 'form' | 'all'>,
): unknown {
  const values = block.fields
    .filter((field) => field.name === name)
    .map((field) => readForm(rawValue(block.bytes.subarray(field.valueStart, field.end)), form))
  return all ? values : (values.at(-1) ?? null)
}
