import { bodyStartOf, HeaderFields, searchText } from '@postrider/wire/mime'
import type { NewItem } from './item.ts'
import type { MailFacts } from './rules.ts'

/** Characters of text a rule looks at. */
const MAX_RULE_BODY = 1024 * 1024

/** What rules look at, of an item; `message`: its bytes, where some rule looks into them. */
export function mailFacts(
  { promoted, recipients, size }: Pick<NewItem, 'promoted' | 'recipients' | 'size'>,
  message: Uint8Array | undefined,
): MailFacts {
  const people = (type: 1 | 2): MailFacts['to'] => recipients.filter((one) => one.type === type)
  const header = message === undefined ? undefined : new HeaderFields(message)
  return {
    fromAddress: promoted.fromAddress,
    fromName: promoted.fromName,
    to: people(1),
    cc: people(2),
    subject: promoted.subject,
    size,
    hasAttachments: promoted.hasAttachments,
    importance: promoted.importance,
    header:
      message === undefined
        ? ''
        : Buffer.from(message.subarray(0, bodyStartOf(message, 0, message.length))).toString('latin1'),
    body: message === undefined ? '' : searchText(message, MAX_RULE_BODY).body,
    automatic: header !== undefined && isAutomatic(header),
  }
}

/** Mail of lists and programs: RFC 2919, RFC 3834, RFC 2369, and the custom of Precedence. */
export function isAutomatic(header: HeaderFields): boolean {
  const automatic = header.get('auto-submitted')
  return (
    ['list-id', 'list-unsubscribe', 'list-post', 'feedback-id'].some((name) => header.has(name)) ||
    (automatic !== undefined && !/^\s*no\b/i.test(automatic)) ||
    /^\s*(?:bulk|list|junk)\b/i.test(header.get('precedence') ?? '')
  )
}
