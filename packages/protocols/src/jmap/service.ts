/** What lives as long as the server: views, uploads, counters of what goes on at the same time, held submissions. */
import { randomUUID } from 'node:crypto'
import {
  alone,
  folderId,
  type FolderId,
  type MailboxEntry,
  type MailboxHandle,
  type MailboxId,
  type Together,
  timed,
} from '@postrider/domain'
import { Signatures } from './smime/signatures.ts'
import { Given } from './sharing/given.ts'
import { Uploads } from './blobs/uploads.ts'
import type { Method } from './core/method.ts'
import { Outbox } from './mail/outbox.ts'
import { Snoozer } from './mail/snooze.ts'
import { methods } from './methods.ts'
import { Sweeper } from './own/sweeper.ts'
import { defaultJmapSettings, type JmapParts, type JmapSettings } from './parts.ts'
import { principalOf } from './core/accounts.ts'
import { Records } from './store/records.ts'
import { Pushes } from './webpush/pushes.ts'
import { Views } from './view/cache.ts'

/** Topic of changes that give no hint of their own: `<mailbox> <type>`. */
const CHANGED = 'jmap changed'
/** No type of JMAP: something is held for later. */
const HELD = 'held'
/** So long after it could not be read. */
const LOOK_AGAIN_MS = 1_000

/** How much of a kind one account does at the same time: maxConcurrentRequests, maxConcurrentUpload (RFC 8620 §2), event sources. */
export type Gate = 'request' | 'upload' | 'events' | 'socket'

export class Jmap {
  readonly parts: JmapParts
  readonly settings: JmapSettings
  readonly together: Together
  readonly views = new Views()
  readonly signatures = new Signatures()
  readonly uploads: Uploads
  readonly given: Given
  readonly records: Records
  readonly outbox: Outbox
  readonly snoozer: Snoozer
  readonly sweeper: Sweeper
  readonly pushes: Pushes
  readonly methods: ReadonlyMap<string, Method>
  /** Whoever hears of changes over a connection that stays open. */
  readonly sources = new Set<{ close(): void }>()
  #stopped = false
  readonly #unwatch: () => void
  readonly #listeners = new Set<(mailbox: MailboxId, type: string) => void>()
  /** Another one after every change of the address book that reached this process. */
  directoryState: string = randomUUID()
  /** How often a change outside of the mailbox was told. */
  told = 0
  /** For originals that are in no folder yet: an owner's handle asks for no folder's right. */
  readonly anyFolder: FolderId = folderId(1)

  constructor(parts: JmapParts) {
    this.parts = parts
    this.settings = { ...defaultJmapSettings, ...parts.settings }
    this.together = parts.together ?? alone()
    this.uploads = new Uploads(parts.clock, this.together)
    this.records = new Records(this.together)
    this.outbox = new Outbox(this)
    this.given = new Given(this)
    this.snoozer = new Snoozer(this)
    this.sweeper = new Sweeper(this)
    this.pushes = new Pushes(this)
    this.methods = methods
    this.#unwatch = parts.directory.watch(() => {
      this.directoryState = randomUUID()
    })
    this.together.read(CHANGED, (key) => {
      const [mailbox = '', type = ''] = key.split(' ')
      this.#heard(Number(mailbox) as MailboxId, type)
    })
  }

  /** Opens a mailbox on its user's behalf, with the user's own rights: for what happens at its time. */
  openAs(entry: MailboxEntry): Promise<MailboxHandle> {
    return this.parts.door.open(principalOf(entry), entry.mailbox)
  }

  /** Takes up what was held when the program ended last. */
  async start(): Promise<void> {
    const { directory, log, agenda } = this.parts
    const listed = await agenda?.mailboxes()
    for (const entry of [...directory.mailboxes()]) {
      if (this.#stopped) return
      if (listed !== undefined && !listed.has(entry.mailbox)) continue
      try {
        const held = await this.#takeUp(entry)
        if (held > 0) await agenda?.add(entry.mailbox)
        // Another process may hold something there by now.
        else if (!this.together.several) await agenda?.remove(entry.mailbox)
      } catch (error) {
        log.warn({ account: entry.account, err: error }, 'what a mailbox holds for later could not be read')
      }
    }
    if (!this.#stopped) await agenda?.complete()
  }

  async #takeUp(entry: MailboxEntry): Promise<number> {
    const handle = await this.openAs(entry)
    const held = (await this.outbox.takeUp(entry, handle)) + (await this.snoozer.takeUp(entry, handle))
    return held + (await this.sweeper.takeUp(entry, handle)) + (await this.pushes.takeUp(entry, handle))
  }

  /** Whether what a mailbox holds for later leaves from another process, which is told to look. */
  leavesToAnother(mailbox: MailboxId): boolean {
    if (this.parts.sendsHeld !== false) return false
    this.#post(mailbox, HELD)
    return true
  }
  /** Another process holds something in this mailbox: it leaves from here. Tried until it was read. */
  #look(mailbox: MailboxId): void {
    const { directory, log, wheel } = this.parts
    const entry = this.#stopped || this.parts.sendsHeld === false ? undefined : directory.mailbox(mailbox)
    if (entry === undefined) return
    this.#takeUp(entry).catch((error: unknown) => {
      log.warn({ account: entry.account, err: error }, 'what a mailbox holds for later could not be read: tried again')
      wheel.add(
        timed(() => this.#look(mailbox)),
        LOOK_AGAIN_MS,
      )
    })
  }

  stop(): void {
    this.#stopped = true
    this.#unwatch()
    this.outbox.stop()
    this.snoozer.stop()
    this.sweeper.stop()
    this.pushes.stop()
  }

  /** Tells everybody who waits of a change that gives no hint of its own. */
  changed(mailbox: MailboxId, type: string): void {
    this.#post(mailbox, type)
    this.#tell(mailbox, type)
  }
  /** Nobody waits for it: who has not heard sees it with the next answer. */
  #post(mailbox: MailboxId, type: string): void {
    this.together
      .post(CHANGED, `${mailbox} ${type}`, true, 0)
      .catch((error: unknown) => this.parts.log.warn({ err: error }, 'a change was not told to all'))
  }
  #heard(mailbox: MailboxId, type: string): void {
    if (type === HELD) this.#look(mailbox)
    else this.#tell(mailbox, type)
  }
  #tell(mailbox: MailboxId, type: string): void {
    this.told++
    for (const listener of [...this.#listeners]) listener(mailbox, type)
  }
  /** Enters; answers how to leave, or undefined when there are `limit` inside already. */
  enter(gate: Gate, account: string, limit: number): (() => void) | undefined {
    return this.together.enter(`jmap ${gate}`, account, limit)
  }
  listen(listener: (mailbox: MailboxId, type: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
