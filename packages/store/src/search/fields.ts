import {
  type Attachment,
  Pid,
  type Promoted,
  type PropertyBag,
  type Recipient,
  type TextField,
} from '@postrider/domain'
import { HeaderFields, searchText, searchValue } from '@postrider/wire/mime'

/**
 * The texts of an item that searches look at, one column each in the index. `head` has the message's header fields, `name: value`, `parts`
 * those of its parts.
 */
export const fieldNames = ['subject', 'from', 'to', 'cc', 'bcc', 'body', 'names', 'head', 'parts'] as const
export type FieldName = (typeof fieldNames)[number]

/** Which columns a question about a field looks at. */
export const fieldsOf: { readonly [F in TextField]: readonly FieldName[] } = {
  subject: ['subject'],
  from: ['from'],
  to: ['to'],
  cc: ['cc'],
  bcc: ['bcc'],
  addresses: ['from', 'to', 'cc', 'bcc'],
  body: ['body'],
  attachmentName: ['names'],
  text: fieldNames,
}

/** Case and composition do not count: RFC 9051 §6.4.4. */
export const folded = (text: string): string => text.normalize('NFC').toLowerCase()

/** What an item's texts are made of. */
export interface TextSource {
  readonly promoted: Pick<Promoted, 'subject' | 'fromName' | 'fromAddress'>
  readonly props: PropertyBag
  readonly recipients: readonly Recipient[]
  readonly attachments: readonly Attachment[]
  /** The original, if there is one. */
  readonly bytes: Uint8Array | undefined
}

/** The texts of one item by column, folded: each string preceded by STRING, in UTF-8. Neither mark occurs in UTF-8. */
export type Document = { readonly [F in FieldName]: Uint8Array }
export const STRING = 0xfe
export const END = 0xff

const recipientTypes = { from: 0, to: 1, cc: 2, bcc: 3 } as const
const utf8 = new TextEncoder()

function encode(strings: readonly string[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const text of new Set(strings.map(folded))) parts.push(Uint8Array.of(STRING), utf8.encode(text))
  return Buffer.concat(parts)
}

/** The document of an item. Linear; content never makes it throw. */
export function documentOf({ promoted, props, recipients, attachments, bytes }: TextSource): Document {
  const header = bytes === undefined ? undefined : new HeaderFields(bytes)
  const fields = (header?.fields ?? []).map((field) => ({
    name: field.name,
    value: searchValue(bytes as Uint8Array, field),
  }))
  const values = (name: string): string[] => fields.filter((field) => field.name === name).map((field) => field.value)
  const addresses = (field: keyof typeof recipientTypes): string[] => [
    ...recipients.filter((one) => one.type === recipientTypes[field]).map((one) => `${one.name} <${one.address}>`),
    ...values(field),
  ]
  // A field that is not there holds nothing, not even the empty string (RFC 9051 §6.4.4).
  const column = (text: string): string[] => (text === '' ? [] : [text])
  const text = bytes === undefined ? undefined : searchText(bytes)
  const body = props.get(Pid.TagBody)
  return {
    subject: encode([...column(promoted.subject), ...values('subject')]),
    from: encode([...column(promoted.fromName), ...column(promoted.fromAddress), ...addresses('from')]),
    to: encode(addresses('to')),
    cc: encode(addresses('cc')),
    bcc: encode(addresses('bcc')),
    body: encode([...(text === undefined ? [] : [text.body]), ...(typeof body === 'string' ? [body] : [])]),
    names: encode([...attachments.map((one) => one.name), ...(text?.attachmentNames ?? [])]),
    head: encode(fields.map(({ name, value }) => `${name}: ${value}`)),
    parts: encode(text?.partFields ?? []),
  }
}

export const documentBytes = (document: Document): number =>
  fieldNames.reduce((sum, name) => sum + document[name].length, 0)
