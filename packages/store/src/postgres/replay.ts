import type { Row, Statements, Value } from '../engine/statements.ts'
import { postgresDialect } from './dialect.ts'
import type { Answers, Step } from './session.ts'

/** Thrown through a unit of work that asked what is not known yet: the unit is run again with the answers. */
export class Suspended extends Error {}

const writing = new Map<string, boolean>()
function writes(text: string): boolean {
  let known = writing.get(text)
  if (known === undefined) {
    known = /^\s*(INSERT|UPDATE|DELETE)/.test(text)
    writing.set(text, known)
  }
  return known
}

const texts = new Map<string, string>()
function written(text: string): string {
  let known = texts.get(text)
  if (known === undefined) {
    known = postgresDialect(text)
    texts.set(text, known)
  }
  return known
}

const nothing: readonly Row[] = []

/**
 * What one unit of work has learned and written so far. A unit is plain synchronous code; when it asks a question whose answer has not come,
 * it is left, the question travels, and it runs again from its start: questions already answered are answered from here, and statements already
 * sent are passed over. So a unit must do the same every time it is run, which holds because nobody else writes what it reads.
 */
export class Frame {
  readonly #answers = new Map<string, readonly Row[]>()
  readonly #mayWrite: boolean
  #written = 0
  #sent = 0
  #fresh: Step[] = []
  #wanted: { readonly key: string; readonly step: Step }[] = []

  constructor(mayWrite: boolean) {
    this.#mayWrite = mayWrite
  }

  /** Before each run. */
  begin(): void {
    this.#written = 0
    this.#wanted = []
  }

  run(text: string, values: readonly Value[]): void {
    if (!this.#mayWrite) throw new TypeError(`a reader writes: ${text}`)
    this.#written++
    if (this.#written > this.#sent + this.#fresh.length) this.#fresh.push({ text: written(text), values })
  }

  /** The answers to a statement with each set of values. Throws Suspended when one is missing. */
  ask(text: string, sets: readonly (readonly Value[])[]): readonly (readonly Row[])[] {
    const changes = writes(text)
    if (changes && !this.#mayWrite) throw new TypeError(`a reader writes: ${text}`)
    const prefix = `${this.#written} ${text} `
    const answers = sets.map((values) => {
      const key = prefix + values.join('\u0001')
      const known = this.#answers.get(key)
      if (known === undefined) this.#wanted.push({ key, step: { text: written(text), values } })
      return known ?? nothing
    })
    if (this.#wanted.length > 0) throw new Suspended(text)
    if (changes && sets.length > 0) {
      // They went out when they were asked: each counts as written, and is not sent again.
      this.#written += sets.length
      if (this.#written > this.#sent) this.#sent = this.#written
    }
    return answers
  }

  /** Whether what it asks for changes something. */
  get changes(): boolean {
    return this.#fresh.length > 0 || this.#wanted.some(({ step }) => writes(step.text))
  }

  /** Takes what is to be sent: what was written since the last time, then the questions. */
  take(): { readonly writes: readonly Step[]; readonly questions: readonly Step[] } {
    const taken = { writes: this.#fresh, questions: this.#wanted.map(({ step }) => step) }
    this.#sent += this.#fresh.length
    this.#fresh = []
    return taken
  }

  /** The answers to the questions last taken. */
  learn(answers: Answers): void {
    for (const [i, { key }] of this.#wanted.entries()) this.#answers.set(key, answers[i] ?? nothing)
    this.#wanted = []
  }
}

/** The statements of a database whose server answers later: everything goes to the frame of the unit that runs. */
export class Replay implements Statements {
  #frame: Frame | undefined

  /** Runs `work` once in a frame. Throws Suspended when it has to be run again. */
  within<T>(frame: Frame, work: () => T): T {
    const outer = this.#frame
    this.#frame = frame
    frame.begin()
    try {
      return work()
    } finally {
      this.#frame = outer
    }
  }

  get #current(): Frame {
    if (this.#frame === undefined) throw new TypeError('a statement outside of a unit of work')
    return this.#frame
  }

  run(text: string, ...values: Value[]): void {
    this.#current.run(text, values)
  }
  get(text: string, ...values: Value[]): Row | undefined {
    return this.all(text, ...values)[0]
  }
  all(text: string, ...values: Value[]): readonly Row[] {
    return this.#current.ask(text, [values])[0] ?? nothing
  }
  iterate(text: string, ...values: Value[]): Iterable<Row> {
    return this.all(text, ...values)
  }
  many(text: string, sets: readonly (readonly Value[])[]): readonly (Row | undefined)[] {
    return this.#current.ask(text, sets).map((rows) => rows[0])
  }
  every(text: string, sets: readonly (readonly Value[])[]): readonly Row[] {
    return this.#current.ask(text, sets).flat()
  }
}
