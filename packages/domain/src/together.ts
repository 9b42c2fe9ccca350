/**
 * What the client-access processes of one machine keep in common, as protocol code sees it: limits that count all of them, the one held request
 * of a device, work that must not be done twice at the same time, notes that all have to know. One process alone keeps it in memory
 * (`alone`); several do it through the main process (server/src/access).
 */
export interface Together {
  /** Whether there are other processes at all. */
  readonly several: boolean
  /**
   * Counts one more of `key` in a list of its own; undefined when there are `limit` already, else what to call when it is gone (twice is once).
   * What other processes count arrives a moment later: a burst over several of them may pass the limit by as many as came in that moment.
   */
  enter(list: string, key: string, limit: number): (() => void) | undefined
  /** Takes a place that only the newest has: whoever had it, in whatever process, is told that it is lost. Answers how to leave it. */
  claim(place: string, lost: () => void): () => void
  /** Whoever has the place loses it. */
  vacate(place: string): void
  /** Runs the work when all earlier work of this name is done, in all processes. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Gives a note to all other processes, also to those that start within `keepMs`; `undefined` takes it away. Resolves when all have it. */
  post(topic: string, key: string, note: unknown, keepMs: number): Promise<void>
  /** Calls back for every note of another process, those of before too. One reader a topic. */
  read(topic: string, reader: (key: string, note: unknown) => void): void
}

/** Counts by list and key; what is at zero is forgotten. */
export class Tally {
  readonly #counts = new Map<string, number>()
  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }
  add(key: string, by: number): void {
    const now = this.of(key) + by
    if (now === 0) this.#counts.delete(key)
    else this.#counts.set(key, now)
  }
  entries(): IterableIterator<[string, number]> {
    return this.#counts.entries()
  }
}

/** Runs work of the same name one after the other, whatever becomes of it. */
export class Turns {
  readonly #tails = new Map<string, Promise<unknown>>()
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name) ?? Promise.resolve()
    const mine = before.then(work, work)
    const tail = mine.catch(() => {})
    this.#tails.set(name, tail)
    try {
      return await mine
    } finally {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}

/** One process that has nobody to share with. */
export function alone(): Together {
  const counts = new Tally()
  const places = new Map<string, () => void>()
  const turns = new Turns()
  const vacate = (place: string): void => {
    const lost = places.get(place)
    places.delete(place)
    lost?.()
  }
  return {
    several: false,
    enter(list, key, limit) {
      const name = `${list} ${key}`
      if (counts.of(name) >= limit) return undefined
      counts.add(name, 1)
      let left = false
      return () => {
        if (!left) counts.add(name, -1)
        left = true
      }
    },
    claim(place, lost) {
      const own = (): void => lost()
      const before = places.get(place)
      places.set(place, own)
      before?.()
      return () => {
        if (places.get(place) === own) places.delete(place)
      }
    },
    vacate,
    exclusive: (name, work) => turns.run(name, work),
    post: () => Promise.resolve(),
    read: () => {},
  }
}
