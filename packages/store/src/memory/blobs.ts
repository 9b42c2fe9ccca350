import { type BlobRef, DomainError } from '@postrider/domain'
import type { Transaction } from './transaction.ts'

interface Blob {
  readonly bytes: Uint8Array
  references: number
}

/** How long bytes that no row names stay readable: `MailboxService.stage`. */
export const UNNAMED_BLOB_MS = 3_600_000

/** The originals of one database, shared by its mailboxes, with the number of rows and queue entries that name each. */
export class Blobs {
  readonly #blobs = new Map<BlobRef, Blob>()
  /** Blobs nobody names, by the time since when; oldest first. */
  readonly #unnamed = new Map<BlobRef, number>()
  readonly #database: string
  #next = 1

  constructor(database: string) {
    this.#database = database
  }

  /** Keeps a copy of `bytes`; nobody names it yet. */
  put(bytes: Uint8Array, now: number): BlobRef {
    const ref = `${this.#database}/${this.#next++}` as BlobRef
    this.#blobs.set(ref, { bytes: new Uint8Array(bytes), references: 0 })
    this.#unnamed.set(ref, now)
    return ref
  }

  /** The bytes themselves, not a copy. */
  read(ref: BlobRef): Uint8Array {
    const blob = this.#blobs.get(ref)
    if (blob === undefined) throw new DomainError('blobGone', String(ref))
    return blob.bytes
  }

  /** One more (or, with -1, one less) row names it; undone with the transaction. */
  refer(transaction: Transaction, ref: BlobRef | undefined, by: 1 | -1): void {
    if (ref === undefined) return
    const blob = this.#blobs.get(ref)
    if (blob === undefined) throw new DomainError('blobGone', ref)
    const move = (step: number): void => {
      blob.references += step
      if (blob.references > 0) this.#unnamed.delete(ref)
      else this.#unnamed.set(ref, transaction.now)
    }
    move(by)
    transaction.undo(() => move(-by))
  }

  /** Drops what nobody has named for an hour. */
  collect(now: number): void {
    for (const [ref, since] of this.#unnamed) {
      if (since > now - UNNAMED_BLOB_MS) return
      this.#unnamed.delete(ref)
      this.#blobs.delete(ref)
    }
  }
}
