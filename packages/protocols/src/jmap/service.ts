/** What lives as long as the server: views, uploads, counters of what goes on at the same time, held submissions. */
import { folderId, type FolderId, type MailboxEntry, type MailboxHandle, type MailboxId } from '@postrider/domain'
import { Uploads } from './blobs/uploads.ts'
import type { Method } from './core/method.ts'
import { Gates } from './http/gates.ts'
import { Outbox } from './mail/outbox.ts'
import { Snoozer } from './mail/snooze.ts'
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
  readonly snoozer: Snoozer
  readonly methods: ReadonlyMap<string, Method>
  readonly sources = new Set<EventSource>()
  #stopped = false
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
    this.snoozer = new Snoozer(this)
    this.methods = methods
  }

  /** Opens a mailbox on its user's behalf, with the user's own rights: for what happens at its time. */
  openAs({ account, address, displayName, mailbox, language }: MailboxEntry): Promise<MailboxHandle> {
    return this.parts.door.open(
      { account, address, displayName, mailbox, language, protocol: 'web', appPassword: undefined },
      mailbox,
    )
  }

  /** Takes up what was held when the program ended last. */
  async start(): Promise<void> {
    const { directory, log, agenda } = this.parts
    const listed = await agenda?.mailboxes()
    for (const entry of [...directory.mailboxes()]) {
      if (this.#stopped) return
      if (listed !== undefined && !listed.has(entry.mailbox)) continue
      try {
        const handle = await this.openAs(entry)
        const held = (await this.outbox.takeUp(entry, handle)) + (await this.snoozer.takeUp(entry, handle))
        if (held === 0) await agenda?.remove(entry.mailbox)
        else await agenda?.add(entry.mailbox)
      } catch (error) {
        log.warn({ account: entry.account, err: error }, 'what a mailbox holds for later could not be read')
      }
    }
    if (!this.#stopped) await agenda?.complete()
  }

  stop(): void {
    this.#stopped = true
    this.outbox.stop()
    this.snoozer.stop()
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
