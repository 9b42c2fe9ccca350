/**
 * Uploads that nothing names yet: RFC 8620 §6. The bytes lie staged in the mailbox's database; this table says whose they are. It is
 * known to all processes and forgotten with the program: a client that hears blobNotFound uploads again.
 */
import { randomBytes } from 'node:crypto'
import type { BlobRef, Clock, MailboxId, Together } from '@postrider/domain'
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

const UPLOADED = 'jmap upload'

export class Uploads {
  readonly #clock: Clock
  readonly #together: Together
  readonly #byUploader = new Map<string, Map<string, Upload>>()

  constructor(clock: Clock, together: Together) {
    this.#clock = clock
    this.#together = together
    together.read(UPLOADED, (id, upload) => this.#keep(id, upload as Upload))
  }

  /** Remembers one, in all processes when it resolves. */
  async add(upload: Omit<Upload, 'expires'>): Promise<string> {
    const id = `U${randomBytes(18).toString('hex')}`
    const whole: Upload = { ...upload, expires: this.#clock.now() + UPLOAD_LIFE_MS }
    this.#keep(id, whole)
    await this.#together.post(UPLOADED, id, whole, UPLOAD_LIFE_MS)
    return id
  }

  /** The oldest of the uploader go when there are too many. */
  #keep(id: string, upload: Upload): void {
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
    list.set(id, upload)
  }

  get(uploader: string, mailbox: MailboxId, id: string): Upload | undefined {
    const found = this.#byUploader.get(uploader)?.get(id)
    return found === undefined || found.mailbox !== mailbox || found.expires <= this.#clock.now() ? undefined : found
  }
}
