/**
 * Held requests: Ping and hanging Sync. One entry per device; of the request nothing stays but the response to write to,
 * the entry and its folders. The order that loses no wake-up: register with the table of waiters, check the feed, sleep.
 */
import {
  alone,
  type Clock,
  type HeldTable,
  type Hint,
  HintKind,
  type Logger,
  type Timed,
  type TimerWheel,
  timed,
  type Together,
} from '@postrider/domain'
import type { Answer } from '../command.ts'
import type { Held } from './held.ts'

/** Where an entry's answer goes; called once. */
export type Finish = (answer: Exclude<Answer, { kind: 'held' }>) => void

interface Deps {
  readonly held: HeldTable
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly log: Logger
  readonly together?: Together
}

/** All held requests of this process. The newest of a device is the only one of all processes. */
export class Waiting {
  readonly #deps: Deps
  readonly #together: Together
  readonly #entries = new Set<Entry>()
  readonly #coalesceMs: number

  constructor(deps: Deps, coalesceMs: number) {
    this.#deps = deps
    this.#together = deps.together ?? alone()
    this.#coalesceMs = coalesceMs
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * Holds a request until it is woken with something to say, due, replaced or closed.
   * @param key the device: a newer entry of the same key ends the older one.
   * @returns what ends it early when the client has gone.
   */
  hold(key: string, held: Held, finish: Finish): () => void {
    const entry: Entry = new Entry(this.#deps, held, this.#coalesceMs, (answer) => {
      leave()
      this.#entries.delete(entry)
      if (answer !== undefined) finish(answer)
    })
    this.#entries.add(entry)
    const leave = this.#together.claim(placeOf(key), () => entry.replace())
    entry.start()
    return () => entry.close()
  }

  /** Ends the entry of a device: its wait is over because the device does something else now. */
  end(key: string): void {
    this.#together.vacate(placeOf(key))
  }

  /** Answers everybody as if the time were over: for a graceful stop. */
  drain(): void {
    for (const entry of [...this.#entries]) entry.expire()
  }
}

const placeOf = (key: string): string => `held ${key}`

class Entry {
  readonly #deps: Deps
  readonly #held: Held
  readonly #coalesceMs: number
  readonly #done: (answer: Exclude<Answer, { kind: 'held' }> | undefined) => void
  readonly #waiter = { hint: (hint: Hint): void => this.#hint(hint) }
  readonly #due: Timed = timed(() => this.expire())
  #over = false
  /** A check runs or is about to; `#again` asks for another one behind it. */
  #checking = false
  #again = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    deps: Deps,
    held: Held,
    coalesceMs: number,
    done: (answer: Exclude<Answer, { kind: 'held' }> | undefined) => void,
  ) {
    this.#deps = deps
    this.#held = held
    this.#coalesceMs = coalesceMs
    this.#done = done
  }

  start(): void {
    this.#deps.wheel.add(this.#due, this.#held.waitMs)
    this.#checking = true
    this.#deps.held
      .hold(this.#held.mailbox, this.#waiter)
      .then(() => this.#check(undefined))
      .catch((error: unknown) => this.#fail(error))
  }

  expire(): void {
    this.#answer(() => this.#held.expired())
  }

  replace(): void {
    this.#answer(() => this.#held.replaced())
  }

  close(): void {
    if (!this.#stop()) return
    this.#done(undefined)
  }

  #hint(hint: Hint): void {
    if (this.#over || !this.#concerns(hint)) return
    if (this.#checking) {
      this.#again = true
      return
    }
    this.#checking = true
    // A burst of deliveries wakes the device once. Only woken entries have a timer of their own.
    this.#timer = setTimeout(() => this.#run(hint), this.#coalesceMs)
  }

  #concerns(hint: Hint): boolean {
    if (hint.folders.length === 0) return true
    const { folders, kinds } = this.#held
    // The hierarchy is everybody's who asks for it: a folder that is made is in no list yet.
    return hint.folders.some(
      (folder) => (folder.kinds & kinds & (folders.has(folder.id) ? ~0 : HintKind.hierarchy)) !== 0,
    )
  }

  #run(hint: Hint | undefined): void {
    this.#timer = undefined
    this.#check(hint).catch((error: unknown) => this.#fail(error))
  }

  async #check(hint: Hint | undefined): Promise<void> {
    let concerned = hint
    do {
      this.#again = false
      if (this.#over) return
      const answer = await this.#held.check(concerned)
      // What came meanwhile may concern other folders than the hint that began it.
      concerned = undefined
      if (answer !== undefined) {
        this.#answer(() => answer)
        return
      }
    } while (this.#again)
    this.#checking = false
  }

  #fail(error: unknown): void {
    // A wait that cannot go on ends as if its time were over: the client comes again and hears the reason then.
    this.#deps.log.warn({ err: error }, 'a held request ended early')
    this.expire()
  }

  #answer(make: () => Answer | Promise<Answer>): void {
    if (!this.#stop()) return
    Promise.resolve()
      .then(make)
      .then((answer) => this.#done(answer.kind === 'held' ? { kind: 'empty' } : answer))
      .catch((error: unknown) => {
        this.#deps.log.error({ err: error }, 'a held request could not be answered')
        this.#done({ kind: 'http', code: 503 })
      })
  }

  #stop(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#deps.wheel.remove(this.#due)
    this.#deps.held.release(this.#held.mailbox, this.#waiter)
    clearTimeout(this.#timer)
    return true
  }
}
