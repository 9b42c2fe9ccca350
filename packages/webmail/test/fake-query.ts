/** How the JMAP server in memory finds: filters of Email/query, pointers of back-references. */
export type Json = Record<string, unknown>
export interface FakeEmail {
  id: string
  threadId: string
  mailboxIds: Record<string, true>
  keywords: Record<string, true>
  size: number
  receivedAt: string
  from: Json[] | null
  to: Json[] | null
  cc: Json[] | null
  subject: string
  hasAttachment: boolean
  preview: string
  text: string
  html?: string
  attachments: Json[]
  [more: string]: unknown
}

/** Whether a filter of Email/query fits. */
export function matches(email: FakeEmail, filter: Json | null): boolean {
  if (filter === null) return true
  if (typeof filter.operator === 'string') {
    const all = (filter.conditions as Json[]).map((one) => matches(email, one))
    return filter.operator === 'AND'
      ? all.every(Boolean)
      : filter.operator === 'OR'
        ? all.some(Boolean)
        : !all.some(Boolean)
  }
  const has = (text: unknown, word: unknown): boolean =>
    JSON.stringify(text ?? '')
      .toLowerCase()
      .includes(String(word).toLowerCase())
  return Object.entries(filter).every(([key, value]) => {
    switch (key) {
      case 'inMailbox':
        return email.mailboxIds[String(value)] === true
      case 'hasKeyword':
        return email.keywords[String(value)] === true
      case 'notKeyword':
        return email.keywords[String(value)] !== true
      case 'hasAttachment':
        return email.hasAttachment === value
      case 'from':
        return has(email.from, value)
      case 'to':
        return has(email.to, value)
      case 'subject':
        return has(email.subject, value)
      case 'text':
        return has([email.from, email.to, email.subject, email.text], value)
      case 'before':
        return email.receivedAt < String(value)
      case 'after':
        return email.receivedAt >= String(value)
      default:
        return false
    }
  })
}

/** RFC 8620 §3.7: a JSON pointer with `*`. */
export function pointer(value: unknown, path: readonly string[]): unknown[] {
  const [first, ...rest] = path
  if (first === undefined) return Array.isArray(value) ? value.flat() : [value]
  if (first === '*') return (value as unknown[]).flatMap((one) => pointer(one, rest))
  return pointer((value as Json)[first], rest)
}
