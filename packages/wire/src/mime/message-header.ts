import { parseRawAddresses, type RawAddressItem } from './address.ts'
import type { HeaderFields } from './headers.ts'

/** The fields of a message header that ENVELOPE and the summary share, read once. Undefined: the field is absent. */
export interface MessageHeader {
  readonly date: string | undefined
  readonly subject: string | undefined
  readonly from: readonly RawAddressItem[]
  /** As written; ENVELOPE and the summary put From in their place when empty. */
  readonly sender: readonly RawAddressItem[]
  readonly replyTo: readonly RawAddressItem[]
  readonly to: readonly RawAddressItem[]
  readonly cc: readonly RawAddressItem[]
  readonly bcc: readonly RawAddressItem[]
  readonly inReplyTo: string | undefined
  readonly messageId: string | undefined
}

const NOBODY: readonly RawAddressItem[] = []

/** Reads them; a repeated address field (illegal, but seen) counts as one list. */
export function readMessageHeader(header: HeaderFields): MessageHeader {
  const list = (name: string) => {
    const all = header.all(name)
    return all.length === 0 ? NOBODY : parseRawAddresses(all.length === 1 ? all[0]! : all.join(', '))
  }
  return {
    date: header.get('date'),
    subject: header.get('subject'),
    from: list('from'),
    sender: list('sender'),
    replyTo: list('reply-to'),
    to: list('to'),
    cc: list('cc'),
    bcc: list('bcc'),
    inReplyTo: header.get('in-reply-to'),
    messageId: header.get('message-id'),
  }
}
