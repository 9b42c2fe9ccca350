/** More work is waiting than will be done in time. */
export class PoolFull extends Error {
  override readonly name = 'PoolFull'
}

/**
 * Runs at most `parallel` pieces of work at a time and lets at most `waiting` wait: password hashes cost 30 ms and 19 MiB each, and a
 * thousand phones come back at once after a restart.
 */
export class Pool {
  readonly #parallel: number
  readonly #waiting: number
  readonly #queue: (() => void)[] = []
  #running = 0

  constructor(parallel: number, waiting: number) {
    this.#parallel = parallel
    this.#waiting = waiting
  }

  /** Rejects with PoolFull at once when the queue is full. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#parallel) this.#running++
    else if (this.#queue.length >= this.#waiting) throw new PoolFull('too many waiting')
    else await new Promise<void>((resolve) => this.#queue.push(resolve))
    try {
      return await work()
    } finally {
      // The place goes on to the next in line, so that nobody can slip in between.
      const next = this.#queue.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
