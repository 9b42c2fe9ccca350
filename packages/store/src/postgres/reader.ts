import type { Logger } from '@postrider/domain'
import { asDomainError, isLost } from './errors.ts'
import { Link, type Outage } from './link.ts'
import { Frame, type Replay, Suspended } from './replay.ts'
import type { Answers, Step } from './session.ts'

/** Connections that read: a long scan must not hold up everything else. */
const LINKS = 2
/** Questions that travel together. */
const MAX_STEPS = 2_000

interface Waiting {
  readonly steps: readonly Step[]
  readonly resolve: (answers: Answers) => void
  readonly reject: (error: unknown) => void
}

/**
 * Reads for everybody: what arrives while a connection is busy travels together with the next round trip. A lost connection is made again
 * and the questions are asked once more.
 */
export class Reader {
  readonly #statements: Replay
  readonly #patienceMs: number
  readonly #links: readonly Link[]
  readonly #busy = new Set<Link>()
  #queue: Waiting[] = []

  constructor(options: {
    statements: Replay
    urls: readonly string[]
    searchPath: string
    patienceMs: number
    outage?: Outage
    log: Logger
  }) {
    this.#statements = options.statements
    this.#patienceMs = options.patienceMs
    this.#links = Array.from({ length: LINKS }, () => new Link(options))
  }

  /** Runs a unit of work that only reads, until all its questions are answered. Rejects with DomainError. */
  async unit<T>(work: () => T): Promise<T> {
    const frame = new Frame(false)
    for (;;) {
      try {
        return this.#statements.within(frame, work)
      } catch (error) {
        if (!(error instanceof Suspended)) throw asDomainError(error)
      }
      frame.learn(await this.ask(frame.take().questions))
    }
  }

  /** Asks questions of one's own. Rejects with DomainError. */
  ask(steps: readonly Step[]): Promise<Answers> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ steps, resolve, reject })
      this.#next()
    })
  }

  #next(): void {
    for (const link of this.#links) {
      if (this.#queue.length === 0) return
      if (this.#busy.has(link)) continue
      this.#busy.add(link)
      void this.#serve(link, this.#take()).finally(() => {
        this.#busy.delete(link)
        this.#next()
      })
    }
  }

  #take(): Waiting[] {
    let steps = 0
    const end = this.#queue.findIndex((one) => {
      steps += one.steps.length
      return steps > MAX_STEPS
    })
    return this.#queue.splice(0, end < 0 ? this.#queue.length : Math.max(1, end))
  }

  async #serve(link: Link, taken: readonly Waiting[]): Promise<void> {
    const began = performance.now()
    for (;;) {
      try {
        const session = await link.session()
        const answers = await session.run(taken.flatMap(({ steps }) => steps))
        let at = 0
        for (const { steps, resolve } of taken) {
          resolve(answers.slice(at, at + steps.length))
          at += steps.length
        }
        return
      } catch (error) {
        if (isLost(error) && performance.now() < began + this.#patienceMs) continue
        if (taken.length === 1 || link.standing === undefined) {
          for (const { reject } of taken) reject(asDomainError(error))
          return
        }
        // One of them is wrong: each for itself.
        for (const one of taken) await this.#serve(link, [one])
        return
      }
    }
  }

  close(): void {
    for (const link of this.#links) link.close()
  }
}
