/**
 * Readers and the writer of one mailbox take turns, because what a mailbox is in memory runs ahead of its rows while a transaction is under
 * way. Different mailboxes do not meet. A mailbox that the writer waits for lets no further readers in.
 */
export class Turns {
  readonly #readers = new Map<number, number>()
  readonly #writing = new Set<number>()
  readonly #wanted = new Set<number>()
  #waiting: (() => void)[] = []

  /** Runs `read` while nobody writes the mailbox. */
  async read<T>(mailbox: number, read: () => Promise<T>): Promise<T> {
    while (this.#writing.has(mailbox) || this.#wanted.has(mailbox)) await this.#change()
    this.#readers.set(mailbox, (this.#readers.get(mailbox) ?? 0) + 1)
    try {
      return await read()
    } finally {
      const left = (this.#readers.get(mailbox) ?? 1) - 1
      if (left > 0) this.#readers.set(mailbox, left)
      else this.#readers.delete(mailbox)
      if (left === 0 && this.#wanted.has(mailbox)) this.#changed()
    }
  }

  /** Begins to write a mailbox; false when somebody reads it: then no further reader comes in, and `free` tells when to ask again. */
  write(mailbox: number): boolean {
    if (this.#readers.has(mailbox)) {
      this.#wanted.add(mailbox)
      return false
    }
    this.#wanted.delete(mailbox)
    this.#writing.add(mailbox)
    return true
  }

  /** Whoever wanted to write has given up: readers need not wait for it any more. */
  unwanted(): void {
    this.#wanted.clear()
    this.#changed()
  }

  /** Resolves when a reader or the writer has gone. */
  free(): Promise<void> {
    return this.#change()
  }

  /** The writer is done with all its mailboxes. */
  written(): void {
    this.#writing.clear()
    this.#changed()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #changed(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
