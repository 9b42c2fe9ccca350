import { type Clock, systemClock } from '../ports.ts'

/** Something that wants to be called once its time has come. Kept small: one object per held connection is all it costs. */
export interface Timed {
  /** Called once, when the time has come. */
  due(): void
  /** The wheel's own: the slot it lies in, and its neighbours there. */
  slot: number
  rounds: number
  previous: Timed | undefined
  next: Timed | undefined
}

/** A `Timed` with empty links, to spread into an object literal or a class. */
export const timed = (due: () => void): Timed => ({ due, slot: -1, rounds: 0, previous: undefined, next: undefined })

const SLOTS = 1_024

/**
 * The timer wheel: one interval for any number of waiters, O(1) to add, remove and fire. The resolution is `tickMs` (default 1 s):
 * held connections live for minutes. Stops its interval while empty, so that a test process can end.
 */
export class TimerWheel {
  readonly #slots: (Timed | undefined)[] = new Array<Timed | undefined>(SLOTS).fill(undefined)
  readonly #tickMs: number
  readonly #clock: Clock
  #at = 0
  #last = 0
  #count = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: { tickMs?: number; clock?: Clock } = {}) {
    this.#tickMs = options.tickMs ?? 1_000
    this.#clock = options.clock ?? systemClock
  }

  get size(): number {
    return this.#count
  }

  /** Calls `entry.due` after `ms` (never early by more than a tick). An entry that is in the wheel already is moved. */
  add(entry: Timed, ms: number): void {
    if (entry.slot >= 0) this.remove(entry)
    if (this.#timer === undefined) {
      this.#last = this.#clock.monotonic()
      this.#timer = setInterval(() => this.#tick(), this.#tickMs)
      this.#timer.unref()
    }
    const behind = this.#clock.monotonic() - this.#last
    const ticks = Math.max(1, Math.ceil((ms + behind) / this.#tickMs))
    entry.slot = (this.#at + ticks) % SLOTS
    entry.rounds = Math.floor((ticks - 1) / SLOTS)
    entry.previous = undefined
    entry.next = this.#slots[entry.slot]
    if (entry.next !== undefined) entry.next.previous = entry
    this.#slots[entry.slot] = entry
    this.#count++
  }

  /** Takes an entry out; nothing happens when it is not in. */
  remove(entry: Timed): void {
    if (entry.slot < 0) return
    if (entry.previous === undefined) this.#slots[entry.slot] = entry.next
    else entry.previous.next = entry.next
    if (entry.next !== undefined) entry.next.previous = entry.previous
    entry.slot = -1
    entry.previous = undefined
    entry.next = undefined
    this.#count--
    if (this.#count === 0 && this.#timer !== undefined) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  /** Fires everything at once: for draining. */
  fireAll(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let entry = this.#slots[slot]; entry !== undefined; entry = this.#slots[slot]) {
        this.remove(entry)
        entry.due()
      }
    }
  }

  #tick(): void {
    const now = this.#clock.monotonic()
    while (this.#timer !== undefined && now - this.#last >= this.#tickMs) {
      this.#last += this.#tickMs
      this.#at = (this.#at + 1) % SLOTS
      this.#turn()
    }
  }

  #turn(): void {
    let entry = this.#slots[this.#at]
    const due: Timed[] = []
    while (entry !== undefined) {
      const next: Timed | undefined = entry.next
      if (entry.rounds > 0) entry.rounds--
      else due.push(entry)
      entry = next
    }
    for (const one of due) {
      // An earlier one of this turn may have taken this one out.
      if (one.slot !== this.#at) continue
      this.remove(one)
      one.due()
    }
  }
}
