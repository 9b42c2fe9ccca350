/** One at a time per key, in this process: phones send stale keys in parallel. Across processes the `once` of a sync key decides. */

const tails = new Map<string, Promise<unknown>>()

/** Runs `work` when all earlier work of the same key is done, whatever became of it. */
export async function exclusive<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = tails.get(key) ?? Promise.resolve()
  const mine = before.then(work, work)
  const tail = mine.catch(() => {})
  tails.set(key, tail)
  try {
    return await mine
  } finally {
    if (tails.get(key) === tail) tails.delete(key)
  }
}
