/** What lives as long as the server: views, uploads, counters of what goes on at the same time, held submissions. */
import { folderId, type FolderId, type MailboxId } from '@postrider/domain'
import { Uploads } from './blobs/uploads.ts'
import type { Method } from './core/method.ts'
import { Gates } from './http/gates.ts'
import { Outbox } from './mail/outbox.ts'
import { methods } from './methods.ts'
import { defaultJmapSettings, type JmapParts, type JmapSettings } from './parts.ts'
import type { EventSource } from './push/events.ts'
import { Records } from './store/records.ts'
import { Views } from './view/cache.ts'

export class Jmap {
  readonly parts: JmapParts
  readonly settings: JmapSettings
  readonly views = new Views()
  readonly uploads: Uploads
  readonly gates = new Gates()
  readonly records: Records
  readonly outbox: Outbox
  readonly methods: ReadonlyMap<string, Method>
  readonly sources = new Set<EventSource>()
  readonly #listeners = new Set<(mailbox: MailboxId, type: string) => void>()
  /** How often a change outside of the mailbox was told. */
  pushes = 0
  /** For originals that are in no folder yet: an owner's handle asks for no folder's right. */
  readonly anyFolder: FolderId = folderId(1)

  constructor(parts: JmapParts) {
    this.parts = parts
    this.settings = { ...defaultJmapSettings, ...parts.settings }
    this.uploads = new Uploads(parts.clock)
    this.records = new Records()
    this.outbox = new Outbox(this)
    this.methods = methods
  }

  /** Tells everybody who waits of a change that gives no hint of its own. */
  changed(mailbox: MailboxId, type: string): void {
    this.pushes++
    for (const listener of [...this.#listeners]) listener(mailbox, type)
  }
  listen(listener: (mailbox: MailboxId, type: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
