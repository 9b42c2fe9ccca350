/**
 * Answers JMAP from what is kept on the device, when the server cannot be reached: mailboxes, lists with their filters, conversations, texts,
 * search. What it cannot answer, it leaves: the caller waits for the network.
 */
import { textToHtml } from '../mail/sanitise.ts'
import type { Email, EmailContent, Filter, Id } from '../jmap/types.ts'
import type { KeptBody, KeptMailboxes, KeptRow, KeptThread } from './kept.ts'
import type { Vault } from './vault.ts'

type Json = Readonly<Record<string, unknown>>
type Call = readonly [name: string, args: Json, id: string]
/** Acts that wait for the network: shown as done. */
export type Overlay = () => readonly { readonly update: Readonly<Record<Id, Json>>; readonly destroy: readonly Id[] }[]

const MAX_SNIPPET = 200

export class LocalJmap {
  readonly #vault: Vault
  readonly #overlay: Overlay
  constructor(vault: Vault, overlay: Overlay) {
    this.#vault = vault
    this.#overlay = overlay
  }

  /** The responses; undefined when one of the calls is not for here. */
  async answer(calls: readonly Call[]): Promise<Call[] | undefined> {
    const out: Call[] = []
    const rows = await this.#rows()
    for (const [name, args, id] of calls) {
      const resolved = resolve(args, out)
      const answer = resolved === undefined ? undefined : await this.#one(name, resolved, rows)
      if (answer === undefined) return undefined
      out.push([name, answer, id])
    }
    return out
  }

  /** The kept body of `/mail/body/…`. */
  async body(id: Id): Promise<KeptBody | undefined> {
    return this.#vault.get<KeptBody>('bodies', id)
  }

  async #rows(): Promise<Map<Id, KeptRow>> {
    const rows = new Map((await this.#vault.all<KeptRow>('rows')).map((one) => [one.id, one]))
    for (const { update, destroy } of this.#overlay()) {
      for (const [id, patch] of Object.entries(update)) {
        const row = rows.get(id)
        if (row !== undefined) rows.set(id, patched(row, patch))
      }
      for (const id of destroy) rows.delete(id)
    }
    return rows
  }

  async #one(name: string, args: Json, rows: ReadonlyMap<Id, KeptRow>): Promise<Json | undefined> {
    const kept = await this.#vault.get<KeptMailboxes>('meta', 'mailboxes')
    if (kept === undefined) return undefined
    const { state } = kept
    switch (name) {
      case 'Mailbox/get':
        return { state, list: kept.mailboxes.map((one) => counted(one, rows)), notFound: [] }
      case 'Identity/get':
        return { state, list: kept.identities, notFound: [] }
      case 'Thread/get': {
        const ids = args.ids as readonly Id[]
        const list = await Promise.all(ids.map((id) => this.#vault.get<KeptThread>('threads', id)))
        const known = list.flatMap((one) =>
          one === undefined ? [] : [{ id: one.id, emailIds: one.emailIds.filter((id) => rows.has(id)) }],
        )
        return { state, list: known, notFound: ids.filter((id) => !known.some((one) => one.id === id)) }
      }
      case 'Email/get':
        return { state, ...(await this.#emails(args, rows)) }
      case 'Email/query':
        return this.#query(args, rows)
      case 'SearchSnippet/get': {
        const words = wordsOf(args.filter as Filter | null)
        const list = (args.emailIds as readonly Id[]).map((emailId) => {
          const row = rows.get(emailId)
          return { emailId, subject: marked(row?.subject ?? '', words), preview: marked(row?.preview ?? '', words) }
        })
        return { list, notFound: [] }
      }
      default:
        return undefined
    }
  }

  async #emails(args: Json, rows: ReadonlyMap<Id, KeptRow>): Promise<Json> {
    const ids = args.ids as readonly Id[]
    const wanted = (args.properties as readonly string[] | undefined) ?? []
    const list: Json[] = []
    const notFound: Id[] = []
    const needsBody = wanted.includes('bodyValues') || wanted.includes('textBody')
    for (const id of new Set(ids)) {
      const row = rows.get(id)
      const body = row !== undefined && needsBody ? await this.#vault.get<KeptBody>('bodies', id) : undefined
      if (row === undefined || (needsBody && body === undefined)) notFound.push(id)
      else list.push({ ...(body?.content as EmailContent | undefined), ...row })
    }
    return { list, notFound }
  }

  async #query(args: Json, rows: ReadonlyMap<Id, KeptRow>): Promise<Json> {
    const filter = args.filter as Filter | null
    const texts = wordsOf(filter).length > 0 ? await this.#texts() : new Map<Id, string>()
    let found = [...rows.values()]
      .filter((row) => matches(row, filter, texts))
      .sort((a, b) => (a.receivedAt < b.receivedAt ? 1 : a.receivedAt > b.receivedAt ? -1 : 0))
    if (args.collapseThreads === true) {
      const seen = new Set<Id>()
      found = found.filter(({ threadId }) => !seen.has(threadId) && seen.add(threadId))
    }
    const position = typeof args.position === 'number' ? args.position : 0
    const limit = typeof args.limit === 'number' ? args.limit : found.length
    const ids = found.slice(position, position + limit).map(({ id }) => id)
    return { queryState: 'offline', canCalculateChanges: false, position, ids, total: found.length }
  }

  async #texts(): Promise<Map<Id, string>> {
    const bodies = await this.#vault.all<KeptBody>('bodies')
    return new Map(
      bodies.map(({ content, html }) => [
        content.id,
        `${Object.values(content.bodyValues)
          .map(({ value }) => value)
          .join(' ')} ${html?.html.replace(/<[^>]*>/g, ' ') ?? ''}`,
      ]),
    )
  }
}

/** RFC 8620 §3.7: arguments from answers before. Undefined when there is none such. */
function resolve(args: Json, answers: readonly Call[]): Json | undefined {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(args)) {
    if (!key.startsWith('#')) {
      out[key] = value
      continue
    }
    const { resultOf, path } = value as { readonly resultOf: string; readonly path: string }
    const answer = answers.find(([, , id]) => id === resultOf)
    if (answer === undefined) return undefined
    out[key.slice(1)] = pointed(answer[1], path.split('/').slice(1))
  }
  return out
}
function pointed(value: unknown, [step, ...more]: readonly string[]): unknown {
  if (step === undefined) return value
  if (step === '*') return (value as readonly unknown[]).flatMap((one) => pointed(one, more))
  return pointed((value as Json | undefined)?.[step], more)
}

function patched(row: Email, patch: Json): Email {
  let { mailboxIds, keywords, categories = {}, followUp = null, snoozed = null, inference = 'focused' } = row
  const turned = (set: Readonly<Record<string, true>>, key: string, on: unknown): Readonly<Record<string, true>> => {
    const { [key]: _, ...others } = set
    return on === true ? { ...others, [key]: true } : others
  }
  for (const [path, value] of Object.entries(patch)) {
    if (path === 'mailboxIds') mailboxIds = value as typeof mailboxIds
    else if (path === 'keywords') keywords = value as typeof keywords
    else if (path.startsWith('mailboxIds/')) mailboxIds = turned(mailboxIds, path.slice(11), value)
    else if (path.startsWith('keywords/')) keywords = turned(keywords, path.slice(9), value)
    else if (path.startsWith('categories/')) {
      const name = path.slice(11).replaceAll('~1', '/').replaceAll('~0', '~')
      categories = turned(categories, name, value)
    } else if (path === 'inference') inference = value as typeof inference
    else if (path === 'followUp') {
      followUp = value as typeof followUp
      keywords = turned(keywords, '$flagged', followUp !== null && followUp.completed === null)
    } else if (path === 'snoozed') {
      snoozed = value as typeof snoozed
      // Where it goes is the server's business; here it is out of sight.
      if (snoozed !== null) mailboxIds = {}
    }
  }
  return { ...row, mailboxIds, keywords, categories, followUp, snoozed, inference }
}

/** Unread counts follow what is done offline, as far as the mails are here. */
function counted(mailbox: KeptMailboxes['mailboxes'][number], rows: ReadonlyMap<Id, KeptRow>): Json {
  let unread = 0
  let here = 0
  for (const { mailboxIds, keywords } of rows.values())
    if (mailboxIds[mailbox.id] === true) {
      here++
      if (keywords.$seen !== true) unread++
    }
  return here < mailbox.totalEmails ? { ...mailbox } : { ...mailbox, unreadEmails: unread }
}

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
const addresses = (list: Email['from']): string =>
  (list ?? []).map(({ name, email }) => `${name ?? ''} ${email}`).join(' ')

/** RFC 8621 §4.4.1 over rows; conditions it does not know match nothing, so that no wrong list is shown. */
export function matches(row: Email, filter: Filter | null, texts: ReadonlyMap<Id, string>): boolean {
  if (filter === null) return true
  if ('operator' in filter && 'conditions' in filter) {
    const all = filter.conditions as readonly Filter[]
    const one = (part: Filter): boolean => matches(row, part, texts)
    return filter.operator === 'AND' ? all.every(one) : filter.operator === 'OR' ? all.some(one) : !all.some(one)
  }
  return Object.entries(filter).every(([name, value]) => condition(row, name, value, texts))
}
function condition(row: Email, name: string, value: unknown, texts: ReadonlyMap<Id, string>): boolean {
  const has = (text: string): boolean => plain(text).includes(plain(String(value)))
  switch (name) {
    case 'inMailbox':
      return row.mailboxIds[String(value)] === true
    case 'inMailboxOtherThan':
      return Object.keys(row.mailboxIds).some((id) => !(value as readonly Id[]).includes(id))
    case 'hasKeyword':
      return row.keywords[String(value)] === true
    case 'notKeyword':
      return row.keywords[String(value)] !== true
    case 'hasCategory':
      return row.categories?.[String(value)] === true
    case 'inference':
      return (row.inference ?? 'focused') === value
    case 'hasAttachment':
      return row.hasAttachment === value
    case 'before':
      return row.receivedAt < String(value)
    case 'after':
      return row.receivedAt >= String(value)
    case 'minSize':
      return row.size >= Number(value)
    case 'maxSize':
      return row.size < Number(value)
    case 'subject':
      return has(row.subject ?? '')
    case 'from':
      return has(addresses(row.from))
    case 'to':
      return has(addresses(row.to))
    case 'body':
      return has(texts.get(row.id) ?? row.preview)
    case 'text':
      return has(
        `${row.subject ?? ''} ${addresses(row.from)} ${addresses(row.to)} ${row.preview} ${texts.get(row.id) ?? ''}`,
      )
    default:
      return false
  }
}

function wordsOf(filter: Filter | null): string[] {
  if (filter === null) return []
  if ('operator' in filter && 'conditions' in filter) return (filter.conditions as readonly Filter[]).flatMap(wordsOf)
  return Object.entries(filter).flatMap(([name, value]) =>
    ['text', 'body', 'subject'].includes(name) ? [String(value)] : [],
  )
}
/** RFC 8621 §5: HTML with marks. */
function marked(text: string, words: readonly string[]): string | null {
  const lower = text.toLowerCase()
  for (const word of words) {
    const at = lower.indexOf(word.toLowerCase())
    if (at < 0 || word === '') continue
    const from = Math.max(0, at - 40)
    const piece = (a: number, b: number): string => textToHtml(text.slice(a, b)).replace(/<\/?div>/g, '')
    return `${piece(from, at)}<mark>${piece(at, at + word.length)}</mark>${piece(at + word.length, from + MAX_SNIPPET)}`
  }
  return null
}
