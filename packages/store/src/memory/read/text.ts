import { Pid, type TextField } from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import type { Row } from '../rows.ts'

const latin1 = new TextDecoder('latin1')

interface RawMessage {
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly body: string
}

/** Header fields, unfolded, and the body of an original as latin1 text. */
function rawMessage(mailbox: Mailbox, row: Row): RawMessage | undefined {
  if (row.content.original === undefined) return undefined
  const text = latin1.decode(mailbox.database.blobs.read(row.content.original))
  const end = text.search(/\r?\n\r?\n/)
  const head = (end < 0 ? text : text.slice(0, end)).replace(/\r?\n[ \t]/g, ' ')
  const headers = head.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':')
    return colon < 1 ? [] : [{ name: line.slice(0, colon).trim().toLowerCase(), value: line.slice(colon + 1).trim() }]
  })
  return { headers, body: end < 0 ? '' : text.slice(end) }
}

const addressFields = ['from', 'to', 'cc', 'bcc'] as const
const recipientTypes = { from: 0, to: 1, cc: 2, bcc: 3 } as const

/** The texts a field holds; an item without an original answers from its properties. */
export function textOf(mailbox: Mailbox, row: Row, field: TextField): readonly string[] {
  const { promoted, props, recipients, attachments } = row.content
  const raw = rawMessage(mailbox, row)
  switch (field) {
    case 'subject':
      return [promoted.subject, ...headerValues(mailbox, row, 'subject')]
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc': {
      const own = recipients.filter((one) => one.type === recipientTypes[field])
      const sender = field === 'from' ? [promoted.fromName, promoted.fromAddress] : []
      return [...sender, ...own.map((one) => `${one.name} <${one.address}>`), ...headerValues(mailbox, row, field)]
    }
    case 'addresses':
      return addressFields.flatMap((one) => textOf(mailbox, row, one))
    case 'attachmentName':
      return attachments.map((one) => one.name)
    case 'body': {
      const body = props.get(Pid.TagBody)
      return [...(raw === undefined ? [] : [raw.body]), ...(typeof body === 'string' ? [body] : [])]
    }
    case 'text':
      return [
        ...(raw?.headers ?? []).map(({ name, value }) => `${name}: ${value}`),
        ...textOf(mailbox, row, 'subject'),
        ...textOf(mailbox, row, 'addresses'),
        ...textOf(mailbox, row, 'body'),
        ...textOf(mailbox, row, 'attachmentName'),
      ]
  }
}

export function headerValues(mailbox: Mailbox, row: Row, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  const headers = rawMessage(mailbox, row)?.headers ?? []
  return headers.filter((header) => header.name === wanted).map((header) => header.value)
}
