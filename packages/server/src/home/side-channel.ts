import type { Meter } from '@postrider/domain'
import type { PostgresPlace } from '@postrider/store/postgres'
import type { CheckReport, Confirmed, ShippingOptions } from '@postrider/store/sqlite'
import type { LogLevel } from '../operations/log.ts'

/** Where client-access processes reach an owner. */
export interface OwnerGuests {
  /** File of the data folder. */
  readonly socket: string
  readonly token: Uint8Array
}

/** What an owner is started with. */
export interface OwnerData {
  readonly folder: string
  readonly databases: readonly string[]
  /** Since which epoch they are this owner's: domain/epoch.ts. */
  readonly epochs?: Readonly<Record<string, number>> | undefined
  /** Where numbers of new databases begin on this node. */
  readonly firstNumber?: number | undefined
  /** The PostgreSQL server that has them; undefined: files of the folder. */
  readonly server?: PostgresPlace | undefined
  /** Where further processes may join: a socket of the folder and what they show there. Undefined: nobody joins. */
  readonly guests?: OwnerGuests | undefined
  /** Its name in logs and metrics. */
  readonly thread: string
  readonly logLevel: LogLevel
  /** Bytes a second at which everything is read through. */
  readonly scrubRate?: number | undefined
  /** Whether it keeps commit logs, and what acknowledgements wait for. */
  readonly shipping?: Omit<ShippingOptions, 'tell'> | undefined
  readonly logFormat: 'json' | 'text'
}

type Labels = Readonly<Record<string, string>>
export type Measured =
  | { readonly kind: 'count'; readonly name: string; readonly labels: Labels; value: number }
  | { readonly kind: 'gauge'; readonly name: string; readonly labels: Labels; value: number }
  | { readonly kind: 'observe'; readonly name: string; readonly labels: Labels; readonly values: number[] }

/** From the owner to the main thread, beside the frames: everything that is not the mailbox service. */
export type OwnerNews =
  | { readonly kind: 'open' }
  /** It could not open its databases and ends. */
  | { readonly kind: 'failed'; readonly message: string }
  | {
      readonly kind: 'pulse'
      readonly measured: readonly Measured[]
      readonly stopped: string | undefined
      readonly away: string | undefined
      /** Of a process of its own; 0 of a thread: its memory is that of the main one. */
      readonly memoryBytes: number
    }
  /** A database has committed up to this entry of its log. */
  | { readonly kind: 'logged'; readonly database: string; readonly seq: number; readonly degraded: boolean }
  | {
      readonly kind: 'checked'
      readonly id: number
      readonly reports: readonly CheckReport[] | undefined
      readonly error: string
    }
/** From the main thread to the owner. */
export type OwnerOrder =
  | { readonly kind: 'logLevel'; readonly level: LogLevel }
  | { readonly kind: 'scrubRate'; readonly rate: number }
  | { readonly kind: 'confirmed'; readonly database: string; readonly confirmed: Confirmed }
  | { readonly kind: 'check'; readonly id: number; readonly originals: boolean }

/** How often the owner reports. */
export const PULSE_MS = 1_000
/** Values of one histogram kept between two reports. */
const MAX_VALUES = 5_000

/** A meter that gathers, so that a delivery costs the main thread nothing. */
export class GatheringMeter implements Meter {
  #gathered = new Map<string, Measured>()

  count(name: string, labels: Labels = {}, by = 1): void {
    const entry = this.#entry('count', name, labels)
    if (entry.kind === 'count') entry.value += by
  }
  gauge(name: string, value: number, labels: Labels = {}): void {
    const entry = this.#entry('gauge', name, labels)
    if (entry.kind === 'gauge') entry.value = value
  }
  observe(name: string, seconds: number, labels: Labels = {}): void {
    const entry = this.#entry('observe', name, labels)
    if (entry.kind === 'observe' && entry.values.length < MAX_VALUES) entry.values.push(seconds)
  }
  take(): Measured[] {
    const all = [...this.#gathered.values()]
    this.#gathered = new Map()
    return all
  }
  #entry(kind: Measured['kind'], name: string, labels: Labels): Measured {
    const key = `${kind} ${name} ${Object.values(labels).join('\0')}`
    const known = this.#gathered.get(key)
    if (known !== undefined) return known
    const entry: Measured = kind === 'observe' ? { kind, name, labels, values: [] } : { kind, name, labels, value: 0 }
    this.#gathered.set(key, entry)
    return entry
  }
}

/** Gives what another thread gathered to this thread's meter. */
export function replay(measured: readonly Measured[], meter: Meter): void {
  for (const one of measured)
    if (one.kind === 'count') meter.count(one.name, one.labels, one.value)
    else if (one.kind === 'gauge') meter.gauge(one.name, one.value, one.labels)
    else for (const value of one.values) meter.observe(one.name, value, one.labels)
}
