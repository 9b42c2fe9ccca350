import { alone, type Together } from '@postrider/domain'

/** What the last act did, told once on the next page, with the way back. */

/** A method call that takes something back. */
export type UndoCall = readonly [name: string, args: Readonly<Record<string, unknown>>]

export interface Flash {
  readonly text: string
  /** In this order; when one is refused, the rest is left. */
  readonly undo?: readonly UndoCall[] | undefined
  /** Where the act was; after the undo the user is there again. */
  readonly at?: string
}

const MAX_KEPT = 5_000
const KEPT_MS = 600_000
const NEXT = 'light said'
const UNDO = 'light undo'

export class Flashes {
  readonly #next = new Map<string, Flash>()
  readonly #undo = new Map<string, Flash>()
  readonly #together: Together

  constructor(together: Together = alone()) {
    this.#together = together
    for (const [topic, map] of [
      [NEXT, this.#next],
      [UNDO, this.#undo],
    ] as const)
      together.read(topic, (session, flash) => {
        if (flash === undefined) map.delete(session)
        else keep(map, session, flash as Flash)
      })
  }
  /** The next page may come from another process: it knows when this resolves. */
  async put(session: string, flash: Flash): Promise<void> {
    keep(this.#next, session, flash)
    if (flash.undo !== undefined) keep(this.#undo, session, flash)
    await Promise.all([
      this.#together.post(NEXT, session, flash, KEPT_MS),
      ...(flash.undo === undefined ? [] : [this.#together.post(UNDO, session, flash, KEPT_MS)]),
    ])
  }
  take(session: string): Flash | undefined {
    return this.#taken(NEXT, this.#next, session)
  }
  takeUndo(session: string): Flash | undefined {
    return this.#taken(UNDO, this.#undo, session)
  }
  #taken(topic: string, map: Map<string, Flash>, session: string): Flash | undefined {
    const flash = map.get(session)
    // The worst is that it is said twice.
    if (map.delete(session)) this.#together.post(topic, session, undefined, 0).catch(() => {})
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
