import type { FolderId } from '@postrider/domain'

/** One call within a transaction: how to take its changes of kept records back, and what its hint will say. */
export class Journal {
  /** HintKind bits by folder. */
  readonly touched = new Map<FolderId, number>()
  /** Queue entries were added or became free. */
  queueMoved = false
  readonly #steps: (() => void)[] = []
  readonly #saved = new Set<object>()

  undo(step: () => void): void {
    this.#steps.push(step)
  }

  /** Remembers the fields of a record before its first change. */
  save(record: object): void {
    if (this.#saved.has(record)) return
    this.#saved.add(record)
    const before = { ...record }
    this.#steps.push(() => Object.assign(record, before))
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const had = map.has(key)
    const before = map.get(key) as V
    map.set(key, value)
    this.#steps.push(() => {
      if (had) map.set(key, before)
      else map.delete(key)
    })
  }

  delete<K, V>(map: Map<K, V>, key: K): void {
    if (!map.has(key)) return
    const before = map.get(key) as V
    map.delete(key)
    this.#steps.push(() => map.set(key, before))
  }

  touch(folder: FolderId, kind: number): void {
    this.touched.set(folder, (this.touched.get(folder) ?? 0) | kind)
  }

  /** A place to come back to: what is changed from here on can be taken back alone. */
  mark(): number {
    this.#saved.clear()
    return this.#steps.length
  }

  /** Takes back what changed since a mark, by default everything. */
  rollback(mark = 0): void {
    for (const step of this.#steps.splice(mark).reverse()) step()
    this.#saved.clear()
  }
}
