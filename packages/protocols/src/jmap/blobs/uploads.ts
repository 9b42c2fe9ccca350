/**
 * Uploads that nothing names yet: RFC 8620 §6. The bytes lie staged in the mailbox's database; this table says whose they are. It is
 * forgotten with the process: a client that hears blobNotFound uploads again.
 */
import { randomBytes } from 'node:crypto'
import type { BlobRef, Clock, MailboxId } from '@postrider/domain'
import { MAX_UPLOADED_BYTES, MAX_UPLOADS, UPLOAD_LIFE_MS } from '../limits.ts'

export interface Upload {
  /** The account it was uploaded to, and who did. */
  readonly mailbox: MailboxId
  readonly uploader: string
  /** The mailbox whose database holds the bytes: the uploader's own where the account is not the uploader's. */
  readonly home: MailboxId
  readonly ref: BlobRef
  readonly size: number
  readonly type: string
  readonly expires: number
}

export class Uploads {
  readonly #clock: Clock
  readonly #byUploader = new Map<string, Map<string, Upload>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Remembers one; the oldest of the uploader go when there are too many. */
  add(upload: Omit<Upload, 'expires'>): string {
    const now = this.#clock.now()
    for (const [uploader, list] of this.#byUploader) {
      for (const [id, one] of list) {
        if (one.expires > now) break
        list.delete(id)
      }
      if (list.size === 0) this.#byUploader.delete(uploader)
    }
    let list = this.#byUploader.get(upload.uploader)
    if (list === undefined) {
      list = new Map()
      this.#byUploader.set(upload.uploader, list)
    }
    let bytes = upload.size
    for (const one of list.values()) bytes += one.size
    for (const [id, one] of list) {
      if (list.size < MAX_UPLOADS && bytes <= MAX_UPLOADED_BYTES) break
      list.delete(id)
      bytes -= one.size
    }
    const id = `U${randomBytes(18).toString('hex')}`
    list.set(id, { ...upload, expires: now + UPLOAD_LIFE_MS })
    return id
  }

  get(uploader: string, mailbox: MailboxId, id: string): Upload | undefined {
    const found = this.#byUploader.get(uploader)?.get(id)
    return found === undefined || found.mailbox !== mailbox || found.expires <= this.#clock.now() ? undefined : found
  }
}
