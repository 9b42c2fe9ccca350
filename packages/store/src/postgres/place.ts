import type { S3Options } from '../s3/index.ts'

/** A server with its databases, and where their originals go. */
export interface PostgresPlace {
  /** The first that takes writes is used. */
  readonly urls: readonly string[]
  readonly objects?: ObjectStore
}

/** A bucket for the segments of all databases, each below its own name, and how much of it is kept near, bytes. */
export interface ObjectStore {
  readonly bucket: S3Options
  readonly cacheBytes: number
  /** Size of a segment, and how long originals gather for one, ms. */
  readonly segmentBytes?: number
  readonly gatherMs?: number
}

/** A database's own part of the bucket. */
export const bucketOf = ({ bucket }: ObjectStore, name: string): S3Options => ({
  ...bucket,
  prefix: `${bucket.prefix}${name}/`,
})
