import type { Journal } from '../engine/journal.ts'
import { Pending } from './pending.ts'
import { Frame, type Replay, Suspended } from './replay.ts'
import type { Answers, Session, Step } from './session.ts'

const plain = (text: string): Step => ({ text, values: [] })
const SAVEPOINT = plain('SAVEPOINT call')
const RELEASE = plain('RELEASE SAVEPOINT call')
const ROLLBACK = plain('ROLLBACK TO SAVEPOINT call')
/** What waits to be sent at most, bytes. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024

/**
 * One transaction of many calls. Writes wait and travel together: with the next question somebody asks, or with COMMIT. So a batch of
 * deliveries, which ask nothing, is one round trip. A call that fails takes back its own writes: those that were not sent are dropped, for
 * the others there is a savepoint, made only when something is sent in the middle of a call.
 */
export class Transaction {
  readonly #session: Session
  readonly #statements: Replay
  readonly #pending = new Pending()
  #saved = false

  constructor(session: Session, statements: Replay, first: readonly Step[]) {
    this.#session = session
    this.#statements = statements
    for (const step of first) this.#pending.add(step)
  }

  beginCall(): void {
    this.#pending.beginCall()
    this.#saved = false
  }

  /** The call went well: its writes stay. */
  endCall(): void {
    if (this.#saved) this.#pending.add(RELEASE)
  }

  /** The call failed: as if it had not been. */
  undoCall(): void {
    this.#pending.undoCall()
    if (!this.#saved) return
    this.#pending.add(ROLLBACK)
    this.#pending.add(RELEASE)
  }

  /**
   * Runs a unit of work until all it asks is answered; `numbers` puts back what it took from counters before it runs again.
   */
  async unit<T>(journal: Journal, numbers: { mark(): () => void }, work: () => T): Promise<T> {
    const frame = new Frame(true)
    for (;;) {
      const mark = journal.mark()
      const reset = numbers.mark()
      try {
        const value = this.#statements.within(frame, work)
        for (const step of frame.take().writes) this.#pending.add(step)
        if (this.#pending.bytes > MAX_PENDING_BYTES) await this.#send([], true)
        return value
      } catch (error) {
        if (!(error instanceof Suspended)) throw error
        journal.rollback(mark)
        reset()
      }
      const { changes } = frame
      const { writes, questions } = frame.take()
      for (const step of writes) this.#pending.add(step)
      const answers = await this.#send(questions, changes)
      frame.learn(answers)
    }
  }

  /** Sends what waits and `questions` behind it; answers the questions. */
  async #send(questions: readonly Step[], changes: boolean): Promise<Answers> {
    const save = !this.#saved && (changes || this.#pending.ofCall)
    this.#saved ||= save
    const steps = [...this.#pending.take(save ? [SAVEPOINT] : []), ...questions]
    const answers = await this.#session.run(steps)
    return answers.slice(steps.length - questions.length)
  }

  /** Writes what `last` writes, and commits. Rejects with what the server or the connection says. */
  async commit(last: () => void): Promise<void> {
    const frame = new Frame(true)
    this.#statements.within(frame, last)
    for (const step of frame.take().writes) this.#pending.add(step)
    await this.#session.run([...this.#pending.take(), plain('COMMIT')])
  }

  /** Takes everything back. */
  async rollback(): Promise<void> {
    this.#pending.take()
    if (!this.#session.lost) await this.#session.run([plain('ROLLBACK')])
  }
}
