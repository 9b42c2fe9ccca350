import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { DomainError } from '@postrider/domain'
import type { Row, Statements, Value } from '../engine/statements.ts'
import { postgresDialect } from './dialect.ts'
import type { S3Options } from '../s3/index.ts'
import type { Answers, Step } from './session.ts'

/** Where a database is, for threads that read it beside its owner. */
export interface ServerDatabase {
  readonly urls: readonly string[]
  readonly schema: string
  /** The bucket with its segments, if they are not in the folder. */
  readonly objects?: S3Options
}

/** What the bridge's thread is started with. */
export interface BridgeData extends ServerDatabase {
  readonly port: MessagePort
  /** One Int32: answers given so far. */
  readonly answered: SharedArrayBuffer
}
export interface BridgeQuestion {
  readonly id: number
  readonly steps: readonly Step[]
}
export type BridgeAnswer =
  | { readonly id: number; readonly answers: Answers }
  | { readonly id: number; readonly error: string }

/** How long to wait for an answer, ms. */
const ANSWER_MS = 60_000

/**
 * Statements that are answered on the spot, for threads which may stand still meanwhile (searching, indexing, checking): a thread of its
 * own has the connection. It reads only.
 */
export class BridgedStatements implements Statements {
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #answered: Int32Array
  readonly #texts = new Map<string, string>()
  #asked = 0

  constructor({ urls, schema }: ServerDatabase) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const answered = new SharedArrayBuffer(4)
    this.#answered = new Int32Array(answered)
    this.#worker = new Worker(new URL('./bridge-worker.ts', import.meta.url), {
      workerData: { urls, schema, port: port2, answered } satisfies BridgeData,
      transferList: [port2],
      name: 'store-bridge',
    })
    this.#worker.unref()
  }

  #text(text: string): string {
    let written = this.#texts.get(text)
    if (written === undefined) {
      written = postgresDialect(text)
      this.#texts.set(text, written)
    }
    return written
  }

  #ask(steps: readonly Step[]): Answers {
    const id = this.#asked++
    this.#port.postMessage({ id, steps } satisfies BridgeQuestion)
    const until = performance.now() + ANSWER_MS
    for (;;) {
      const given = Atomics.load(this.#answered, 0)
      const answer = (receiveMessageOnPort(this.#port) as { readonly message: BridgeAnswer } | undefined)?.message
      if (answer?.id === id) {
        if ('error' in answer) throw new DomainError('unavailable', answer.error)
        return answer.answers
      }
      // What came too late for an earlier question is passed over.
      if (answer !== undefined) continue
      const left = until - performance.now()
      if (left <= 0) throw new DomainError('unavailable', 'the database server does not answer')
      Atomics.wait(this.#answered, 0, given, left)
    }
  }

  run(text: string, ...values: Value[]): void {
    this.all(text, ...values)
  }
  get(text: string, ...values: Value[]): Row | undefined {
    return this.all(text, ...values)[0]
  }
  all(text: string, ...values: Value[]): readonly Row[] {
    return this.#ask([{ text: this.#text(text), values }])[0] ?? []
  }
  iterate(text: string, ...values: Value[]): Iterable<Row> {
    return this.all(text, ...values)
  }
  #each(text: string, sets: readonly (readonly Value[])[]): Answers {
    const written = this.#text(text)
    return this.#ask(sets.map((values) => ({ text: written, values })))
  }
  many(text: string, sets: readonly (readonly Value[])[]): readonly (Row | undefined)[] {
    return this.#each(text, sets).map((rows) => rows[0])
  }
  every(text: string, sets: readonly (readonly Value[])[]): readonly Row[] {
    return this.#each(text, sets).flat()
  }

  close(): void {
    this.#port.close()
  }
}
