/**
 * Bulk/act, Bulk/undo: one act on everything a filter finds, done by the server in transactions of a size and told in numbers, so that no
 * client carries thousands of ids. What it did can be undone as long as a mail is as the act left it.
 */
import { randomBytes } from 'node:crypto'
import { DomainError, type Item, type ItemId, type Operation } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { MethodError, SetError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { type Answer, method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { readState, writeState } from '../core/state.ts'
import { BULK_CHUNK, MAX_BULK } from '../limits.ts'
import { readFilter } from '../mail/filter.ts'
import { merged, removeOperations } from '../mail/place.ts'
import { needSnoozedFolder } from '../mail/snooze.ts'
import type { Mail, Place, View } from '../view/view.ts'
import { type BulkAct, type BulkChunk, forgetAct, forgetChunk, noteChunk, readActs, readChunks } from './bulk-log.ts'
import { type BulkPatch, isAsLeft, needsProps, type Plan, planned, readPatch } from './bulk-patch.ts'
import { selected } from './bulk-select.ts'

const KIND = 'bulk'

/** One mail's part. */
interface Part extends Omit<Plan, 'inverse'> {
  readonly mail: Mail
  readonly inverse: JsonObject | undefined
}

/** What was snoozed is waited for, what was brought back is not. */
function settle(call: Call, { entry }: Account, parts: readonly Part[]): void {
  const { snoozer } = call.jmap
  for (const { mail, until } of parts)
    if (typeof until === 'number') snoozer.wait(entry, mail.id, until)
    else if (until === null) snoozer.forget(entry, mail.id)
}

/** Before mails are snoozed or brought back: only in the own mailbox, with a folder for them, found again after a restart. */
async function mayWait(call: Call, account: Account, view: View, { changes }: BulkPatch): Promise<View> {
  if (!changes.has('snoozed')) return view
  if (!account.personal) throw new MethodError('forbidden', 'only in the own mailbox')
  await call.jmap.parts.agenda?.add(account.handle.mailbox)
  return needSnoozedFolder(call.jmap, account, view)
}

/** The properties of mails, where the patch needs them. */
async function propsOf(
  account: Account,
  mails: readonly Mail[],
  patch: BulkPatch,
): Promise<Map<ItemId, Item['props']>> {
  if (!needsProps(patch)) return new Map()
  const mids = mails.map((mail) => (mail.places[0] as Place).mid)
  const items = await account.handle.get({ by: { mids }, columns: ['props'] })
  return new Map(items.map((item) => [item.itemId, item.props]))
}

/** Does the parts, all in one transaction with `also` of those done; where that fails in halves, so that one bad apple spoils nothing. Answers those done. */
async function perform(
  account: Account,
  parts: readonly Part[],
  also: (done: readonly Part[]) => readonly Operation[],
): Promise<readonly Part[]> {
  if (parts.length === 0) return []
  try {
    await account.handle.apply([...merged(parts.flatMap((part) => part.operations)), ...also(parts)])
    return parts
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'unavailable' || error.code === 'busy') throw error
    if (parts.length === 1) return []
    const half = parts.length >>> 1
    const first = await perform(account, parts.slice(0, half), also)
    return [...first, ...(await perform(account, parts.slice(half), also))]
  }
}

const chunkOf = (parts: readonly Part[]): BulkChunk => {
  const groups = new Map<string, [JsonObject, ItemId[]]>()
  for (const { mail, inverse } of parts) {
    if (inverse === undefined) continue
    const key = JSON.stringify(inverse)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [inverse, [mail.id]])
    else group[1].push(mail.id)
  }
  return [...groups.values()]
}

export const bulkAct = method({
  name: 'Bulk/act',
  capability: 'postrider',
  args: {
    accountId: s.id,
    filter: s.maybe(s.jsonObject),
    fromAddress: s.maybe(s.string),
    keepNewest: s.optional(s.unsigned, 0),
    /** The state the user looked at: what came later is left alone. */
    queryState: s.maybe(s.string),
    update: s.maybe(s.jsonObject),
    destroy: s.optional(s.boolean, false),
    /** Goes on with an act that had mails left. */
    bulkId: s.maybe(s.id),
    /** Only counts. */
    dryRun: s.optional(s.boolean, false),
  },
  async run(call, args) {
    if ((args.update === null) === !args.destroy)
      throw new MethodError('invalidArguments', 'either update or destroy', { arguments: ['update', 'destroy'] })
    const patch = args.update === null ? undefined : readPatch(call, args.update)
    const account = await call.account(args.accountId, 'postrider')
    const state = args.queryState === null ? undefined : readState(args.queryState)
    if (args.queryState !== null && state === undefined)
      throw new MethodError('invalidArguments', 'no state of ours', { arguments: ['queryState'] })
    return call.jmap.records.inTurn(account.handle.mailbox, KIND, async () => {
      const now = call.jmap.parts.clock.now()
      const found = await call.view(account)
      const view = patch === undefined || args.dryRun ? found : await mayWait(call, account, found, patch)
      const acts = await readActs(account.handle, now)
      const known = args.bulkId === null ? undefined : acts.find((one) => one.id === args.bulkId)
      if (args.bulkId !== null && known === undefined)
        throw new MethodError('invalidArguments', 'no such act', { arguments: ['bulkId'] })
      const highest = known?.highest ?? state?.highest ?? view.state.highest
      const mails = await selected(call, account, view, { ...args, highest })
      const act = known ?? newAct(now, highest, patch)
      const outcome = await actOn(call, account, view, mails, { args, patch, acts, act })
      return { accountId: args.accountId, ...outcome, newState: writeState((await call.view(account)).state) }
    })
  },
})

const newAct = (made: number, highest: number, patch: BulkPatch | undefined): BulkAct => ({
  id: `B${randomBytes(9).toString('base64url')}`,
  made,
  highest,
  patch: patch?.patch ?? {},
  chunks: 0,
})

interface Acting {
  readonly args: { readonly filter: JsonObject | null; readonly dryRun: boolean }
  readonly patch: BulkPatch | undefined
  readonly acts: readonly BulkAct[]
  readonly act: BulkAct
}

async function actOn(
  call: Call,
  account: Account,
  view: View,
  mails: readonly Mail[],
  { args, patch, acts, act: first }: Acting,
): Promise<Answer> {
  const { folder } = readFilter(call, view, args.filter)
  let act = first
  let done = 0
  let failed = 0
  let noted = acts.includes(first)
  let at = 0
  for (; at < mails.length && done + failed < MAX_BULK; at += BULK_CHUNK) {
    const some = mails.slice(at, at + BULK_CHUNK)
    const props = patch === undefined ? undefined : await propsOf(account, some, patch)
    const parts: Part[] = []
    for (const mail of some) {
      try {
        const plan =
          patch === undefined
            ? { operations: removal(mail, folder), inverse: undefined }
            : planned(call, view, mail, props?.get(mail.id), patch)
        if (plan !== undefined) parts.push({ mail, ...plan })
      } catch (error) {
        if (!(error instanceof SetError)) throw error
        failed++
      }
    }
    if (args.dryRun) {
      done += parts.length
      continue
    }
    const did = await perform(account, parts, (some) => {
      if (patch === undefined) return []
      const operations = noteChunk(acts, act, chunkOf(some))
      act = { ...act, chunks: act.chunks + 1 }
      return operations
    })
    settle(call, account, did)
    noted ||= did.length > 0
    done += did.length
    failed += parts.length - did.length
  }
  return {
    bulkId: noted && patch !== undefined && !args.dryRun ? act.id : null,
    count: done,
    failed,
    left: Math.max(0, mails.length - at),
  }
}

/** Out of the folder that was emptied; from everywhere when no folder was named. */
const removal = (mail: Mail, folder: Place['folder'] | undefined): Operation[] =>
  removeOperations(mail).filter((one) => folder === undefined || (one.op === 'remove' && one.folder === folder))

/** Undefined: it cannot be taken back, as a time that is past. */
function takenBack(...of: Parameters<typeof planned>): Plan | undefined {
  try {
    return planned(...of)
  } catch (error) {
    if (error instanceof SetError) return undefined
    throw error
  }
}

export const bulkUndo = method({
  name: 'Bulk/undo',
  capability: 'postrider',
  args: { accountId: s.id, bulkId: s.id },
  async run(call, args) {
    const account = await call.account(args.accountId, 'postrider')
    return call.jmap.records.inTurn(account.handle.mailbox, KIND, async () => {
      const { handle } = account
      const found = await call.view(account)
      const acts = await readActs(handle, call.jmap.parts.clock.now())
      const act = acts.find((one) => one.id === args.bulkId)
      if (act === undefined)
        throw new MethodError('invalidArguments', 'it cannot be undone any more', { arguments: ['bulkId'] })
      const forward = readPatch(call, act.patch)
      const view = await mayWait(call, account, found, forward)
      const chunks = await readChunks(handle, act.id)
      let count = 0
      let changed = 0
      let undone = 0
      for (const { key, chunk } of chunks) {
        if (count + changed >= MAX_BULK) break
        const mails = chunk.flatMap(([, ids]) => ids.flatMap((id) => view.mail(id) ?? []))
        const props = await propsOf(account, mails, forward)
        const parts: Part[] = []
        for (const [inverse, ids] of chunk) {
          const patch = readPatch(call, inverse)
          for (const id of ids) {
            const mail = view.mail(id)
            const as = props.get(id)
            const plan =
              mail === undefined || !isAsLeft(view, mail, as, forward)
                ? undefined
                : takenBack(call, view, mail, as, patch)
            if (mail === undefined || plan === undefined) changed++
            else parts.push({ mail, ...plan, inverse: undefined })
          }
        }
        const done = await perform(account, parts, () => [forgetChunk(key)])
        if (parts.length === 0) await handle.apply([forgetChunk(key)])
        settle(call, account, done)
        count += done.length
        changed += parts.length - done.length
        undone++
      }
      const left = chunks.length - undone
      if (left === 0) await handle.apply([forgetAct(acts, act.id)])
      return {
        accountId: args.accountId,
        count,
        /** Mails that somebody changed or deleted since: they stay as they are. */
        changed,
        more: left > 0,
        newState: writeState((await call.view(account)).state),
      }
    })
  },
})
