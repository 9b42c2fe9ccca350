/** Status of Sync: [MS-ASCMD] §2.2.3.177.17. */
export const SyncStatus = {
  success: 1,
  invalidSyncKey: 3,
  protocolError: 4,
  serverError: 5,
  conversionError: 6,
  conflict: 7,
  objectNotFound: 8,
  cannotComplete: 9,
  hierarchyChanged: 12,
  notComplete: 13,
  invalidWait: 14,
  tooManyCollections: 15,
  retry: 16,
} as const

/** Limits of one request: [MS-ASCMD] §3.1.5.10. */
export const syncLimits = {
  /** Add, Change, Delete and Fetch of all collections. */
  commands: 200,
  /** WindowSize at most, and what 0 means: [MS-ASCMD] §2.2.3.199. */
  window: 512,
  /** WindowSize when the client sends none. */
  defaultWindow: 100,
  /** Bytes of item content in one answer: what does not fit follows, MoreAvailable. */
  bytes: 8 * 1024 * 1024,
  /** Bytes of an answer that are kept as they are; larger ones are made again from their recipe. */
  keptReply: 256 * 1024,
} as const

/** A request that is wrong as a whole: the Status under Sync, with the Limit of 14 and 15. */
export class SyncError extends Error {
  readonly status: number
  readonly limit: number | undefined

  constructor(status: number, limit?: number) {
    super(`Sync status ${status}`)
    this.name = 'SyncError'
    this.status = status
    this.limit = limit
  }
}
