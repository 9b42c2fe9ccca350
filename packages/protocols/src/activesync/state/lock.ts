/** One at a time per key, in this process: phones send stale keys in parallel. Across processes the `once` of a sync key decides. */
export class Lock {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Runs `work` when all earlier work of the same key is done, whatever became of it. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    const tail = mine.catch(() => {})
    this.#tails.set(key, tail)
    try {
      return await mine
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}
