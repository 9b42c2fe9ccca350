/**
 * What protocol code needs from the world, as interfaces: the clock, the log, the meters, one byte connection. `server` gives the
 * real ones, tests give their own.
 */
import type { MailboxId } from './ids.ts'

export interface Clock {
  /** Milliseconds since 1970, wall clock: for dates that people see and that are stored. */
  now(): number
  /** Milliseconds that never go backwards: for time-outs and durations. */
  monotonic(): number
}
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
  child(fields: Record<string, unknown>): Logger
}
const nothing = (): void => {}
/** A log that keeps nothing: for tests. */
export const silentLog: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
}

/** Counters and gauges, Prometheus names without prefix (`smtp_messages_total`). */
export interface Meter {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  observe(name: string, seconds: number, labels?: Readonly<Record<string, string>>): void
}
export const noMeter: Meter = { count: nothing, gauge: nothing, observe: nothing }

/**
 * One client connection of a line protocol, TLS or not. The protocol sets `handler` and never sees a socket.
 * Back-pressure: `write` answers false when the peer reads too slowly; wait for `drained()` before writing on.
 */
export interface Connection {
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localPort: number
  /** True inside TLS (implicit or after startTls). */
  readonly secure: boolean
  handler: ConnectionHandler
  /** False when the peer is slower than we are: see `drained`. `sent` is called once the bytes are needed no more, if they ever are not. */
  write(bytes: Uint8Array | string, sent?: () => void): boolean
  drained(): Promise<void>
  /** Stop and go on reading from the peer: input back-pressure. */
  pause(): void
  resume(): void
  /** Starts TLS on the running connection; bytes received before the handshake are thrown away (RFC 3207 §5). */
  startTls(): Promise<void>
  /** Sends what is written and closes. */
  end(bytes?: Uint8Array | string): void
  /** Closes at once. */
  destroy(): void
  /** Bytes written and not yet taken by the peer. */
  readonly pendingBytes: number
  /** The client has logged in as this account (primary address): for who looks on. */
  belongsTo?(address: string): void
}
export interface ConnectionHandler {
  data(chunk: Uint8Array): void
  /** The peer will say no more. True when nothing it asked is unanswered: the connection then ends at once. */
  ended?(): boolean
  closed(error?: Error): void
}

/** One thing said in a conversation that somebody looks on at. Never holds passwords or contents. */
export interface TraceLine {
  readonly protocol: string
  /** Tells the conversations of a protocol apart: a connection, a device. */
  readonly conversation: string
  readonly from: 'client' | 'server'
  readonly text: string
}
export type Onlooker = (line: TraceLine) => void
/** Whose conversations an administrator wants to see. */
export interface Traces {
  /** Whether anybody is looked at: what costs something is done only then. */
  readonly active: boolean
  /** By primary address; undefined when nobody looks. */
  of(address: string): Onlooker | undefined
}

/**
 * Which mailboxes hold something for later (mail to be sent, snoozed mail), so that a start needs to look into these only. Written before
 * what is held, so it may name a mailbox that holds nothing, never miss one that does.
 */
export interface Agenda {
  /** Undefined: not known, look into all. */
  mailboxes(): Promise<ReadonlySet<MailboxId> | undefined>
  add(mailbox: MailboxId): Promise<void>
  remove(mailbox: MailboxId): Promise<void>
  /** All have been looked into: from now on the list is whole. */
  complete(): Promise<void>
}
