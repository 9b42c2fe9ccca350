/**
 * Sync: [MS-ASCMD] §2.2.1.21. In: a request with collections, an empty one, or a Partial one. Out: one answer with a new key
 * per collection that has something to say, nothing at all when none has. Invariant: what a new key stands for is committed
 * before the key leaves.
 */
import { type Folder, HintKind, type Operation } from '@postrider/domain'
import { type Element, el } from '@postrider/wire/wbxml'
import { type Answer, command, document } from '../command.ts'
import type { Context } from '../context.ts'
import type { Held } from '../held/held.ts'
import { look } from '../held/pending.ts'
import { collectionId } from '../ids.ts'
import type { Request } from '../request.ts'
import { type CachedSync, cacheOperation, completeRequest, loadCache } from '../sync/cache.ts'
import type { Budget } from '../sync/changes.ts'
import { lostRace, syncCollection, type Watch } from '../sync/collection.ts'
import { parseSync } from '../sync/parse.ts'
import { keyText, loadRecord } from '../sync/record.ts'
import { SyncError, SyncStatus, syncLimits } from '../sync/status.ts'

/** Tries when another process does the same request at the same moment. */
const raceTries = 3

export const sync = command({
  name: 'Sync',
  first: '12.1',
  needsProvisioning: true,
  body: 'optional',
  root: 'AirSync:Sync',
  statusTag: 'AirSync:Status',
  async run(context, request) {
    try {
      return await context.exclusive(() => answerSync(context, request))
    } catch (error) {
      if (!(error instanceof SyncError)) throw error
      const limit = error.limit === undefined ? undefined : el('AirSync:Limit', error.limit)
      return document(el('AirSync:Sync', el('AirSync:Status', error.status), limit))
    }
  },
})

interface Outcome {
  readonly collections: readonly Element[]
  readonly watches: readonly (Watch | undefined)[]
}

async function answerSync(context: Context, request: Request): Promise<Answer> {
  const { mailbox, device } = context
  const cached = await loadCache(mailbox, device.id)
  const effective = effectiveRequest(context, request, cached)
  const outcome = await runAgainOnRace(context, effective, cached)
  if (outcome.collections.length > 0) return sync_(outcome.collections)
  const { waitSeconds } = effective
  const watches = outcome.watches.filter((watch) => watch !== undefined)
  if (waitSeconds === undefined || watches.length === 0) return { kind: 'empty' }
  return { kind: 'held', held: hold(context, effective, watches, waitSeconds) }
}

const sync_ = (collections: readonly Element[]): Answer =>
  document(el('AirSync:Sync', el('AirSync:Collections', ...collections)))

/** The request to carry out: the body's, the cached one, or both. */
function effectiveRequest(context: Context, request: Request, cached: CachedSync | undefined): CachedSync {
  if (request.document === undefined) {
    // MS-ASCMD R4455: nothing to go by.
    if (cached === undefined) throw new SyncError(SyncStatus.notComplete)
    return cached
  }
  const parsed = parseSync(request.document, context.deps.settings, context.version)
  const whole: CachedSync = parsed.partial ? completeRequest(parsed, cached) : parsed
  const { maxFolders } = context.deps.settings
  if (whole.collections.length > maxFolders) throw new SyncError(SyncStatus.tooManyCollections, maxFolders)
  return whole
}

async function runAgainOnRace(
  context: Context,
  effective: CachedSync,
  cached: CachedSync | undefined,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runSync(context, effective, cached)
    } catch (error) {
      if (!lostRace(error) || attempt >= raceTries) throw error
    }
  }
}

/** All collections in their order, then one commit. */
async function runSync(context: Context, effective: CachedSync, cached: CachedSync | undefined): Promise<Outcome> {
  const { mailbox, device } = context
  const folders: readonly Folder[] = await mailbox.hierarchy()
  const budget: Budget = {
    commands: effective.windowSize ?? Number.MAX_SAFE_INTEGER,
    bytes: syncLimits.bytes,
  }
  const collections: Element[] = []
  const watches: (Watch | undefined)[] = []
  const operations: Operation[] = []
  for (const request of effective.collections) {
    const answer = await syncCollection(context, folders, request, budget)
    operations.push(...answer.operations)
    watches.push(answer.watch)
    if (answer.element !== undefined) collections.push(answer.element)
  }
  const cache = cacheOperation(device.id, cached, effective)
  if (cache !== undefined) operations.push(cache)
  if (operations.length > 0) await mailbox.apply(operations)
  return { collections, watches }
}

/**
 * Waits for a change in one of the collections ([MS-ASCMD] §3.1.5.4). Kept while waiting: the collections' parameters and
 * cursors, no document. Woken, it runs the same request again and answers what that finds.
 */
function hold(context: Context, effective: CachedSync, found: readonly Watch[], waitSeconds: number): Held {
  const { mailbox, quirks } = context
  const all = quirks.pingOnChanges
  let watches = found
  return {
    mailbox: mailbox.mailbox,
    folders: new Set(found.map((watch) => watch.folder.id)),
    kinds: all ? HintKind.added | HintKind.changed | HintKind.removed | HintKind.readChanged : HintKind.added,
    waitMs: waitSeconds * 1000,
    async check() {
      let pending = false
      const looked: Watch[] = []
      for (const watch of watches) {
        const seen = await look(mailbox, watch, all)
        pending ||= seen.pending
        looked.push(seen.pending ? watch : { ...watch, cursor: seen.cursor })
      }
      watches = looked
      if (!pending) return undefined
      return context.exclusive(async () => {
        // The device has gone on elsewhere since: what this request would do is no longer what it wants.
        if (!(await stillCurrent(context, effective, watches))) return { kind: 'empty' }
        const outcome = await runAgainOnRace(context, effective, await loadCache(mailbox, context.device.id))
        watches = outcome.watches.filter((watch) => watch !== undefined)
        return outcome.collections.length === 0 ? undefined : sync_(outcome.collections)
      })
    },
    expired: () => ({ kind: 'empty' }),
    replaced: () => ({ kind: 'empty' }),
  }
}

/** Whether the keys a waiting request showed are still the device's current ones. */
async function stillCurrent(context: Context, effective: CachedSync, watches: readonly Watch[]): Promise<boolean> {
  for (const { folder } of watches) {
    const record = await loadRecord(context.mailbox, context.device.id, folder.id)
    const id = collectionId(folder.id)
    const request = effective.collections.find((collection) => collection.collectionId === id)
    if (request !== undefined && (record === undefined || keyText(record) !== request.syncKey)) return false
  }
  return true
}
