/**
 * The last Sync request of a device that carried no changes of its own: an empty request runs it again, a Partial one takes
 * the collections it does not name from it ([MS-ASCMD] §2.2.1.21.1, §2.2.3.130). Any request with a body replaces it.
 */
import type { MailboxHandle, Operation } from '@postrider/domain'
import { stateClient } from '../state/device.ts'
import type { CollectionRequest, SyncRequest } from './parse.ts'
import { SyncError, SyncStatus } from './status.ts'

const key = 'cache'

/** What is kept: everything but commands. */
export type CachedSync = Omit<SyncRequest, 'partial'>

export async function loadCache(mailbox: MailboxHandle, deviceId: string): Promise<CachedSync | undefined> {
  const entries = await mailbox.state(stateClient(deviceId), key)
  const value = entries.find((entry) => entry.key === key)?.value
  if (value === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as CachedSync
  } catch {
    return undefined
  }
}

/** The operation that keeps a request, or takes away the one that is kept; undefined when it is kept as it is. */
export function cacheOperation(
  deviceId: string,
  before: CachedSync | undefined,
  request: CachedSync,
): Operation | undefined {
  const client = stateClient(deviceId)
  const cacheable = request.collections.every((collection) => collection.commands.length === 0)
  if (!cacheable) return before === undefined ? undefined : { op: 'deleteState', client, key }
  const { collections, waitSeconds, windowSize } = request
  const value = JSON.stringify({ collections, waitSeconds, windowSize })
  if (value === JSON.stringify(before)) return undefined
  return { op: 'putState', client, key, value: Buffer.from(value) }
}

/** A Partial request made whole; without a cached one it is 13. */
export function completeRequest(partial: SyncRequest, cached: CachedSync | undefined): CachedSync {
  if (cached === undefined) throw new SyncError(SyncStatus.notComplete)
  const named = new Set(partial.collections.map((collection) => collection.collectionId))
  const rest: CollectionRequest[] = cached.collections.filter((collection) => !named.has(collection.collectionId))
  return {
    collections: [...partial.collections, ...rest],
    waitSeconds: partial.waitSeconds ?? cached.waitSeconds,
    windowSize: partial.windowSize ?? cached.windowSize,
  }
}
