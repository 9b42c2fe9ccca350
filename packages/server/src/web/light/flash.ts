/** What the last act did, told once on the next page, with the way back. */

export interface Flash {
  readonly text: string
  /** Email/set updates that take it back. */
  readonly undo?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
  /** Where the act was. */
  readonly at?: string
}

const MAX_KEPT = 5_000

export class Flashes {
  readonly #next = new Map<string, Flash>()
  readonly #undo = new Map<string, Flash>()
  put(session: string, flash: Flash): void {
    keep(this.#next, session, flash)
    if (flash.undo !== undefined) keep(this.#undo, session, flash)
  }
  take(session: string): Flash | undefined {
    const flash = this.#next.get(session)
    this.#next.delete(session)
    return flash
  }
  takeUndo(session: string): Flash | undefined {
    const flash = this.#undo.get(session)
    this.#undo.delete(session)
    return flash
  }
}

function keep(map: Map<string, Flash>, session: string, flash: Flash): void {
  map.delete(session)
  map.set(session, flash)
  if (map.size > MAX_KEPT)
    for (const oldest of map.keys()) {
      map.delete(oldest)
      break
    }
}
