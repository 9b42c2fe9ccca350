/**
 * The filter of Email/query: RFC 8621 §4.4.1. What the view knows is decided row by row; what stands in texts is asked of the search
 * index, neighbouring conditions in one question.
 */
import {
  MAX_GET,
  MAX_SEARCH_NODES,
  type FolderId,
  namedProperties,
  type SearchQuery,
  type TextField,
} from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { MethodError } from '../core/error.ts'
import { readMailboxId } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import * as s from '../core/shape.ts'
import { MAX_FILTER_DEPTH, MAX_FILTER_NODES } from '../limits.ts'
import { readSmime, type SmimeFacts } from '../smime/filter.ts'
import { categoriesOf } from './extras.ts'
import { hasKeyword } from '../view/keywords.ts'
import { type Mail, type Place, received, type View } from '../view/view.ts'

export type Test = (mail: Mail) => boolean
type Node =
  | { readonly kind: 'row'; readonly test: Test }
  | { readonly kind: 'store'; readonly query: SearchQuery }
  | { readonly kind: 'AND' | 'OR' | 'NOT'; readonly of: readonly Node[] }

export interface Filter {
  readonly node: Node
  /** The one mailbox everything is in, if the filter says so at its top. */
  readonly folder: FolderId | undefined
  /** Nothing but that mailbox. */
  readonly wholeFolder: boolean
  /** Whether a mail matches depends on other mails of its conversation. */
  readonly threads: boolean
  /** Whether it depends on categories or on Focused and Other. */
  readonly marks: boolean
  /** What it has to know of S/MIME, filled before mails are tested. */
  readonly smime: Smime
}
interface Smime {
  asked: boolean
  verify: boolean
  facts: ReadonlyMap<Mail, SmimeFacts>
}
const noSmime = (): Smime => ({ asked: false, verify: false, facts: new Map() })

const absent = <T>(shape: s.Shape<T>): s.Absent<T | undefined> => s.optional<T | undefined>(shape, undefined)
const condition = s.object({
  inMailbox: absent(s.idOrCreation),
  inMailboxOtherThan: absent(s.list(s.idOrCreation)),
  before: absent(s.utcDate),
  after: absent(s.utcDate),
  minSize: absent(s.unsigned),
  maxSize: absent(s.unsigned),
  allInThreadHaveKeyword: absent(s.string),
  someInThreadHaveKeyword: absent(s.string),
  noneInThreadHaveKeyword: absent(s.string),
  hasKeyword: absent(s.string),
  notKeyword: absent(s.string),
  hasAttachment: absent(s.boolean),
  text: absent(s.string),
  from: absent(s.string),
  to: absent(s.string),
  cc: absent(s.string),
  bcc: absent(s.string),
  subject: absent(s.string),
  body: absent(s.string),
  header: absent(s.list(s.string)),
  hasCategory: absent(s.string),
  inference: absent(s.oneOf('focused', 'other')),
  hasSmime: absent(s.boolean),
  hasVerifiedSmime: absent(s.boolean),
  hasVerifiedSmimeAtDelivery: absent(s.boolean),
})
const operator = s.object({ operator: s.oneOf('AND', 'OR', 'NOT'), conditions: s.list(s.jsonObject) })
const known = new Set([
  'inMailbox',
  'inMailboxOtherThan',
  'before',
  'after',
  'minSize',
  'maxSize',
  'allInThreadHaveKeyword',
  'someInThreadHaveKeyword',
  'noneInThreadHaveKeyword',
  'hasKeyword',
  'notKeyword',
  'hasAttachment',
  'text',
  'from',
  'to',
  'cc',
  'bcc',
  'subject',
  'body',
  'header',
  'hasCategory',
  'inference',
  'hasSmime',
  'hasVerifiedSmime',
  'hasVerifiedSmimeAtDelivery',
])
const textFields: readonly (TextField & keyof s.FieldsOf<Record<string, s.Shape<string>>>)[] = [
  'text',
  'from',
  'to',
  'cc',
  'bcc',
  'subject',
  'body',
]

export function readFilter(call: Call, view: View, filter: JsonObject | null): Filter {
  const budget = { nodes: MAX_FILTER_NODES, threads: false, marks: false, smime: noSmime() }
  if (filter === null)
    return { node: all, folder: undefined, wholeFolder: false, threads: false, marks: false, smime: budget.smime }
  const node = compile(call, view, filter, 0, budget)
  const folder = folderOf(call, filter)
  const wholeFolder = folder !== undefined && Object.keys(filter).length === 1
  return { node, folder, wholeFolder, threads: budget.threads, marks: budget.marks, smime: budget.smime }
}
const all: Node = { kind: 'row', test: () => true }

/** `inMailbox` at the top, or in an AND at the top. */
function folderOf(call: Call, filter: JsonObject): FolderId | undefined {
  const { inMailbox, operator: kind, conditions } = filter
  if (typeof inMailbox === 'string') return readMailboxId(call.resolve(inMailbox) ?? '')
  if (kind !== 'AND' || !Array.isArray(conditions)) return undefined
  for (const one of conditions as readonly JsonObject[]) {
    const found = folderOf(call, one)
    if (found !== undefined) return found
  }
  return undefined
}

function compile(
  call: Call,
  view: View,
  filter: JsonObject,
  depth: number,
  budget: { nodes: number; threads: boolean; marks: boolean; readonly smime: Smime },
): Node {
  if (--budget.nodes < 0 || depth > MAX_FILTER_DEPTH)
    throw new MethodError('unsupportedFilter', 'the filter is too large')
  if (Object.hasOwn(filter, 'operator')) {
    const { operator: kind, conditions } = operator(filter, 'filter')
    return { kind, of: conditions.map((one) => compile(call, view, one, depth + 1, budget)) }
  }
  const unknown = Object.keys(filter).find((key) => !known.has(key))
  if (unknown !== undefined) throw new MethodError('unsupportedFilter', `no condition ${unknown.slice(0, 100)}`)
  const given = condition(filter, 'filter')
  const nodes: Node[] = []
  const row = (test: Test): void => void nodes.push({ kind: 'row', test })
  const store = (query: SearchQuery): void => void nodes.push({ kind: 'store', query })
  const mailbox = (id: string): FolderId => {
    const folder = readMailboxId(call.resolve(id) ?? '')
    if (folder === undefined || !view.folders.has(folder))
      throw new MethodError('invalidArguments', 'the filter names an unknown mailbox', { arguments: ['filter'] })
    return folder
  }
  const { before, after, minSize, maxSize, hasAttachment, header } = given
  if (given.inMailbox !== undefined) {
    const folder = mailbox(given.inMailbox)
    row((mail) => mail.places.some((one) => one.folder === folder))
  }
  if (given.inMailboxOtherThan !== undefined) {
    const folders = new Set(given.inMailboxOtherThan.map(mailbox))
    row((mail) => mail.places.some((one) => !folders.has(one.folder)))
  }
  if (before !== undefined) row((mail) => received(mail) < before)
  if (after !== undefined) row((mail) => received(mail) >= after)
  if (minSize !== undefined) row((mail) => (mail.places[0]?.size ?? 0) >= minSize)
  if (maxSize !== undefined) row((mail) => (mail.places[0]?.size ?? 0) < maxSize)
  const keyword = (word: string | undefined, test: (word: string) => Test): void => {
    if (word !== undefined) row(test(word.toLowerCase()))
  }
  keyword(given.hasKeyword, (word) => (mail) => hasKeyword(mail, word))
  keyword(given.notKeyword, (word) => (mail) => !hasKeyword(mail, word))
  const inThread = (word: string | undefined, test: (mails: readonly Mail[], word: string) => boolean): void => {
    if (word === undefined) return
    budget.threads = true
    row((mail) => test([...view.threadSet(mail.thread ?? '')], word.toLowerCase()))
  }
  inThread(given.allInThreadHaveKeyword, (mails, word) => mails.every((one) => hasKeyword(one, word)))
  inThread(given.someInThreadHaveKeyword, (mails, word) => mails.some((one) => hasKeyword(one, word)))
  inThread(given.noneInThreadHaveKeyword, (mails, word) => !mails.some((one) => hasKeyword(one, word)))
  const { hasCategory, inference } = given
  if (hasCategory !== undefined) {
    budget.marks = true
    row((mail) => mail.marks?.categories.includes(hasCategory) === true)
  }
  if (inference !== undefined) {
    budget.marks = true
    row((mail) => (mail.marks?.other === true) === (inference === 'other'))
  }
  const { smime } = budget
  for (const [wanted, fact] of [
    [given.hasSmime, 'signed'],
    [given.hasVerifiedSmime, 'now'],
    [given.hasVerifiedSmimeAtDelivery, 'delivered'],
  ] as const) {
    if (wanted === undefined) continue
    smime.asked = true
    if (fact !== 'signed') smime.verify = true
    row((mail) => (smime.facts.get(mail)?.[fact] === true) === wanted)
  }
  if (hasAttachment !== undefined) store({ kind: 'attachments', has: hasAttachment })
  for (const field of textFields) {
    const text = given[field as 'text']
    if (text !== undefined) for (const query of textQueries(field, text)) store(query)
  }
  if (header !== undefined) {
    const [name = '', value = ''] = header
    if (header.length < 1 || header.length > 2 || !/^[!-9;-~]{1,200}$/.test(name))
      throw new MethodError('invalidArguments', 'header is a name, or a name and a text', { arguments: ['filter'] })
    store({ kind: 'header', name, value })
  }
  if (nodes.length === 1) return nodes[0] as Node
  return { kind: 'AND', of: nodes }
}

/** RFC 8621 §4.4.1: quoted text is a phrase, everything else words. */
export function textQueries(field: TextField, text: string): SearchQuery[] {
  const out: SearchQuery[] = []
  const words: string[] = []
  for (const match of text.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'(?=\s|$)|([^\s"]+)/g)) {
    const phrase = match[1] ?? match[2]
    if (phrase === undefined) words.push(match[3] as string)
    else if (phrase.trim() !== '')
      out.push({ kind: 'text', field, value: phrase.replace(/\\(.)/g, '$1'), match: 'substring' })
  }
  if (words.length > 0) out.push({ kind: 'text', field, value: words.join(' '), match: 'words' })
  return out
}

/** What of a text is looked for: for search snippets. */
export const wordsOf = (text: string): string[] =>
  textQueries('text', text).flatMap((one) =>
    one.kind !== 'text' ? [] : one.match === 'substring' ? [one.value] : one.value.split(/\s+/),
  )

/** The filter as one test; asks the index what it must. */
export async function testOf(
  call: Call,
  account: Account,
  view: View,
  { node, folder, marks, smime }: Filter,
): Promise<Test> {
  const among = (): readonly Mail[] => (folder === undefined ? [...view.all()] : view.inFolder(folder))
  if (marks) await readMarks(account, among())
  if (smime.asked) smime.facts = await readSmime(call, account, among(), smime.verify)
  const folders = folder === undefined ? [...view.folders.keys()] : [folder]
  return evaluate(account, view, folders, node)
}

/** Reads categories and inference of mails that changed since they were read. */
async function readMarks({ handle }: Account, mails: readonly Mail[]): Promise<void> {
  const changeOf = (mail: Mail): number => mail.places.reduce((last, one) => Math.max(last, one.change), 0)
  const stale = new Map(mails.flatMap((mail) => (mail.marks?.change === changeOf(mail) ? [] : [[mail.id, mail]])))
  const mids = [...stale.values()].map((mail) => (mail.places[0] as Place).mid).sort((a, b) => a - b)
  for (let at = 0; at < mids.length; at += MAX_GET)
    for (const { itemId, props } of await handle.get({
      by: { mids: mids.slice(at, at + MAX_GET) },
      columns: ['props'],
    })) {
      const mail = stale.get(itemId)
      if (mail === undefined) continue
      const other = props?.get(namedProperties.inference.tag) === 1
      mail.marks = { change: changeOf(mail), categories: categoriesOf(props), other }
    }
}

async function evaluate(account: Account, view: View, folders: readonly FolderId[], node: Node): Promise<Test> {
  if (node.kind === 'row') return node.test
  if (node.kind === 'store') return searched(account, view, folders, node.query)
  const { kind, of } = node
  const queries = of.flatMap((one) => (one.kind === 'store' ? [one.query] : []))
  const tests: Test[] = []
  if (queries.length > MAX_SEARCH_NODES / 2) throw new MethodError('unsupportedFilter', 'the filter is too large')
  if (queries.length > 0) {
    const query: SearchQuery =
      queries.length === 1 ? (queries[0] as SearchQuery) : { kind: kind === 'AND' ? 'and' : 'or', of: queries }
    tests.push(await searched(account, view, folders, query))
  }
  for (const one of of) if (one.kind !== 'store') tests.push(await evaluate(account, view, folders, one))
  if (kind === 'AND') return (mail) => tests.every((test) => test(mail))
  if (kind === 'OR') return (mail) => tests.some((test) => test(mail))
  return (mail) => !tests.some((test) => test(mail))
}

async function searched(account: Account, view: View, folders: readonly FolderId[], query: SearchQuery): Promise<Test> {
  const { mids } = await account.handle.search({ folders, query, order: 'uid', offset: 0, limit: 10_000_000 })
  const found = new Set<Mail>()
  for (const mid of mids) {
    const mail = view.byMid(mid)
    if (mail !== undefined) found.add(mail)
  }
  return (mail) => found.has(mail)
}
