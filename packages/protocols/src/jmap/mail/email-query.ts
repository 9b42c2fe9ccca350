/** Email/query and Email/queryChanges: RFC 8621 §4.4, §4.5. */
import { goneReasons, type ItemId } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { MethodError } from '../core/error.ts'
import { emailIdOf, readEmailId } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { changesLimit, queryChangesArgs, windowArgs } from '../core/standard.ts'
import { sinceState, writeState } from '../core/state.ts'
import { MAX_CHANGES, MAX_QUERY_LIMIT } from '../limits.ts'
import { type Mail, readFeed, type View } from '../view/view.ts'
import { readFilter, testOf } from './filter.ts'
import { readSort } from './sort.ts'

interface Question {
  readonly filter: JsonObject | null
  readonly sort: readonly JsonObject[] | null
  readonly collapseThreads: boolean
}

/** All mails that match, in order. Answers are kept by the view until something changes. */
async function results(call: Call, account: Account, view: View, question: Question): Promise<readonly Mail[]> {
  const filter = readFilter(call, view, question.filter)
  const sort = readSort(view, question.sort)
  if (filter.wholeFolder && sort.kind === 'newest' && !question.collapseThreads)
    return filter.folder === undefined ? [] : view.inFolder(filter.folder)
  const key = JSON.stringify([question.filter, question.sort, question.collapseThreads])
  const known = view.answered(key)
  if (known !== undefined) return known
  if (filter.threads || sort.threads || question.collapseThreads) await view.readThreads()
  const { change } = view.state
  const test = await testOf(call, account, view, filter)
  let mails = (filter.folder === undefined ? view.newest() : view.inFolder(filter.folder)).filter(test)
  if (sort.kind === 'oldest') mails.reverse()
  else if (sort.kind === 'other') {
    if (sort.keys) await view.readKeys(mails)
    mails.sort(sort.compare)
  }
  if (question.collapseThreads) {
    const seen = new Set<string>()
    mails = mails.filter(({ thread = '' }) => thread === '' || (!seen.has(thread) && seen.add(thread)))
  }
  view.keep(key, change, mails)
  return mails
}

/** Every mail that matches, the newest first. */
export const matching = (
  call: Call,
  account: Account,
  view: View,
  filter: JsonObject | null,
): Promise<readonly Mail[]> => results(call, account, view, { filter, sort: null, collapseThreads: false })

export const emailQuery = method({
  name: 'Email/query',
  capability: 'mail',
  args: {
    accountId: s.id,
    filter: s.maybe(s.jsonObject),
    sort: s.maybe(s.list(s.jsonObject)),
    ...windowArgs,
    collapseThreads: s.optional(s.boolean, false),
  },
  async run(call, args) {
    const account = await call.account(args.accountId, 'mail')
    const view = await call.view(account)
    const state = writeState(view.state)
    const mails = await results(call, account, view, args)
    const start = startOf(mails, args)
    const limit = Math.min(args.limit ?? MAX_QUERY_LIMIT, MAX_QUERY_LIMIT)
    const page = mails.slice(start, start + limit)
    const cut = args.limit === null || args.limit > MAX_QUERY_LIMIT ? start + limit < mails.length : false
    return {
      accountId: args.accountId,
      queryState: state,
      canCalculateChanges: true,
      position: start,
      ids: page.map((mail) => emailIdOf(mail.id)),
      ...(args.calculateTotal ? { total: mails.length } : {}),
      ...(cut ? { limit } : {}),
    }
  },
})

/** RFC 8620 §5.5: position, or anchor and its offset. */
function startOf(
  mails: readonly Mail[],
  {
    position,
    anchor,
    anchorOffset,
  }: { readonly position: number; readonly anchor: string | null; readonly anchorOffset: number },
): number {
  if (anchor === null) return position < 0 ? Math.max(0, mails.length + position) : position
  const id = readEmailId(anchor)
  const at = mails.findIndex((mail) => mail.id === id)
  if (at < 0) throw new MethodError('anchorNotFound')
  return Math.max(0, at + anchorOffset)
}

export const emailQueryChanges = method({
  name: 'Email/queryChanges',
  capability: 'mail',
  args: { ...queryChangesArgs, collapseThreads: s.optional(s.boolean, false) },
  async run(call, args) {
    const limit = changesLimit(args.maxChanges)
    const account = await call.account(args.accountId, 'mail')
    const view = await call.view(account)
    const since = sinceState(args.sinceQueryState, view.state)
    const state = writeState(view.state)
    // Every mail that changed or went may have been among the old results; what matches now is put in anew: RFC 8620 §5.6.
    const touched = await touchedSince(account, view, since.change)
    // Made and gone since: it never was among the results of this client.
    if (since.partial === undefined)
      for (const id of touched) if (id > since.highest && view.mail(id) === undefined) touched.delete(id)
    const filter = readFilter(call, view, args.filter)
    const sort = readSort(view, args.sort)
    if (args.collapseThreads || filter.threads || sort.threads) await alsoTheirThreads(view, touched)
    const mails = await results(call, account, view, args)
    const added: { id: string; index: number }[] = []
    if (touched.size > 0)
      for (const [index, mail] of mails.entries())
        if (touched.has(mail.id)) added.push({ id: emailIdOf(mail.id), index })
    // What was not there before cannot have been among the old results.
    const removed = [...touched].filter((id) => id <= since.highest || since.partial !== undefined)
    if (removed.length + added.length > limit) throw new MethodError('tooManyChanges')
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState: state,
      ...(args.calculateTotal ? { total: mails.length } : {}),
      removed: removed.map(emailIdOf),
      added,
    }
  },
})

/** Mails with any change since, gone ones, too. */
async function touchedSince(account: Account, view: View, since: number): Promise<Set<ItemId>> {
  const feed = await readFeed(account.handle, since, MAX_CHANGES * 4, [...view.folders.keys()])
  if (feed.resync) throw new MethodError('cannotCalculateChanges')
  if (feed.more) throw new MethodError('tooManyChanges')
  const out = new Set<ItemId>()
  for (let i = 0; i < feed.items.count; i++) {
    const id = feed.items.itemId?.[i] as ItemId
    if (view.mail(id) !== undefined) out.add(id)
  }
  const others = new Set<number>(view.allFolders.filter((one) => !view.folders.has(one.id)).map((one) => one.id))
  for (let i = 0; i < feed.gone.count; i++)
    if (goneReasons[feed.gone.why[i] as number] !== 'renumbered' && !others.has(feed.gone.folder[i] as number))
      out.add(feed.gone.itemId[i] as ItemId)
  return out
}

/** Where conversations decide, a change of one mail is a change of all of its conversation. */
async function alsoTheirThreads(view: View, touched: Set<ItemId>): Promise<void> {
  if (touched.size === 0) return
  await view.readThreads()
  const threads = new Set<string>()
  for (const id of touched) {
    const thread = view.mail(id)?.thread ?? view.departedThread(id)
    if (thread !== undefined) threads.add(thread)
    // Gone before this view looked on: nobody knows which conversation it was in.
    else throw new MethodError('cannotCalculateChanges')
  }
  for (const thread of threads) for (const mail of view.threadSet(thread)) touched.add(mail.id)
}
