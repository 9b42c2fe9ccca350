import { type BlobRef, DomainError } from '@postrider/domain'

/**
 * A reference names the database, the blob's number there, and size and checksum of what it stood for when it was given: a number that was
 * given again after a crash (the bytes were never committed) does not fit old references.
 */
export interface BlobName {
  readonly id: number
  readonly size: number
  readonly crc: number
}

const pattern = /^([0-9a-z]{1,4})-([0-9a-z]{1,10})-([0-9a-z]{1,10})-([0-9a-z]{1,7})$/

export const writeRef = (database: number, { id, size, crc }: BlobName): BlobRef =>
  `${database.toString(36)}-${id.toString(36)}-${size.toString(36)}-${crc.toString(36)}` as BlobRef

/** Throws `blobGone` for anything that `writeRef` did not write for this database. */
export function parseRef(database: number, ref: BlobRef): BlobName {
  const match = typeof ref === 'string' ? pattern.exec(ref) : null
  if (match === null || Number.parseInt(match[1] as string, 36) !== database) {
    throw new DomainError('blobGone', typeof ref === 'string' ? ref.slice(0, 60) : typeof ref)
  }
  const [id, size, crc] = [match[2], match[3], match[4]].map((part) => Number.parseInt(part as string, 36)) as [
    number,
    number,
    number,
  ]
  return { id, size, crc }
}
