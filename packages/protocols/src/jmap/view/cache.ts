/** The views that are in use: one a mailbox for all its owners, one a delegate. The least lately used go when they hold too much together. */
import type { MailboxHandle } from '@postrider/domain'
import { MAX_VIEWED } from '../limits.ts'
import { View } from './view.ts'

export class Views {
  readonly #views = new Map<string, View>()
  readonly #limit: number
  #uses = 0

  constructor(limit = MAX_VIEWED) {
    this.#limit = limit
  }

  get size(): number {
    return this.#views.size
  }

  /** The view of a mailbox for this principal, brought up to now. */
  async of(handle: MailboxHandle): Promise<View> {
    const key = handle.full ? `${handle.mailbox}` : `${handle.mailbox}/${handle.principal.account}`
    let view = this.#views.get(key)
    if (view === undefined) {
      view = new View(handle)
      this.#views.set(key, view)
    }
    view.used = ++this.#uses
    try {
      await view.refresh(handle)
    } catch (error) {
      this.#views.delete(key)
      throw error
    }
    this.#trim(view)
    return view
  }

  #trim(inUse: View): void {
    let total = 0
    for (const view of this.#views.values()) total += view.size
    if (total <= this.#limit) return
    for (const [key, view] of [...this.#views].sort((a, b) => a[1].used - b[1].used)) {
      if (view === inUse || total <= this.#limit) continue
      total -= view.size
      this.#views.delete(key)
    }
  }
}
