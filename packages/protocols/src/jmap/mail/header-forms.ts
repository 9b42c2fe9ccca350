/** Header fields in their parsed forms: RFC 8621 §4.1.2. One table of forms; which field may take which form is data, too. */
import {
  type AddressItem,
  decodeWords,
  formatAddressList,
  formatDate,
  headerField,
  type MailAddress,
  mailboxesOf,
  messageIds,
  parseAddressList,
  parseDateTime,
  textField,
} from '@postrider/wire/mime'
import { MethodError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import * as s from '../core/shape.ts'

export type Form = 'Raw' | 'Text' | 'Addresses' | 'GroupedAddresses' | 'MessageIds' | 'Date' | 'URLs'

const addressFields = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'resent-from',
  'resent-sender',
  'resent-reply-to',
  'resent-to',
  'resent-cc',
  'resent-bcc',
]
const urlFields = ['list-help', 'list-unsubscribe', 'list-subscribe', 'list-post', 'list-owner', 'list-archive']
const idFields = ['message-id', 'in-reply-to', 'references', 'resent-message-id']
const dateFields = ['date', 'resent-date']
const textFields = ['subject', 'comments', 'keywords', 'list-id']
/** Fields of RFC 5322 and RFC 2369 that have no other form than Raw. */
const rawFields = ['return-path', 'received']

const formsOf: ReadonlyMap<string, readonly Form[]> = new Map<string, readonly Form[]>([
  ...addressFields.map((name): [string, readonly Form[]] => [name, ['Raw', 'Addresses', 'GroupedAddresses']]),
  ...urlFields.map((name): [string, readonly Form[]] => [name, ['Raw', 'URLs']]),
  ...idFields.map((name): [string, readonly Form[]] => [name, ['Raw', 'MessageIds']]),
  ...dateFields.map((name): [string, readonly Form[]] => [name, ['Raw', 'Date']]),
  ...textFields.map((name): [string, readonly Form[]] => [name, ['Raw', 'Text']]),
  ...rawFields.map((name): [string, readonly Form[]] => [name, ['Raw']]),
])

/** One `header:{name}:as{Form}:all` property. */
export interface HeaderProperty {
  readonly property: string
  /** As it was written, and in lower case. */
  readonly field: string
  readonly name: string
  readonly form: Form
  readonly all: boolean
}

const forms: readonly Form[] = ['Raw', 'Text', 'Addresses', 'GroupedAddresses', 'MessageIds', 'Date', 'URLs']

/** Reads such a name: RFC 8621 §4.1.3. Undefined for what is none; a form the field does not have is 'forbidden'. */
export function headerProperty(property: string): HeaderProperty | 'forbidden' | undefined {
  const [prefix, field = '', ...suffixes] = property.split(':')
  if (prefix !== 'header' || !/^[!-9;-~]{1,200}$/.test(field) || suffixes.length > 2) return undefined
  const all = suffixes.at(-1) === 'all'
  const rest = all ? suffixes.slice(0, -1) : suffixes
  if (rest.length > 1) return undefined
  const [as] = rest
  const form = as === undefined ? 'Raw' : forms.find((one) => as === `as${one}`)
  if (form === undefined) return undefined
  const name = field.toLowerCase()
  if (!(formsOf.get(name) ?? forms).includes(form)) return 'forbidden'
  return { property, field, name, form, all }
}

/** The convenience properties of an Email: RFC 8621 §4.1.3. */
export const convenience: Readonly<Record<string, { readonly field: string; readonly form: Form }>> = {
  messageId: { field: 'Message-ID', form: 'MessageIds' },
  inReplyTo: { field: 'In-Reply-To', form: 'MessageIds' },
  references: { field: 'References', form: 'MessageIds' },
  sender: { field: 'Sender', form: 'Addresses' },
  from: { field: 'From', form: 'Addresses' },
  to: { field: 'To', form: 'Addresses' },
  cc: { field: 'Cc', form: 'Addresses' },
  bcc: { field: 'Bcc', form: 'Addresses' },
  replyTo: { field: 'Reply-To', form: 'Addresses' },
  subject: { field: 'Subject', form: 'Text' },
  sentAt: { field: 'Date', form: 'Date' },
}

/** A field's value: the octets behind the colon, its last line end taken off. */
const lossy = new TextDecoder('utf-8')
export const rawValue = (bytes: Uint8Array): string =>
  lossy
    .decode(bytes)
    .replaceAll('\0', '')
    .replace(/\r?\n$/, '')

const unfolded = (raw: string): string => raw.replace(/\r?\n(?=[ \t])/g, '').trim()

/** A raw value in a form; null where it cannot be read as such. */
export function readForm(raw: string, form: Form): unknown {
  switch (form) {
    case 'Raw':
      return raw
    case 'Text':
      return decodeWords(unfolded(raw)).normalize('NFC')
    case 'Addresses':
      return mailboxesOf(addressItems(raw)).map(emailAddress)
    case 'GroupedAddresses':
      return grouped(addressItems(raw))
    case 'MessageIds': {
      const ids = messageIds(unfolded(raw))
      return ids.length === 0 ? null : ids.map((id) => id.slice(1, -1))
    }
    case 'Date': {
      const date = parseDateTime(unfolded(raw))
      return date === undefined ? null : writeDate(date.time, date.offset)
    }
    case 'URLs': {
      const urls = [...unfolded(raw).matchAll(/<([^<>]{1,4000})>/g)].map((match) =>
        (match[1] as string).replace(/\s+/g, ''),
      )
      return urls.length === 0 ? null : urls
    }
  }
}

const addressItems = (raw: string): AddressItem[] => parseAddressList(unfolded(raw))
const emailAddress = ({ name, address, local }: MailAddress): { name: string | null; email: string } => ({
  name: name === '' ? null : name,
  email: address === '' ? local : address,
})

/** RFC 8621 §4.1.2.4: runs of mailboxes outside of groups are groups without a name. */
function grouped(items: readonly AddressItem[]): unknown {
  const out: { name: string | null; addresses: unknown[] }[] = []
  let open = false
  for (const item of items) {
    if (item.kind === 'group') {
      out.push({ name: item.name, addresses: item.members.map(emailAddress) })
      open = false
      continue
    }
    if (!open) out.push({ name: null, addresses: [] })
    open = true
    out.at(-1)?.addresses.push(emailAddress(item))
  }
  return out
}

const two = (n: number): string => String(n).padStart(2, '0')
/** RFC 8620 §1.4 Date: in the zone it was written in. */
export function writeDate(time: number, offset: number): string {
  const local = new Date(time + offset * 60_000).toISOString().slice(0, 19)
  const minutes = Math.abs(offset)
  return offset === 0
    ? `${local}Z`
    : `${local}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
/** RFC 8620 §1.4 UTCDate. */
export const writeUtcDate = (time: number): string => {
  const text = new Date(time).toISOString()
  return text.endsWith('.000Z') ? `${text.slice(0, 19)}Z` : text.replace(/0+Z$/, 'Z')
}

const addressShape = s.object({ name: s.optional<string | null>(s.nullable(s.string), null), email: s.string })
const groupShape = s.object({
  name: s.optional<string | null>(s.nullable(s.string), null),
  addresses: s.list(addressShape),
})
export const addressesShape = s.list(addressShape)

/** A date with its zone (RFC 3339), as the Date field writes it. */
function readDate(text: string): { time: number; offset: number } | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text)
  if (match === null) return undefined
  const time = Date.parse(text)
  const offset = match[2] === undefined ? 0 : (Number(match[3]) * 60 + Number(match[4])) * (match[2] === '-' ? -1 : 1)
  return Number.isNaN(time) ? undefined : { time, offset }
}

/** A field of a new message from a form's value: RFC 8621 §4.6. Raises Misfit. */
export function writeForm(field: string, form: Form, value: Json, path: string): string {
  switch (form) {
    case 'Raw': {
      const raw = s.string(value, path)
      // What could end the field is no value of it.
      if (/\r?\n(?![ \t])|\r(?!\n)|\0/.test(raw)) throw new s.Misfit(path, 'a header value')
      return /^[\x20-\x7e\t\r\n]*$/.test(raw) &&
        raw.startsWith(' ') &&
        raw.split('\r\n').every((line) => line.length < 990 - field.length)
        ? `${field}:${raw.replace(/\r?\n/g, '\r\n')}\r\n`
        : headerField(field, raw)
    }
    case 'Text':
      return textField(field, s.string(value, path))
    case 'Addresses':
      return headerField(
        field,
        formatAddressList(
          addressesShape(value, path).map(({ name, email }) => ({
            name: name ?? '',
            address: checkedAddress(email, path),
          })),
        ),
      )
    case 'GroupedAddresses': {
      const items = s
        .list(groupShape)(value, path)
        .flatMap(({ name, addresses }): (AddressItem | { name: string; address: string })[] => {
          const members = addresses.map((one) => ({ name: one.name ?? '', address: checkedAddress(one.email, path) }))
          if (name === null) return members
          const item = parseAddressList(
            formatAddressList([{ kind: 'group', name, members: members as unknown as MailAddress[] }]),
          )
          return item
        })
      return headerField(field, formatAddressList(items))
    }
    case 'MessageIds': {
      const ids = s.list(s.string)(value, path)
      if (ids.length === 0 || !ids.every((id) => /^[!-;=?-~]{1,900}$/.test(id)))
        throw new s.Misfit(path, 'a list of message ids')
      return headerField(field, ids.map((id) => `<${id}>`).join(' '))
    }
    case 'Date': {
      const date = readDate(s.string(value, path))
      if (date === undefined) throw new s.Misfit(path, 'a date')
      return dateField(field, date)
    }
    case 'URLs': {
      const urls = s.list(s.string)(value, path)
      if (urls.length === 0 || !urls.every((url) => /^[!-;=?-~]{1,900}$/.test(url)))
        throw new s.Misfit(path, 'a list of URLs')
      return headerField(field, urls.map((url) => `<${url}>`).join(', '))
    }
  }
}

/** An address that is written as it was given, or none at all: a draft may have what is not yet an address. */
function checkedAddress(email: string, path: string): string {
  if (/[\r\n\0]/.test(email)) throw new s.Misfit(path, 'a list of addresses')
  return email
}

function dateField(field: string, { time, offset }: { time: number; offset: number }): string {
  return headerField(field, formatDate(time, offset))
}

/** Raises invalidArguments for a property of headers that is none. */
export function neededHeaderProperty(property: string): HeaderProperty {
  const read = headerProperty(property)
  if (read === undefined || read === 'forbidden')
    throw new MethodError('invalidArguments', `${property.slice(0, 100)} is no property`, { arguments: ['properties'] })
  return read
}
