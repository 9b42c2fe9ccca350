/** A new message from an Email object: RFC 8621 §4.6. In: the object as the client wrote it; out: the bytes of a message, or a SetError. */
import { isAscii } from 'node:buffer'
import {
  buildMultipart,
  encodeBase64,
  encodeParameter,
  formatDate,
  formatParameterized,
  headerField,
  type MimeNode,
  newMessageId,
  renderNode,
  textPart,
  toCrlf,
} from '@postrider/wire/mime'
import { openBlob } from '../blobs/blob.ts'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, SetError } from '../core/error.ts'
import { isObject, type Json, type JsonObject, own } from '../core/json.ts'
import * as s from '../core/shape.ts'
import { isMediaType } from '../http/files.ts'
import { MAX_ATTACHMENTS_PER_EMAIL, MAX_NEW_DEPTH, MAX_NEW_PARTS } from '../limits.ts'
import { convenience, headerProperty, writeForm } from './header-forms.ts'

const bodyNames = ['bodyStructure', 'textBody', 'htmlBody', 'attachments', 'bodyValues']

interface Builder {
  readonly call: Call
  readonly account: Account
  readonly values: ReadonlyMap<string, string>
  readonly missing: string[]
  parts: number
  bytes: number
}

/** Builds it. `object` has no other properties than those of headers and bodies: `isContentProperty`. */
export async function buildEmail(call: Call, account: Account, object: JsonObject): Promise<Uint8Array> {
  const builder: Builder = {
    call,
    account,
    values: bodyValues(own(object, 'bodyValues')),
    missing: [],
    parts: 0,
    bytes: 0,
  }
  const header = headerOf(call, account, object)
  const body = await bodyOf(builder, object, header.names)
  if (builder.missing.length > 0) throw new SetError('blobNotFound', undefined, { notFound: builder.missing })
  return renderNode(body, header.text)
}

export const isContentProperty = (name: string): boolean =>
  bodyNames.includes(name) || Object.hasOwn(convenience, name) || name.startsWith('header:')

function headerOf(call: Call, account: Account, object: JsonObject): { text: string; names: ReadonlySet<string> } {
  const seen = new Set<string>()
  let out = ''
  for (const [name, value] of Object.entries(object)) {
    if (bodyNames.includes(name)) continue
    const short = convenience[name]
    const read = short === undefined ? headerProperty(name) : { ...short, name: short.field.toLowerCase(), all: false }
    if (read === undefined || read === 'forbidden' || /^content-/i.test(read.field)) throw invalidProperties([name])
    // RFC 8621 §4.6: no field twice, by whatever name.
    if (seen.has(read.name)) throw invalidProperties([name], 'the field is given twice')
    seen.add(read.name)
    if (value === null) {
      seen.delete(read.name)
      continue
    }
    out += fields(read.field, read.form, read.all, value, name)
  }
  if (!seen.has('date')) out = headerField('Date', formatDate(call.jmap.parts.clock.now())) + out
  if (!seen.has('message-id')) {
    const { address } = account.entry
    out += headerField('Message-ID', newMessageId(address.slice(address.lastIndexOf('@') + 1)))
  }
  if (!seen.has('mime-version')) out += 'MIME-Version: 1.0\r\n'
  for (const name of ['date', 'message-id', 'mime-version']) seen.add(name)
  return { text: out, names: seen }
}

function fields(field: string, form: Parameters<typeof writeForm>[1], all: boolean, value: Json, path: string): string {
  if (!all) return writeForm(field, form, value, path)
  if (!Array.isArray(value)) throw new s.Misfit(path, 'an array')
  return (value as readonly Json[]).map((one) => writeForm(field, form, one, path)).join('')
}

const valueShape = s.object({
  value: s.string,
  isEncodingProblem: s.optional(s.boolean, false),
  isTruncated: s.optional(s.boolean, false),
})

function bodyValues(value: Json | undefined): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  if (value === undefined || value === null) return out
  for (const [partId, one] of s.mapOf(s.string, valueShape)(value, 'bodyValues')) {
    if (one.isEncodingProblem || one.isTruncated) throw invalidProperties(['bodyValues'])
    out.set(partId, one.value)
  }
  return out
}

async function bodyOf(builder: Builder, object: JsonObject, fieldsOfMessage: ReadonlySet<string>): Promise<MimeNode> {
  const structure = own(object, 'bodyStructure')
  const lists = ['textBody', 'htmlBody', 'attachments'].filter((name) => (own(object, name) ?? null) !== null)
  if (structure !== undefined && structure !== null) {
    if (lists.length > 0) throw invalidProperties(['bodyStructure', ...lists])
    return node(builder, structure, 'bodyStructure', 0, fieldsOfMessage)
  }
  const text = await single(builder, own(object, 'textBody'), 'textBody', 'text/plain')
  const html = await single(builder, own(object, 'htmlBody'), 'htmlBody', 'text/html')
  const inline: MimeNode[] = []
  const attached: MimeNode[] = []
  for (const [i, one] of list(own(object, 'attachments'), 'attachments').entries()) {
    // Pictures of the HTML stand beside it: RFC 8621 §4.6 leaves the structure to the server.
    const beside =
      html !== undefined && isObject(one) && own(one, 'disposition') === 'inline' && typeof own(one, 'cid') === 'string'
    ;(beside ? inline : attached).push(await node(builder, one, `attachments/${i}`, 1))
  }
  const rich =
    html !== undefined && inline.length > 0
      ? buildMultipart('related', [html, ...inline], [['type', 'text/html']])
      : html
  const bodies = [text, rich].filter((one) => one !== undefined)
  const body =
    bodies.length > 1
      ? buildMultipart('alternative', bodies)
      : (bodies[0] ?? (attached.length > 0 ? undefined : textPart('')))
  if (attached.length === 0) return body as MimeNode
  return buildMultipart('mixed', [...(body === undefined ? [] : [body]), ...attached])
}

function list(value: Json | undefined, name: string): readonly Json[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalidProperties([name])
  return value as readonly Json[]
}

async function single(
  builder: Builder,
  value: Json | undefined,
  name: string,
  type: string,
): Promise<MimeNode | undefined> {
  if (value === undefined || value === null) return undefined
  const parts = list(value, name)
  const [part] = parts
  if (parts.length !== 1 || !isObject(part) || (own(part, 'type') ?? type) !== type) throw invalidProperties([name])
  return node(builder, { ...part, type }, `${name}/0`, 1)
}

const partShape = {
  partId: s.optional<string | null>(s.nullable(s.string), null),
  blobId: s.optional<string | null>(s.nullable(s.string), null),
  size: s.optional<number | null>(s.nullable(s.unsigned), null),
  name: s.optional<string | null>(s.nullable(s.string), null),
  type: s.optional<string | null>(s.nullable(s.string), null),
  charset: s.optional<string | null>(s.nullable(s.string), null),
  disposition: s.optional<string | null>(s.nullable(s.string), null),
  cid: s.optional<string | null>(s.nullable(s.string), null),
  language: s.optional<readonly string[] | null>(s.nullable(s.list(s.string)), null),
  location: s.optional<string | null>(s.nullable(s.string), null),
  subParts: s.optional<readonly JsonObject[] | null>(s.nullable(s.list(s.jsonObject)), null),
} as const
const readPart = s.object(partShape)
type NewPart = ReturnType<typeof readPart>

const NONE: ReadonlySet<string> = new Set()

/** `taken`: fields the message has already; those of the root part stand in the same header. */
async function node(
  builder: Builder,
  value: Json,
  path: string,
  depth: number,
  taken: ReadonlySet<string> = NONE,
): Promise<MimeNode> {
  const [property = ''] = path.split('/')
  const wrong = (why: string): SetError => invalidProperties([property], `${path}: ${why}`)
  if (++builder.parts > MAX_NEW_PARTS || depth > MAX_NEW_DEPTH) throw wrong('too many parts')
  if (!isObject(value)) throw wrong('no object')
  const headers = Object.entries(value).filter(([name]) => name.startsWith('header:'))
  const plain = Object.fromEntries(Object.entries(value).filter(([name]) => !name.startsWith('header:')))
  const part = readPart(plain, path)
  let extra = ''
  const given = new Set<string>()
  for (const [name, header] of headers) {
    const read = headerProperty(name)
    if (
      read === undefined ||
      read === 'forbidden' ||
      /^content-(?:transfer-encoding|type|disposition|id)$/.test(read.name) ||
      given.has(read.name) ||
      taken.has(read.name) ||
      (read.name === 'content-language' && part.language !== null) ||
      (read.name === 'content-location' && part.location !== null)
    )
      throw wrong(`${name.slice(0, 100)} cannot be set`)
    given.add(read.name)
    if (header !== null) extra += fields(read.field, read.form, read.all, header, path)
  }
  const type = (part.type ?? (part.subParts === null ? 'text/plain' : 'multipart/mixed')).toLowerCase()
  if (!isMediaType(type) || type.includes(';')) throw wrong('no media type')
  if (type.startsWith('multipart/')) {
    if (part.subParts === null || part.subParts.length === 0 || part.partId !== null || part.blobId !== null)
      throw wrong('a multipart has subParts only')
    const children: MimeNode[] = []
    for (const [i, one] of part.subParts.entries())
      children.push(await node(builder, one, `${path}/subParts/${i}`, depth + 1))
    const made = buildMultipart(type.slice('multipart/'.length), children)
    return { ...made, fields: made.fields + describing(part, undefined) + extra }
  }
  if (part.subParts !== null || (part.partId === null) === (part.blobId === null))
    throw wrong('a part has a partId or a blobId')
  const leaf = part.partId === null ? await fromBlob(builder, part, type) : fromValue(builder, part, type, wrong)
  return { ...leaf, fields: leaf.fields + extra }
}

function fromValue(builder: Builder, part: NewPart, type: string, wrong: (why: string) => SetError): MimeNode {
  const text = builder.values.get(part.partId as string)
  if (text === undefined) throw wrong('no body value of that partId')
  // RFC 8621 §4.6: the server chooses charset and encoding, and with them the size.
  if (part.charset !== null || part.size !== null || !type.startsWith('text/'))
    throw wrong('a part with a partId is text, and has neither charset nor size')
  const made = textPart(text, type.slice('text/'.length), part.name === null ? [] : [['name', part.name]])
  return { ...made, fields: made.fields + describing(part, part.name ?? undefined) }
}

async function fromBlob(builder: Builder, part: NewPart, type: string): Promise<MimeNode> {
  const blobId = part.blobId as string
  const blob = await openBlob(builder.call, builder.account, blobId)
  if (blob === undefined) {
    builder.missing.push(blobId)
    return textPart('')
  }
  builder.bytes += blob.size
  if (builder.bytes > MAX_ATTACHMENTS_PER_EMAIL) throw new SetError('tooLarge')
  const content = await blob.read()
  const parameters: [string, string][] = []
  if (part.charset !== null && type.startsWith('text/')) parameters.push(['charset', part.charset])
  if (part.name !== null) parameters.push(['name', part.name])
  const front =
    headerField('Content-Type', formatParameterized(type, parameters)) + describing(part, part.name ?? undefined)
  const whole = (encoding: string, body: Uint8Array): MimeNode => ({
    fields: encoding === '7bit' ? front : front + headerField('Content-Transfer-Encoding', encoding),
    body,
    boundary: '',
    children: [],
    eightBit: encoding === '8bit',
  })
  // RFC 2046 §5.2.1: messages are never encoded.
  if (type === 'message/rfc822' || type === 'message/global') {
    const body = toCrlf(content)
    return whole(isAscii(body) ? '7bit' : '8bit', body)
  }
  return whole('base64', encodeBase64(content))
}

/** Content-Disposition, -ID, -Language, -Location. */
function describing(part: NewPart, filename: string | undefined): string {
  const token = (text: string): boolean => /^[\w!#$&^.+-]{1,64}$/.test(text)
  let out = ''
  const { disposition, cid, language, location } = part
  if (disposition !== null && !token(disposition)) throw invalidProperties(['disposition'])
  if (disposition !== null || filename !== undefined) {
    const name = filename === undefined ? [] : encodeParameter('filename', filename)
    out += headerField('Content-Disposition', [disposition ?? 'attachment', ...name].join('; '))
  }
  if (cid !== null) {
    if (!/^[!-;=?-~]{1,250}$/.test(cid)) throw invalidProperties(['cid'])
    out += headerField('Content-ID', `<${cid}>`)
  }
  if (language !== null && language.length > 0) {
    if (!language.every(token)) throw invalidProperties(['language'])
    out += headerField('Content-Language', language.join(', '))
  }
  if (location !== null) out += headerField('Content-Location', location)
  return out
}
