import { Pid, type TextField } from '@postrider/domain'
import { HeaderFields, type SearchText, searchText, searchValue } from '@postrider/wire/mime'
import type { Mailbox } from '../mailbox.ts'
import type { Content, Row } from '../rows.ts'

interface Message {
  readonly fields: readonly { readonly name: string; readonly value: string }[]
  readonly text: SearchText
}

/** Parsed originals: a content never changes, and goes when its last row goes. */
const parsed = new WeakMap<Content, Message>()

/** The decoded header fields and texts of an original. */
function messageOf(mailbox: Mailbox, { content }: Row): Message | undefined {
  if (content.original === undefined) return undefined
  const known = parsed.get(content)
  if (known !== undefined) return known
  const bytes = mailbox.database.blobs.read(content.original)
  const fields = new HeaderFields(bytes).fields.map((field) => ({
    name: field.name,
    value: searchValue(bytes, field),
  }))
  const message = { fields, text: searchText(bytes) }
  parsed.set(content, message)
  return message
}

const addressFields = ['from', 'to', 'cc', 'bcc'] as const
/** A column that is empty holds nothing, not even the empty string (RFC 9051 §6.4.4). */
const column = (text: string): string[] => (text === '' ? [] : [text])
const recipientTypes = { from: 0, to: 1, cc: 2, bcc: 3 } as const

/** The texts a field holds: of the original where there is one, and of the columns and properties. */
export function textOf(mailbox: Mailbox, row: Row, field: TextField): readonly string[] {
  const { promoted, props, recipients, attachments } = row.content
  const message = messageOf(mailbox, row)
  switch (field) {
    case 'subject':
      return [...column(promoted.subject), ...headerValues(mailbox, row, 'subject')]
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc': {
      const own = recipients.filter((one) => one.type === recipientTypes[field])
      const sender = field === 'from' ? [...column(promoted.fromName), ...column(promoted.fromAddress)] : []
      return [...sender, ...own.map((one) => `${one.name} <${one.address}>`), ...headerValues(mailbox, row, field)]
    }
    case 'addresses':
      return addressFields.flatMap((one) => textOf(mailbox, row, one))
    case 'attachmentName':
      return [...attachments.map((one) => one.name), ...(message?.text.attachmentNames ?? [])]
    case 'body': {
      const body = props.get(Pid.TagBody)
      return [...(message === undefined ? [] : [message.text.body]), ...(typeof body === 'string' ? [body] : [])]
    }
    case 'text':
      return [
        ...(message?.fields ?? []).map(({ name, value }) => `${name}: ${value}`),
        ...(message?.text.partFields ?? []),
        ...textOf(mailbox, row, 'subject'),
        ...textOf(mailbox, row, 'addresses'),
        ...textOf(mailbox, row, 'body'),
        ...textOf(mailbox, row, 'attachmentName'),
      ]
  }
}

/** The decoded values of every header field of this name; an item without an original has none. */
export function headerValues(mailbox: Mailbox, row: Row, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  const fields = messageOf(mailbox, row)?.fields ?? []
  return fields.filter((field) => field.name === wanted).map((field) => field.value)
}
