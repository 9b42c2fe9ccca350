import type { Folder } from './folder.ts'
import type { MailboxId } from './ids.ts'
import type { MailboxService } from './service.ts'

/** Mailboxes whose folder lists are kept, the last used ones; about 10 KB each. */
export const MAX_HIERARCHIES = 4_096

interface Known {
  readonly guid: string
  readonly epoch: number
  readonly hierarchy: number
  readonly folders: readonly Folder[]
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
    const { guid, epoch, hierarchy } = await this.#service.info(mailbox)
    const isCurrent = (one: Known | undefined): one is Known =>
      one?.guid === guid && one.epoch === epoch && one.hierarchy === hierarchy
    let known = this.#known.get(mailbox)
    if (!isCurrent(known)) {
      const folders = Object.freeze(await this.#service.folders(mailbox))
      // Someone else may have read it meanwhile: all share one list.
      known = this.#known.get(mailbox)
      if (!isCurrent(known)) known = { guid, epoch, hierarchy, folders }
    }
    this.#known.delete(mailbox)
    this.#known.set(mailbox, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_HIERARCHIES && oldest !== undefined) this.#known.delete(oldest)
    return known.folders
  }
}
