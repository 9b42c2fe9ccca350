import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Logger, Onlooker, Traces } from '@postrider/domain'

/** A trace ends by itself. */
export const DEFAULT_TRACE_MINUTES = 10
export const MAX_TRACE_MINUTES = 1_440
/** Octets of one trace; then it says that it is full and ends. */
const MAX_TRACE_BYTES = 100 * 1_048_576
/** Accounts traced at once. */
const MAX_TRACES = 100

export interface TraceReport {
  readonly address: string
  readonly file: string
  /** ISO 8601. */
  readonly until: string
}

interface Trace extends TraceReport {
  readonly end: number
  readonly stream: WriteStream
  bytes: number
}

/** The traces that are under way, each in a file of its own in the data folder, readable by its owner only. */
export class TraceBook implements Traces {
  readonly #folder: string
  readonly #clock: Clock
  readonly #log: Logger
  readonly #running = new Map<string, Trace>()
  readonly #changed: (address: string, isOn: boolean) => void

  /** `changed`: called when somebody begins or ends to be traced. */
  constructor(
    dataFolder: string,
    clock: Clock,
    log: Logger,
    changed: (address: string, isOn: boolean) => void = () => {},
  ) {
    this.#changed = changed
    this.#folder = join(dataFolder, 'traces')
    this.#clock = clock
    this.#log = log
  }

  get active(): boolean {
    for (const { address, end } of this.#running.values()) if (this.#clock.now() >= end) this.stop(address)
    return this.#running.size > 0
  }

  /** Begins, or begins anew. Undefined when too many run already. */
  start(address: string, minutes: number): TraceReport | undefined {
    this.stop(address)
    if (this.active && this.#running.size >= MAX_TRACES) return undefined
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const now = this.#clock.now()
    const end = now + minutes * 60_000
    // The address becomes part of a file name: nothing that a file system could take for a path.
    const name = `${address.replaceAll(/[^\w.@+-]/g, '_')}-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}.log`
    const file = join(this.#folder, name)
    const stream = createWriteStream(file, { flags: 'a', mode: 0o600 })
    stream.on('error', (error) => {
      this.#log.warn({ file, reason: error.message }, 'a trace cannot be written')
      this.stop(address)
    })
    const trace = { address, file, until: new Date(end).toISOString(), end, stream, bytes: 0 }
    this.#running.set(address, trace)
    this.#changed(address, true)
    return reportOf(trace)
  }

  /** True when one was running. */
  stop(address: string): boolean {
    const trace = this.#running.get(address)
    trace?.stream.end()
    const was = this.#running.delete(address)
    if (was) this.#changed(address, false)
    return was
  }

  list(): TraceReport[] {
    return this.active ? [...this.#running.values()].map(reportOf) : []
  }

  of(address: string): Onlooker | undefined {
    if (!this.active || !this.#running.has(address)) return undefined
    return ({ protocol, conversation, from, text }) => {
      const trace = this.active ? this.#running.get(address) : undefined
      if (trace === undefined) return
      const arrow = from === 'client' ? '>' : '<'
      const line = `${new Date(this.#clock.now()).toISOString()} ${protocol} ${conversation} ${arrow} ${text}\n`
      trace.bytes += line.length
      if (trace.bytes <= MAX_TRACE_BYTES) return void trace.stream.write(line)
      trace.stream.write('This trace is full.\n')
      this.stop(address)
    }
  }

  /** Ends all. */
  close(): void {
    for (const address of [...this.#running.keys()]) this.stop(address)
  }
}

const reportOf = ({ address, file, until }: Trace): TraceReport => ({ address, file, until })
