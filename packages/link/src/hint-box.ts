import type { ChangeNumber, FolderId, Hint } from '@postrider/domain'

/** How long hints wait for a channel that takes nothing. */
const CONGESTED_MS = 50

/** Two hints of one mailbox as one. An empty list of folders means "look yourself", so it stays empty. */
function mergeHints(a: Hint, b: Hint): Hint {
  const change = Math.max(a.change, b.change) as ChangeNumber
  if (a.folders.length === 0 || b.folders.length === 0) return { mailbox: a.mailbox, change, folders: [] }
  const kinds = new Map<FolderId, number>()
  for (const { id, kinds: bits } of [...a.folders, ...b.folders]) kinds.set(id, (kinds.get(id) ?? 0) | bits)
  return { mailbox: a.mailbox, change, folders: [...kinds].map(([id, bits]) => ({ id, kinds: bits })) }
}

/**
 * Hints on their way to the other side: those of one turn of the loop go as one, and while the channel is congested one hint per
 * subscription waits, so that a slow caller costs bounded memory.
 */
export class HintBox {
  readonly #send: (id: number, args: readonly Hint[]) => void
  readonly #congested: () => boolean
  readonly #waiting = new Map<number, readonly Hint[]>()
  #timer: NodeJS.Timeout | undefined
  #planned = false

  constructor(send: (id: number, args: readonly Hint[]) => void, congested: () => boolean) {
    this.#send = send
    this.#congested = congested
  }

  /** `args` is what the listener was called with: one hint, or nothing (the queue). */
  put(id: number, args: readonly Hint[]): void {
    const [before] = this.#waiting.get(id) ?? []
    const [hint] = args
    this.#waiting.set(id, before !== undefined && hint !== undefined ? [mergeHints(before, hint)] : args)
    if (this.#planned) return
    this.#planned = true
    queueMicrotask(() => this.#flush())
  }

  drop(id: number): void {
    this.#waiting.delete(id)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#waiting.clear()
  }

  #flush(): void {
    if (this.#congested()) {
      this.#timer = setTimeout(() => this.#flush(), CONGESTED_MS).unref()
      return
    }
    this.#planned = false
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const [id, args] of waiting) this.#send(id, args)
  }
}
