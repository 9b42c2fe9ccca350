import { Writable } from 'node:stream'
import type { Logger } from '@postrider/domain'
import { type Logger as Pino, pino } from 'pino'
import { redacted } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** An error with its own fields, but no secrets among them. */
const errorFields = (error: Error): unknown => {
  const fields: unknown = pino.stdSerializers.err(error)
  return error instanceof Error ? redacted(fields as Record<string, unknown>, 1) : fields
}

/** The domain's log over pino. */
class PinoLog implements Logger {
  readonly #pino: Pino
  constructor(base: Pino) {
    this.#pino = base
  }
  debug(fields: Record<string, unknown>, message: string): void {
    this.#pino.debug(redacted(fields), message)
  }
  info(fields: Record<string, unknown>, message: string): void {
    this.#pino.info(redacted(fields), message)
  }
  warn(fields: Record<string, unknown>, message: string): void {
    this.#pino.warn(redacted(fields), message)
  }
  error(fields: Record<string, unknown>, message: string): void {
    this.#pino.error(redacted(fields), message)
  }
  child(fields: Record<string, unknown>): Logger {
    return new PinoLog(this.#pino.child(redacted(fields)))
  }
}

const levelNames = new Map([
  [20, 'debug'],
  [30, 'info '],
  [40, 'WARN '],
  [50, 'ERROR'],
])

/** A JSON line as a person reads it: time, level, message, fields. Control characters stay escaped. */
export function asText(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>
  const clock = typeof time === 'string' ? time.slice(11, 19) : ''
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  if (typeof err === 'object' && err !== null) {
    const { message, stack } = err as { message?: unknown; stack?: unknown }
    rest.push(String(stack ?? message).replaceAll('\n', '\n    '))
  }
  const text = String(msg ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => JSON.stringify(char).slice(1, -1))
  return `${clock} ${levelNames.get(Number(level)) ?? ''} ${text}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`
}

function textStream(out: NodeJS.WritableStream): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string | Buffer, _encoding, done) {
      out.write(asText(line.toString()))
      done()
    },
  })
}

/** Lines are written many at a time, at the latest after a quarter of a second: one write a line costs a delivery a tenth of its time. */
const buffered = { fd: 2, sync: false, minLength: 8_192, periodicFlush: 250 } as const

/** Lines that nobody has taken by then are given up: the reader of a pipe may be gone, or asleep. */
const FLUSH_MS = 2_000

/** A pipe takes so many bytes of one write whole (POSIX): lines of several processes then never stand inside one another. */
const PIPE_BUF = 4_096

export interface ProgramLog {
  readonly log: Logger
  /** What `auto` became. */
  readonly format: 'json' | 'text'
  setLevel(level: LogLevel): void
  /** Resolves when what was logged is written, or nobody reads it any more. Never rejects. */
  flush(): Promise<void>
}

/** Not `flushSync`: where the reader of the pipe is gone, it tries for ever. */
function written(destination: ReturnType<typeof pino.destination>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const patience = setTimeout(resolve, FLUSH_MS)
  destination.flush(() => resolve())
  return promise.finally(() => clearTimeout(patience))
}

/** The log of the program, on standard error: structured (one JSON object a line), or text for a terminal. `shared`: other processes write there too. */
export function openLog(level: LogLevel, format: 'auto' | 'json' | 'text', shared = false): ProgramLog {
  const text = format === 'text' || (format === 'auto' && process.stderr.isTTY)
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorFields, error: errorFields },
  }
  const destination = text
    ? textStream(process.stderr)
    : pino.destination(shared ? { ...buffered, minLength: PIPE_BUF / 2, maxWrite: PIPE_BUF } : buffered)
  const base = pino(options, destination)
  return {
    log: new PinoLog(base),
    format: text ? 'text' : 'json',
    setLevel(wanted) {
      base.level = wanted
    },
    flush: () => (destination instanceof Writable ? Promise.resolve() : written(destination)),
  }
}
