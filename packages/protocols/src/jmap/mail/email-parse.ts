/** Email/parse (RFC 8621 §4.9) and SearchSnippet/get (§5.1). */
import type { ItemId } from '@postrider/domain'
import { escapeHtml, HeaderFields, htmlToText, summarize } from '@postrider/wire/mime'
import { openBlob } from '../blobs/blob.ts'
import { MethodError } from '../core/error.ts'
import { emailIdOf, readEmailId } from '../core/ids.ts'
import { type JsonObject, isObject, record } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { wantedIds } from '../core/standard.ts'
import { MAX_OBJECTS_IN_GET } from '../limits.ts'
import { contentArgs, defaultEmailProperties, emailObject, wanted } from './email-object.ts'
import { itemsOf } from './email-get.ts'
import { readFilter, wordsOf } from './filter.ts'
import { parsedMessage, storedMessage } from './message.ts'
import { bodyLists, partTree } from './parts.ts'

/** RFC 8621 §4.9: the same without what only a mail in a mailbox has. */
const parseDefaults = defaultEmailProperties.filter(
  (name) => !['id', 'threadId', 'mailboxIds', 'keywords', 'size', 'receivedAt', 'blobId'].includes(name),
)

const emailParseArgs = {
  accountId: s.id,
  blobIds: s.list(s.id),
  properties: s.maybe(s.list(s.string)),
  ...contentArgs,
} as const

export const emailParse = method({
  name: 'Email/parse',
  capability: 'mail',
  args: emailParseArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'mail')
    const ids = wantedIds(call, args.blobIds)
    const want = wanted(args, parseDefaults, false)
    const parsed = record<unknown>()
    const notParsable: string[] = []
    const notFound: string[] = []
    for (const id of ids) {
      const blob = await openBlob(call, account, id)
      if (blob === undefined) {
        notFound.push(id)
        continue
      }
      const bytes = await blob.read()
      if (new HeaderFields(bytes).fields.length === 0) {
        notParsable.push(id)
        continue
      }
      const { preview, hasAttachments } = summarize(bytes)
      const known = {
        id: null,
        blobId: id,
        threadId: null,
        mailboxIds: null,
        keywords: null,
        size: bytes.length,
        receivedAt: null,
      }
      parsed[id] = await emailObject(call, parsedMessage(bytes, id, { hasAttachments, preview }), known, want)
    }
    const none = (list: readonly string[]): readonly string[] | null => (list.length === 0 ? null : list)
    return {
      accountId: args.accountId,
      parsed: Object.keys(parsed).length === 0 ? null : parsed,
      notParsable: none(notParsable),
      notFound: none(notFound),
    }
  },
})

/** Octets of a preview with its marks: RFC 8621 §5. */
const MAX_SNIPPET = 255
/** Bytes of text that are looked at for it. */
const MAX_LOOKED_AT = 64 * 1024
const BEFORE = 40

const searchSnippetGetArgs = {
  accountId: s.id,
  filter: s.maybe(s.jsonObject),
  emailIds: s.list(s.idOrCreation),
} as const

export const searchSnippetGet = method({
  name: 'SearchSnippet/get',
  capability: 'mail',
  args: searchSnippetGetArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'mail')
    const ids = [...new Set(args.emailIds)].map((id) => call.resolve(id) ?? id)
    if (ids.length > MAX_OBJECTS_IN_GET) throw new MethodError('requestTooLarge')
    const view = await call.view(account)
    readFilter(call, view, args.filter)
    const words = wantedWords(args.filter)
    const mails = ids.flatMap((id) => view.mail(readEmailId(id) as ItemId) ?? [])
    const rows =
      words.subject.length + words.body.length === 0
        ? mails.map((mail) => ({ mail, item: undefined }))
        : await itemsOf(account, mails, ['promoted', 'index', 'original'])
    const list: unknown[] = []
    for (const { mail, item } of rows) {
      let preview: string | null = null
      if (item !== undefined && words.body.length > 0) {
        const message = storedMessage(account.handle, item)
        const { textBody } = bodyLists(partTree(message.parts))
        let text = ''
        for (const { mime } of textBody.slice(0, 4)) {
          if (mime.type !== 'text') continue
          const { value } = await message.value(mime, MAX_LOOKED_AT)
          text += `${mime.subtype === 'html' ? htmlToText(value) : value}\n`
        }
        preview = snippet(text.replace(/\s+/g, ' '), words.body, MAX_SNIPPET)
      }
      const subject =
        item?.promoted === undefined ? null : snippet(item.promoted.subject, words.subject, Number.POSITIVE_INFINITY)
      list.push({ emailId: emailIdOf(mail.id), subject, preview })
    }
    const found = new Set(mails.map((mail) => emailIdOf(mail.id)))
    const missing = ids.filter((id) => !found.has(id))
    return { accountId: args.accountId, list, notFound: missing.length === 0 ? null : missing }
  },
})

/** What the filter looks for in subject and body; nothing under a NOT. */
function wantedWords(filter: JsonObject | null): { subject: string[]; body: string[] } {
  const subject: string[] = []
  const body: string[] = []
  const walk = (one: unknown): void => {
    if (!isObject(one) || one.operator === 'NOT') return
    for (const [key, into] of [
      ['text', [subject, body]],
      ['subject', [subject]],
      ['body', [body]],
    ] as const)
      if (typeof one[key] === 'string') for (const list of into) list.push(...wordsOf(one[key]))
    if (Array.isArray(one.conditions)) for (const inner of one.conditions) walk(inner)
  }
  walk(filter)
  return { subject, body }
}

/** Text with every word in `<mark>`, everything else escaped; null when no word is in it. Cut around the first, in octets. */
export function snippet(text: string, words: readonly string[], limit: number): string | null {
  const folded = text.toLowerCase()
  // Folding that changes lengths would mark the wrong place.
  const haystack = folded.length === text.length ? folded : text
  const hits: [number, number][] = []
  for (const word of new Set(words.map((one) => one.toLowerCase()))) {
    if (word === '') continue
    for (let at = haystack.indexOf(word); at >= 0 && hits.length < 1_000; at = haystack.indexOf(word, at + word.length))
      hits.push([at, at + word.length])
  }
  const [first] = hits.sort((a, b) => a[0] - b[0])
  if (first === undefined) return null
  const start = Number.isFinite(limit) && first[0] > BEFORE ? text.indexOf(' ', first[0] - BEFORE) + 1 : 0
  let out = ''
  let at = Math.min(start, first[0])
  const room = (more: string): boolean =>
    !Number.isFinite(limit) || Buffer.byteLength(out) + Buffer.byteLength(more) <= limit
  const plain = (end: number): boolean => {
    for (; at < end; ) {
      const c = String.fromCodePoint(text.codePointAt(at) as number)
      const escaped = escapeHtml(c)
      if (!room(escaped)) return false
      out += escaped
      at += c.length
    }
    return true
  }
  for (const [from, to] of hits) {
    if (from < at) continue
    if (!plain(from)) return out
    const marked = `<mark>${escapeHtml(text.slice(from, to))}</mark>`
    if (!room(marked)) return out
    out += marked
    at = to
  }
  plain(text.length)
  return out
}
