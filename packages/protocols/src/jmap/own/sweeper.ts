/**
 * Sweeps mailboxes that have sweeps: soon after mail came into one, and every hour for what has become old. What it moves it moves as the
 * user would, through the door; what could not be moved is found again by the next turn.
 */
import {
  type FolderId,
  type Hint,
  HintKind,
  type MailboxEntry,
  type MailboxHandle,
  type MailboxId,
  type Timed,
  timed,
  type Waiter,
} from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import { Call } from '../core/call.ts'
import { accountIdOf, mailboxIdOf, readMailboxId } from '../core/ids.ts'
import { BULK_CHUNK, MAX_BULK } from '../limits.ts'
import { merged, placeOperations } from '../mail/place.ts'
import { rolesOf } from '../mail/roles.ts'
import { writeUtcDate } from '../mail/header-forms.ts'
import type { Jmap } from '../service.ts'
import type { View } from '../view/view.ts'
import { selected } from './bulk-select.ts'
import { sweeps, type SweepValue } from './sweep.ts'

/** So long after mail came: what comes together is swept together. */
const SOON_MS = 3_000
const TURN_MS = 60 * 60 * 1_000
const DAY_MS = 24 * 60 * 60 * 1_000

interface Watched {
  readonly entry: MailboxEntry
  readonly waiter: Waiter
  timer: Timed | undefined
  /** Whether the timer is the soon one. */
  soon: boolean
  working: Promise<void>
}

export class Sweeper {
  readonly #jmap: Jmap
  readonly #watched = new Map<MailboxId, Watched>()
  #stopped = false

  constructor(jmap: Jmap) {
    this.#jmap = jmap
  }

  stop(): void {
    this.#stopped = true
    for (const mailbox of [...this.#watched.keys()]) this.#leave(mailbox)
  }

  /** Watches a mailbox that has sweeps; answers how many it has. */
  async takeUp(entry: MailboxEntry, handle: MailboxHandle): Promise<number> {
    const { records } = await this.#jmap.records.read<SweepValue>(handle, sweeps.kind)
    if (records.length === 0) this.#leave(entry.mailbox)
    else await this.#watch(entry)
    return records.length
  }

  /** The sweeps of a mailbox changed. */
  async look(entry: MailboxEntry): Promise<void> {
    if (this.#jmap.leavesToAnother(entry.mailbox)) return
    await this.takeUp(entry, await this.#jmap.openAs(entry))
    const watched = this.#watched.get(entry.mailbox)
    if (watched !== undefined) this.#again(watched, 0)
  }

  async #watch(entry: MailboxEntry): Promise<void> {
    if (this.#stopped || this.#watched.has(entry.mailbox)) return
    const watched: Watched = {
      entry,
      waiter: { hint: (hint) => this.#hint(watched, hint) },
      timer: undefined,
      soon: false,
      working: Promise.resolve(),
    }
    this.#watched.set(entry.mailbox, watched)
    await this.#jmap.parts.held.hold(entry.mailbox, watched.waiter)
    this.#again(watched, SOON_MS)
  }

  #leave(mailbox: MailboxId): void {
    const watched = this.#watched.get(mailbox)
    if (watched === undefined) return
    this.#watched.delete(mailbox)
    if (watched.timer !== undefined) this.#jmap.parts.wheel.remove(watched.timer)
    this.#jmap.parts.held.release(mailbox, watched.waiter)
  }

  #hint(watched: Watched, { folders }: Hint): void {
    const added = folders.length === 0 || folders.some((one) => (one.kinds & HintKind.added) !== 0)
    if (added && !watched.soon) this.#again(watched, SOON_MS)
  }

  #again(watched: Watched, wait: number): void {
    if (this.#stopped || this.#watched.get(watched.entry.mailbox) !== watched) return
    const { wheel } = this.#jmap.parts
    if (watched.timer !== undefined) wheel.remove(watched.timer)
    watched.soon = wait < TURN_MS
    watched.timer = timed(() => {
      watched.timer = undefined
      watched.soon = false
      watched.working = watched.working.then(() => this.#turn(watched))
    })
    wheel.add(watched.timer, wait)
  }

  async #turn(watched: Watched): Promise<void> {
    const { log, directory } = this.#jmap.parts
    const entry = directory.mailbox(watched.entry.mailbox)
    if (entry === undefined || !entry.enabled) return this.#leave(watched.entry.mailbox)
    try {
      const handle = await this.#jmap.openAs(entry)
      const { records } = await this.#jmap.records.read<SweepValue>(handle, sweeps.kind)
      if (records.length === 0) return this.#leave(entry.mailbox)
      const account: Account = { id: accountIdOf(entry.mailbox), entry, handle, personal: true }
      for (const { value } of records) await this.#sweep(account, value)
    } catch (error) {
      log.warn({ account: entry.account, err: error }, 'a mailbox was not swept: tried again')
    }
    if (watched.timer === undefined) this.#again(watched, TURN_MS)
  }

  async #sweep(account: Account, { fromAddress, mailboxId, keep, n, moveTo }: SweepValue): Promise<void> {
    const call = new Call(this.#jmap, account.handle.principal, new Map())
    const view = await call.view(account)
    const folder = readMailboxId(mailboxId)
    const to = moveTo === null ? trashOf(view) : readMailboxId(moveTo)
    // A folder that is gone: nothing to keep clean, or nowhere to go.
    if (folder === undefined || to === undefined || !view.folders.has(folder) || !view.folders.has(to)) return
    const before = writeUtcDate(call.jmap.parts.clock.now() - n * DAY_MS)
    const mails = await selected(call, account, view, {
      filter: { inMailbox: mailboxIdOf(folder), ...(keep === 'days' ? { before } : {}) },
      fromAddress,
      keepNewest: keep === 'newest' ? n : 0,
      highest: Number.POSITIVE_INFINITY,
    })
    for (let at = 0; at < Math.min(mails.length, MAX_BULK); at += BULK_CHUNK) {
      const operations = mails
        .slice(at, at + BULK_CHUNK)
        .flatMap((mail) =>
          placeOperations(mail, [
            ...new Set([...mail.places.map((one) => one.folder).filter((one) => one !== folder), to]),
          ]),
        )
      if (operations.length > 0) await account.handle.apply(merged(operations))
    }
  }
}

function trashOf(view: View): FolderId | undefined {
  return [...rolesOf(view.folders.values())].find(([, role]) => role === 'trash')?.[0]
}
