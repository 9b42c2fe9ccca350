/** What the sweeper needs to know of a connection. */
export interface Swept {
  readonly condition: 'writing' | 'ending' | 'lastWords' | 'idle'
  readonly progress: number
  end(): void
  destroy(): void
}

/** A peer that takes nothing of an answer for so long is gone (MessageRate 1 byte in ten seconds still counts as progress). */
export const STALLED_MS = 300_000
/** After our last word a peer has so long to take it. */
export const ENDING_MS = 30_000
/** After the peer's last word we wait so long for ours. */
export const LAST_WORDS_MS = 1_500

const TICK_MS = 500

interface Seen {
  progress: number
  condition: Swept['condition']
  at: number
}

/** Looks after connections that wait for their peer: one timer for all, and none while nobody waits. */
export class Sweeper {
  readonly #seen = new Map<Swept, Seen>()
  #timer: NodeJS.Timeout | undefined

  watch(connection: Swept): void {
    if (this.#seen.has(connection)) return
    this.#seen.set(connection, { progress: -1, condition: connection.condition, at: performance.now() })
    this.#timer ??= setInterval(() => this.#sweep(), TICK_MS).unref()
  }
  forget(connection: Swept): void {
    this.#seen.delete(connection)
  }
  get size(): number {
    return this.#seen.size
  }

  #sweep(): void {
    const now = performance.now()
    for (const [connection, seen] of this.#seen) {
      const { condition, progress } = connection
      if (condition === 'idle') {
        this.#seen.delete(connection)
        continue
      }
      if (progress !== seen.progress || condition !== seen.condition) {
        Object.assign(seen, { progress, condition, at: now })
        continue
      }
      const waited = now - seen.at
      if (condition === 'lastWords' && waited >= LAST_WORDS_MS) connection.end()
      else if ((condition === 'ending' && waited >= ENDING_MS) || waited >= STALLED_MS) connection.destroy()
    }
    if (this.#seen.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
