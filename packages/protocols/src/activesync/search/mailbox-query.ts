/** The Query of a mailbox Search: [MS-ASCMD] §2.2.3.142.2. One And, its conditions inside; anything else is too complex (8). */
import type { SearchQuery } from '@postrider/domain'
import { child, children, type Element, has, isElement, ownBytes, ownText, type Tag, text } from '@postrider/wire/wbxml'
import { conversationHex } from '../items/conversation.ts'
import { parseEasDate } from '../items/dates.ts'

export type MailboxQuery =
  | {
      readonly ok: true
      readonly query: SearchQuery
      readonly collections: readonly string[]
      /** False when only classes are wanted that are no mail. */
      readonly mail: boolean
      readonly conversation: boolean
    }
  | { readonly ok: false; readonly status: 2 | 8 }

const invalid: MailboxQuery = { ok: false, status: 2 }
const tooComplex: MailboxQuery = { ok: false, status: 8 }

/** What may stand in And. */
const conditions: ReadonlySet<Tag> = new Set<Tag>([
  'Search:FreeText',
  'AirSync:Class',
  'AirSync:CollectionId',
  'Search:ConversationId',
  'Search:GreaterThan',
  'Search:LessThan',
])

export function parseMailboxQuery(query: Element | undefined): MailboxQuery {
  const [and, ...others] = children(query)
  if (and === undefined) return invalid
  // MS-ASCMD_R772, R2086, R3105, R3143: a second And, or a condition outside of it.
  if (others.length > 0 || and.tag !== 'Search:And') return conditionOrBranch(and) ? tooComplex : invalid
  for (const one of children(and)) {
    if (conditions.has(one.tag)) continue
    return conditionOrBranch(one) ? tooComplex : invalid
  }
  if (and.children.some((one) => !isElement(one))) return invalid
  return read(and)
}

const conditionOrBranch = ({ tag }: Element): boolean =>
  conditions.has(tag) || tag === 'Search:And' || tag === 'Search:Or' || tag === 'Search:EqualTo'

function read(and: Element): MailboxQuery {
  const of: SearchQuery[] = []
  const classes = children(and, 'AirSync:Class').map((one) => ownText(one).trim())
  const conversations = children(and, 'Search:ConversationId')
  const [conversation] = conversations
  if (conversations.length > 1) return invalid
  if (conversation !== undefined) {
    const id = conversationHex(ownBytes(conversation))
    if (id === undefined) return invalid
    of.push({ kind: 'conversation', id })
  }
  const texts = children(and, 'Search:FreeText')
  if (texts.length > 1) return tooComplex
  const words = texts[0] === undefined ? undefined : ownText(texts[0]).trim()
  if (words === '') return invalid
  if (words !== undefined) of.push(freeText(words))
  const after = bound(and, 'Search:GreaterThan')
  const before = bound(and, 'Search:LessThan')
  if (after === null || before === null) return invalid
  if (after !== undefined) of.push({ kind: 'received', from: after + 1 })
  if (before !== undefined) of.push({ kind: 'received', before })
  if (of.length === 0) return invalid
  return {
    ok: true,
    query: of.length === 1 ? (of[0] as SearchQuery) : { kind: 'and', of },
    collections: children(and, 'AirSync:CollectionId').map(ownText),
    mail: classes.length === 0 || classes.some((one) => /^email$/i.test(one)),
    conversation: conversation !== undefined,
  }
}

/** Words anywhere in the mail; what stands in quotes is looked for as it is. */
function freeText(words: string): SearchQuery {
  const quoted = /^"(.+)"$/.exec(words)?.[1]
  return { kind: 'text', field: 'text', value: quoted ?? words, match: quoted === undefined ? 'words' : 'substring' }
}

/** DateReceived and Value of a comparison: undefined without one, null for one that is not right. */
function bound(and: Element, tag: 'Search:GreaterThan' | 'Search:LessThan'): number | null | undefined {
  const found = children(and, tag)
  if (found.length === 0) return undefined
  const [comparison] = found
  if (found.length > 1 || !has(comparison, 'Email:DateReceived')) return null
  return parseEasDate(text(comparison, 'Search:Value')) ?? null
}

/** Elements of the Email class have no place in a request (MS-ASEMAIL_R68), but for DateReceived in a comparison. */
export const namesMail = (store: Element): boolean =>
  [
    store,
    child(store, 'Search:Query'),
    child(child(store, 'Search:Query'), 'Search:And'),
    child(store, 'Search:Options'),
  ].some((one) => children(one).some(({ tag }) => tag.startsWith('Email:') || tag.startsWith('Email2:')))
