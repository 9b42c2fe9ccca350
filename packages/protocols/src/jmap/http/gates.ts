/** How much of a kind one account does at the same time: maxConcurrentRequests, maxConcurrentUpload (RFC 8620 §2), event sources. */
export class Gates {
  readonly #counts = new Map<string, number>()

  /** Enters; answers how to leave, or undefined when there are `limit` inside already. */
  enter(kind: string, account: string, limit: number): (() => void) | undefined {
    const key = `${kind}/${account}`
    const inside = this.#counts.get(key) ?? 0
    if (inside >= limit) return undefined
    this.#counts.set(key, inside + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const now = (this.#counts.get(key) ?? 1) - 1
      if (now === 0) this.#counts.delete(key)
      else this.#counts.set(key, now)
    }
  }
}
