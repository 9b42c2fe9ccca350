import type { Folder } from './folder.ts'
import type { ChangeNumber, MailboxId } from './ids.ts'
import type { MailboxInfo, MailboxService } from './service.ts'

/** Mailboxes whose folder lists are kept, the last used ones; about 10 KB each. */
export const MAX_HIERARCHIES = 4_096

/** All folders of a mailbox and the moment they were read at. */
export interface Listing {
  readonly guid: string
  readonly epoch: number
  /** The mailbox's change number: everything up to it is in the counters. */
  readonly change: ChangeNumber
  readonly folders: readonly Folder[]
}

/** Folders by name and place, with counters of any earlier moment, and the mailbox as it is. */
export interface Overview {
  readonly info: MailboxInfo
  readonly folders: readonly Folder[]
}

interface Known extends Listing {
  readonly hierarchy: number
}

/**
 * Folder lists at the edge. A thousand waiting phones would each fetch and hold thirty folders; here they share one list, and each use asks the
 * mailbox whether the list is still right. Invariant: a list is never newer than the number it is kept under, so the worst is to read it twice.
 */
export class Hierarchies {
  readonly #service: Pick<MailboxService, 'info' | 'folders'>
  /** Least recently used first. */
  readonly #known = new Map<MailboxId, Known>()

  constructor(service: Pick<MailboxService, 'info' | 'folders'>) {
    this.#service = service
  }

  /** The folders as they are, with counters of some earlier moment. Rejects as `info` and `folders` do. */
  async of(mailbox: MailboxId): Promise<readonly Folder[]> {
    return (await this.overview(mailbox)).folders
  }

  /** The same, with what was seen of the mailbox on the way. */
  async overview(mailbox: MailboxId): Promise<Overview> {
    const info = await this.#service.info(mailbox)
    return { info, folders: (await this.#read(mailbox, info, (known) => known.hierarchy === info.hierarchy)).folders }
  }

  /**
   * The folders with their counters as they are; only subscriptions may be of an earlier moment: they move no number. `moved`: something has
   * probably changed, so the list is asked for at once.
   */
  async listing(mailbox: MailboxId, moved = false): Promise<Listing> {
    const [info, folders] = await Promise.all([
      this.#service.info(mailbox),
      moved ? this.#service.folders(mailbox) : undefined,
    ])
    const suffices = (known: Known): boolean => known.change === info.change && known.hierarchy === info.hierarchy
    return this.#read(mailbox, info, suffices, folders)
  }

  /** The list that is kept, of any earlier moment, without a question: for those who would guess and check afterwards. */
  remembered(mailbox: MailboxId): readonly Folder[] | undefined {
    return this.#known.get(mailbox)?.folders
  }

  async #read(
    mailbox: MailboxId,
    info: MailboxInfo,
    suffices: (known: Known) => boolean,
    read?: readonly Folder[],
  ): Promise<Known> {
    const { guid, epoch, hierarchy, change } = info
    const isCurrent = (one: Known | undefined): one is Known =>
      one?.guid === guid && one.epoch === epoch && suffices(one)
    let known = this.#known.get(mailbox)
    if (!isCurrent(known)) {
      const folders = Object.freeze(read ?? (await this.#service.folders(mailbox)))
      // Someone else may have read it meanwhile: all share one list.
      known = this.#known.get(mailbox)
      if (!isCurrent(known)) known = { guid, epoch, hierarchy, change, folders }
    }
    this.#known.delete(mailbox)
    this.#known.set(mailbox, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_HIERARCHIES && oldest !== undefined) this.#known.delete(oldest)
    return known
  }
}
