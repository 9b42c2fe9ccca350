/** Mailbox/get, /changes, /query, /queryChanges: RFC 8621 §2.1 to §2.4. */
import type { FolderId } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { MethodError } from '../core/error.ts'
import { mailboxIdOf, readMailboxId } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import {
  changesArgs,
  changesLimit,
  getArgs,
  pick,
  queryChangesArgs,
  wantedIds,
  wantedProperties,
  windowArgs,
  windowed,
} from '../core/standard.ts'
import { sinceState, writeState } from '../core/state.ts'
import { MAX_FILTER_DEPTH, MAX_QUERY_LIMIT, MAX_SORT } from '../limits.ts'
import { sharesOf } from '../sharing/share-with.ts'
import { readFeed, type View } from '../view/view.ts'
import { countProperties, type MailboxObject, mailboxesOf, mailboxProperties } from './mailboxes.ts'

const threadCounts: readonly string[] = ['totalThreads', 'unreadThreads']

export const mailboxGet = method({
  name: 'Mailbox/get',
  capability: 'mail',
  args: getArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'mail')
    // RFC 9670 §4: an extension's property is there for who asks for it.
    const properties = wantedProperties(
      args.properties,
      mailboxProperties,
      (name) => name === 'shareWith' || mailboxProperties.includes(name as (typeof mailboxProperties)[number]),
    )
    const ids = args.ids === null ? null : wantedIds(call, args.ids)
    const view = await call.view(account)
    const all = await mailboxesOf(
      account,
      view,
      properties.some((name) => threadCounts.includes(name)),
    )
    const found = ids === null ? [...all.values()] : ids.flatMap((id) => all.get(readMailboxId(id) as FolderId) ?? [])
    const shares = properties.includes('shareWith') ? await sharesOf(call, account) : undefined
    const list: Record<string, unknown>[] = []
    for (const one of found) {
      const folder = view.folders.get(readMailboxId(one.id as string) as FolderId)
      const shareWith = shares === undefined || folder === undefined ? undefined : await shares(folder)
      list.push(pick({ ...one, ...(shareWith === undefined ? {} : { shareWith }) }, properties))
    }
    const known = new Set(found.map((one) => one.id))
    return {
      accountId: args.accountId,
      state: writeState(view.state),
      list,
      notFound: (ids ?? []).filter((id) => !known.has(id)),
    }
  },
})

export const mailboxChanges = method({
  name: 'Mailbox/changes',
  capability: 'mail',
  args: changesArgs,
  async run(call, args) {
    const limit = changesLimit(args.maxChanges)
    const account = await call.account(args.accountId, 'mail')
    const view = await call.view(account)
    const since = sinceState(args.sinceState, view.state)
    const events = await mailboxEvents(account, view, since.change)
    const told = events.slice(0, limit)
    const more = told.length < events.length
    const of = (kind: string): string[] => told.filter((one) => one.kind === kind).map((one) => mailboxIdOf(one.id))
    const updated = told.filter((one) => one.kind === 'updated')
    const onlyCounts = updated.length > 0 && updated.every((one) => one.counts)
    return {
      accountId: args.accountId,
      oldState: args.sinceState,
      newState: writeState(more ? { ...view.state, change: told.at(-1)?.change ?? since.change } : view.state),
      hasMoreChanges: more,
      created: of('created'),
      updated: of('updated'),
      destroyed: of('destroyed'),
      updatedProperties: onlyCounts ? countProperties : null,
    }
  },
})

interface MailboxEvent {
  readonly id: FolderId
  readonly change: number
  readonly kind: 'created' | 'updated' | 'destroyed'
  /** Nothing but counters. */
  readonly counts: boolean
}

/** What happened to mailboxes, by change number; what may have changed by a conversation elsewhere comes last. */
async function mailboxEvents(account: Account, view: View, since: number): Promise<readonly MailboxEvent[]> {
  const events: MailboxEvent[] = []
  const { change } = view.state
  if (since >= change) return events
  const touched = new Set<FolderId>()
  for (const folder of view.folders.values()) {
    const last = Math.max(folder.cn, folder.contentChange)
    if (last <= since) continue
    touched.add(folder.id)
    const kind = folder.createdCn > since ? 'created' : 'updated'
    events.push({ id: folder.id, change: Math.min(last, change), kind, counts: folder.cn <= since })
  }
  // Tombstones of folders come with any page of the feed.
  const feed = await readFeed(account.handle, since, 1_000_000, [...view.folders.keys()].slice(0, 1))
  if (feed.resync) throw new MethodError('cannotCalculateChanges')
  for (const gone of feed.goneFolders)
    events.push({ id: gone.id, change: gone.change, kind: 'destroyed', counts: false })
  events.sort((a, b) => a.change - b.change)
  // A conversation with a mail that changed may be read or unread now wherever else it has one.
  if (events.some((one) => one.kind !== 'destroyed'))
    for (const folder of view.folders.values())
      if (!touched.has(folder.id) && view.inFolder(folder.id).length > 0 && (await mayShare(view, folder.id, since)))
        events.push({ id: folder.id, change, kind: 'updated', counts: true })
  return events
}

/** Whether a mail of this folder shares its conversation with one that changed elsewhere. */
async function mayShare(view: View, folder: FolderId, since: number): Promise<boolean> {
  await view.readThreads()
  const departed = view.departedAfter(since)
  if (departed === undefined) return true
  const gone = new Set(departed.map((one) => one.thread))
  for (const mail of view.inFolder(folder)) {
    if (mail.thread === undefined) continue
    if (gone.has(mail.thread)) return true
    const mails = view.threadSet(mail.thread)
    if (mails.size < 2) continue
    for (const other of mails) if (other.places.some((one) => one.change > since)) return true
  }
  return false
}

type Test = (mailbox: MailboxObject) => boolean

const condition = s.object({
  parentId: s.optional<string | null | undefined>(s.nullable(s.idOrCreation), undefined),
  name: s.optional<string | undefined>(s.string, undefined),
  role: s.optional<string | null | undefined>(s.nullable(s.string), undefined),
  hasAnyRole: s.optional<boolean | undefined>(s.boolean, undefined),
  isSubscribed: s.optional<boolean | undefined>(s.boolean, undefined),
})
const conditions = ['parentId', 'name', 'role', 'hasAnyRole', 'isSubscribed']
const operator = s.object({ operator: s.oneOf('AND', 'OR', 'NOT'), conditions: s.list(s.jsonObject) })

function compile(call: Call, filter: JsonObject, depth = 0): Test {
  if (depth > MAX_FILTER_DEPTH) throw new MethodError('unsupportedFilter', 'the filter is nested too deep')
  if (Object.hasOwn(filter, 'operator')) {
    const { operator: kind, conditions: inner } = operator(filter, 'filter')
    const tests = inner.map((one) => compile(call, one, depth + 1))
    if (kind === 'AND') return (mailbox) => tests.every((test) => test(mailbox))
    if (kind === 'OR') return (mailbox) => tests.some((test) => test(mailbox))
    return (mailbox) => !tests.some((test) => test(mailbox))
  }
  const unknown = Object.keys(filter).find((key) => !conditions.includes(key))
  if (unknown !== undefined) throw new MethodError('unsupportedFilter', `no condition ${unknown.slice(0, 100)}`)
  const { parentId, name, role, hasAnyRole, isSubscribed } = condition(filter, 'filter')
  const parent = typeof parentId === 'string' ? (call.resolve(parentId) ?? parentId) : parentId
  const part = name?.toLowerCase()
  return (mailbox) =>
    (parent === undefined || mailbox.parentId === parent) &&
    (part === undefined || mailbox.name.toLowerCase().includes(part)) &&
    (role === undefined || mailbox.role === role) &&
    (hasAnyRole === undefined || (mailbox.role !== null) === hasAnyRole) &&
    (isSubscribed === undefined || mailbox.isSubscribed === isSubscribed)
}

type Order = (a: MailboxObject, b: MailboxObject) => number
const comparator = s.object({
  property: s.string,
  isAscending: s.optional(s.boolean, true),
  collation: s.optional<string | undefined>(s.string, undefined),
})
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const orders: ReadonlyMap<string, Order> = new Map<string, Order>([
  ['sortOrder', (a, b) => a.sortOrder - b.sortOrder],
  ['name', (a, b) => byText(a.name.toLowerCase(), b.name.toLowerCase())],
])

function orderOf(sort: readonly JsonObject[] | null): Order {
  if ((sort?.length ?? 0) > MAX_SORT) throw new MethodError('unsupportedSort')
  const steps = (sort ?? []).map((one, i): Order => {
    const { property, isAscending } = comparator(one, `sort/${i}`)
    const order = orders.get(property)
    if (order === undefined) throw new MethodError('unsupportedSort', `no sorting by ${property.slice(0, 100)}`)
    return isAscending ? order : (a, b) => order(b, a)
  })
  return (a, b) => {
    for (const step of steps) {
      const found = step(a, b)
      if (found !== 0) return found
    }
    return byText(a.id as string, b.id as string)
  }
}

export const mailboxQuery = method({
  name: 'Mailbox/query',
  capability: 'mail',
  args: {
    accountId: s.id,
    filter: s.maybe(s.jsonObject),
    sort: s.maybe(s.list(s.jsonObject)),
    ...windowArgs,
    sortAsTree: s.optional(s.boolean, false),
    filterAsTree: s.optional(s.boolean, false),
  },
  async run(call, args) {
    const account = await call.account(args.accountId, 'mail')
    const test = args.filter === null ? () => true : compile(call, args.filter)
    const order = orderOf(args.sort)
    const view = await call.view(account)
    const all = [...(await mailboxesOf(account, view, false)).values()]
    const byId = new Map(all.map((one) => [one.id as string, one]))
    const parents = function* (mailbox: MailboxObject): Generator<MailboxObject> {
      for (let up = byId.get(mailbox.parentId ?? ''); up !== undefined; up = byId.get(up.parentId ?? '')) yield up
    }
    const matched = new Set(all.filter(test))
    const kept = args.filterAsTree
      ? all.filter((one) => matched.has(one) && [...parents(one)].every((up) => matched.has(up)))
      : [...matched]
    const sorted = args.sortAsTree ? treeOrder(all, order).filter((one) => kept.includes(one)) : kept.sort(order)
    const ids = sorted.map((one) => one.id as string)
    return windowed(ids, args, writeState(view.state), MAX_QUERY_LIMIT)
  },
})

/** RFC 8621 §2.3 sortAsTree: every mailbox behind its parent, siblings by the sort. */
function treeOrder(all: readonly MailboxObject[], order: Order): MailboxObject[] {
  const children = new Map<string, MailboxObject[]>()
  for (const one of all) {
    const key = one.parentId ?? ''
    const list = children.get(key)
    if (list === undefined) children.set(key, [one])
    else list.push(one)
  }
  const out: MailboxObject[] = []
  const stack = [...(children.get('') ?? [])].sort(order).reverse()
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    out.push(one)
    stack.push(...[...(children.get(one.id as string) ?? [])].sort(order).reverse())
  }
  return out
}

export const mailboxQueryChanges = method({
  name: 'Mailbox/queryChanges',
  capability: 'mail',
  args: { ...queryChangesArgs, sortAsTree: s.optional(s.boolean, false), filterAsTree: s.optional(s.boolean, false) },
  async run(call, args) {
    await call.account(args.accountId, 'mail')
    throw new MethodError('cannotCalculateChanges')
  },
})
