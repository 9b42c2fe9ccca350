import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, DomainError, type Logger, type Meter } from '@postrider/domain'
import { type SegmentRow, segmentPath } from '../blobs/index.ts'
import { read } from '../engine/sql/read.ts'
import { CommitLog, endLog, HELD } from '../ship/log.ts'
import { logFolder } from '../ship/read.ts'
import type { Connection } from './connection.ts'

/** What an acknowledgement waits for: nothing but this machine, a standby that has it, a standby that has it on its disk. */
export type StandbyWait = 'none' | 'received' | 'synced'

/** How far those who follow are, as numbers of entries. */
export interface Confirmed {
  /** The standby. */
  readonly received: number
  readonly synced: number
  /** All who follow: what they have is wanted by nobody any more. */
  readonly followed: number
}

export interface ShippingOptions {
  readonly wait: StandbyWait
  /** How long acknowledgements wait for a standby that does not confirm, before they go on without it; 0: for ever. */
  readonly patienceMs: number
  /** Hears of every entry. */
  readonly tell: (database: string, seq: number, degraded: boolean) => void
}

interface Held {
  readonly seq: number
  readonly since: number
  readonly done: PromiseWithResolvers<void>
}

/** A commit log that could not be written begins anew after this, ms. */
const AGAIN_MS = 30_000

/** The commit log of a database, and who waits until another machine has what it says. */
export class Shipping {
  readonly #connection: Connection
  readonly #folder: string
  readonly #name: string
  readonly #options: ShippingOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #meter: Meter
  #commits: CommitLog | undefined
  #againAt = 0
  #held: Held[] = []
  #timer: NodeJS.Timeout | undefined
  #confirmed = 0
  #degraded = false
  #leaving = false
  /** Removed segments by the last entry before their removal. */
  readonly #removed = new Map<number, number>()

  constructor(
    connection: Connection,
    of: { folder: string; name: string; clock: Clock; log: Logger; meter: Meter },
    options: ShippingOptions,
  ) {
    this.#connection = connection
    this.#folder = of.folder
    this.#name = of.name
    this.#clock = of.clock
    this.#log = of.log
    this.#meter = of.meter
    this.#options = options
    this.#commits = new CommitLog(of.folder, of.log)
    for (const file of heldIn(of.folder)) this.#removed.set(file, this.#commits.seq)
    this.#degrade(false)
  }

  #frames(): number {
    const [, frames = 0] = (this.#connection.pragma('wal_checkpoint(NOOP)')[0] ?? []) as number[]
    return Math.max(0, frames)
  }

  /** Takes over what a killed process committed last. */
  recover(): void {
    this.#guard((commits) => {
      const frames = this.#frames()
      if (!commits.lacks(frames)) return
      const rows = this.#connection.all(read.segments) as unknown as number[][]
      commits.recover(
        frames,
        rows.map(([segment, bytes, , sealed]) => ({ segment: segment!, bytes: bytes!, sealed: sealed === 1 })),
        this.#clock.now(),
      )
    })
  }

  knows(rows: readonly SegmentRow[]): void {
    this.#commits?.knows(rows)
  }

  /** After a commit. Answers what its acknowledgements have to wait for, if anything; rejects with `unavailable`. */
  committed(lengths: readonly SegmentRow[]): Promise<void> | undefined {
    this.#guard((commits) => commits.capture(this.#frames(), lengths, this.#clock.now()))
    const seq = this.#commits?.seq
    if (seq !== undefined) this.#options.tell(this.#name, seq, this.#degraded)
    if (this.#options.wait === 'none' || this.#degraded || this.#leaving) return undefined
    if (seq !== undefined && seq <= this.#confirmed) return undefined
    const held: Held = {
      seq: seq ?? Number.MAX_SAFE_INTEGER,
      since: performance.now(),
      done: Promise.withResolvers<void>(),
    }
    this.#held.push(held)
    this.#watch()
    return held.done.promise
  }

  #guard(work: (commits: CommitLog) => void): void {
    try {
      if (this.#commits === undefined) {
        if (performance.now() < this.#againAt) return
        this.#commits = new CommitLog(this.#folder, this.#log)
        const rows = this.#connection.all(read.segments) as unknown as number[][]
        this.#commits.knows(rows.map(([segment, bytes]) => ({ segment: segment!, bytes: bytes!, sealed: false })))
      }
      work(this.#commits)
    } catch (error) {
      this.#log.error({ error: String(error), database: this.#name }, 'the commit log ends: nobody can follow')
      this.#meter.count('standby_log_failures_total', { database: this.#name })
      this.#commits = undefined
      this.#againAt = performance.now() + AGAIN_MS
      endLog(this.#folder)
    }
  }

  #watch(): void {
    const { patienceMs } = this.#options
    const first = this.#held[0]
    if (patienceMs === 0 || this.#timer !== undefined || first === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        const oldest = this.#held[0]
        if (oldest === undefined) return
        if (performance.now() - oldest.since < patienceMs) this.#watch()
        else this.#goOnAlone()
      },
      Math.max(1, first.since + patienceMs - performance.now()),
    )
  }

  #goOnAlone(): void {
    this.#log.error({ database: this.#name }, 'the standby does not confirm: acknowledgements go on without it')
    this.#meter.count('standby_degraded_total', { database: this.#name })
    this.#degrade(true)
    for (const { done } of this.#held.splice(0)) done.resolve()
  }

  #degrade(degraded: boolean): void {
    this.#degraded = degraded
    this.#meter.gauge('standby_degraded', degraded ? 1 : 0, { database: this.#name })
    if (this.#commits !== undefined) this.#options.tell(this.#name, this.#commits.seq, degraded)
  }

  confirmed({ received, synced, followed }: Confirmed): void {
    const seq = this.#commits?.seq ?? 0
    this.#confirmed = this.#options.wait === 'received' ? received : synced
    const still = this.#held.findIndex((one) => one.seq > this.#confirmed)
    for (const { done } of this.#held.splice(0, still < 0 ? this.#held.length : still)) done.resolve()
    if (this.#degraded && this.#confirmed >= seq) {
      this.#log.info({ database: this.#name }, 'the standby has caught up: acknowledgements wait for it again')
      this.#degrade(false)
    }
    for (const [segment, last] of this.#removed) {
      // The entry that tells of it is behind the last one before.
      if (followed <= last) continue
      rmSync(segmentPath(join(logFolder(this.#folder), HELD), segment), { force: true })
      this.#removed.delete(segment)
    }
  }

  /** Before the file of a segment goes. */
  removed(segment: number): void {
    this.#guard((commits) => {
      commits.removed(segment)
      this.#removed.set(segment, commits.seq)
    })
  }

  /** Before the write-ahead log is copied: all that is in it is entered and synced. */
  sync(): void {
    this.#guard((commits) => {
      commits.capture(this.#frames(), [], this.#clock.now())
      commits.sync()
    })
  }

  /** The database closes: who still waits is told to try again. */
  leave(): void {
    this.#leaving = true
    clearTimeout(this.#timer)
    const error = new DomainError('unavailable', 'the server stops before its standby has confirmed')
    for (const { done } of this.#held.splice(0)) done.reject(error)
  }

  close(): void {
    this.#commits?.close()
  }
}

function heldIn(folder: string): number[] {
  try {
    return readdirSync(join(logFolder(folder), HELD)).map((name) => Number.parseInt(name, 10))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
