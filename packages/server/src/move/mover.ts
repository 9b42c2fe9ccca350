/**
 * Moves mailboxes from one database to another while they are in use (New-MoveRequest). In: an address and where to; out: the mailbox there, with
 * everything that clients know it by, and its epoch one higher. Invariant: the directory decides, in one transaction, where a mailbox lives; until
 * then the source is the home and the target can be thrown away, afterwards the target is, and the source goes. A move that was cut off by
 * anything goes on by itself. Read next: record.ts (what is kept), transfer.ts (what is brought), domain/relocation.ts (what both sides are asked).
 */
import {
  type Clock,
  DomainError,
  isDomainError,
  type Logger,
  type MailboxId,
  type MailboxService,
} from '@postrider/domain'
import type { DirectoryStore } from '@postrider/store/directory'
import { isUnderWay, MOVES, type MoveRecord, moveSetting } from './record.ts'
import { Transfer } from './transfer.ts'

/** Moves at the same time; the others wait. */
const AT_ONCE = 2
/** With fewer changes left than this the source is locked; after so many rounds anyway. */
const FEW = 50
const MAX_ROUNDS = 10
/** A lock that takes longer is given up and tried again later: clients come first. */
const LOCK_MS = 5_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000
/** How long references of the old home are understood at the new one, and the record is kept. */
const REMEMBER_MS = 86_400_000
const TIDY_MS = 600_000

/** A move as `postrider mailbox status` shows it. */
export interface MoveReport extends MoveRecord {
  readonly items: number
  readonly copied: number
  readonly copiedBytes: number
  readonly phase: 'waiting' | 'copying' | 'switching' | 'ended'
}

interface Progress {
  items: number
  copied: number
  copiedBytes: number
  phase: MoveReport['phase']
  problem: string | undefined
  cancelled: boolean
}

export interface MoverOptions {
  readonly directory: DirectoryStore
  readonly service: MailboxService
  readonly clock: Clock
  readonly log: Logger
  /** Resolves when whoever follows the directory (a standby) has what was decided: only then the source goes. */
  readonly decided?: () => Promise<void>
  /** Told between the steps of a move; tests stop there. */
  readonly step?: (name: string) => Promise<void> | void
}

/** The move was called off: not a failure. */
class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

export class Mover {
  readonly #options: MoverOptions
  readonly #progress = new Map<MailboxId, Progress>()
  readonly #running = new Map<MailboxId, Promise<void>>()
  readonly #waiting: MailboxId[] = []
  readonly #tidy: NodeJS.Timeout
  readonly #stop = new AbortController()

  constructor(options: MoverOptions) {
    this.#options = options
    this.#tidy = setInterval(() => void this.#forgetOld(), TIDY_MS).unref()
  }

  /** Goes on with what was under way when the program ended. */
  resume(): void {
    for (const record of this.#records()) if (isUnderWay(record)) this.#enqueue(record.mailbox)
  }

  /** Begins a move; it goes on by itself. Throws DomainError `conflict` when one is under way or there is nothing to be done. */
  async start(mailbox: MailboxId, to: string): Promise<void> {
    const { directory, clock } = this.#options
    const entry = directory.mailbox(mailbox)
    if (entry === undefined) throw new DomainError('mailboxNotFound', `mailbox ${mailbox}`)
    const before = this.#record(mailbox)
    if (before !== undefined && isUnderWay(before)) throw new DomainError('conflict', 'a move is under way')
    if (entry.database === to) throw new DomainError('conflict', `it lives in ${to} already`)
    await this.#note({
      mailbox,
      from: entry.database,
      to,
      epoch: entry.epoch + 1,
      state: 'moving',
      started: clock.now(),
    })
    this.#progress.delete(mailbox)
    this.#enqueue(mailbox)
  }

  /** Calls a move off. Answers false when there is none, or when it is decided already. */
  cancel(mailbox: MailboxId): boolean {
    const record = this.#record(mailbox)
    if (record?.state !== 'moving') return false
    this.#progressOf(mailbox).cancelled = true
    return true
  }

  /** All moves of the last day, the newest first. */
  reports(): readonly MoveReport[] {
    return this.#records()
      .map((record): MoveReport => {
        const { items, copied, copiedBytes, phase, problem } = this.#progressOf(record.mailbox)
        const now = isUnderWay(record) ? phase : 'ended'
        return { ...record, items, copied, copiedBytes, phase: now, ...(problem === undefined ? {} : { problem }) }
      })
      .sort((a, b) => b.started - a.started || b.mailbox - a.mailbox)
  }

  /** Resolves when no step is under way any more; what is not done goes on at the next start. */
  async close(): Promise<void> {
    clearInterval(this.#tidy)
    this.#waiting.length = 0
    this.#stop.abort()
    await Promise.all(this.#running.values())
  }

  #records(): MoveRecord[] {
    return this.#options.directory.settingsNamed(MOVES).map(([, value]) => value as MoveRecord)
  }
  #record(mailbox: MailboxId): MoveRecord | undefined {
    return this.#options.directory.setting(moveSetting(mailbox)) as MoveRecord | undefined
  }
  #note(record: MoveRecord): Promise<void> {
    return this.#options.directory.setSetting(moveSetting(record.mailbox), record)
  }
  #progressOf(mailbox: MailboxId): Progress {
    let progress = this.#progress.get(mailbox)
    if (progress === undefined) {
      progress = { items: 0, copied: 0, copiedBytes: 0, phase: 'waiting', problem: undefined, cancelled: false }
      this.#progress.set(mailbox, progress)
    }
    return progress
  }

  #enqueue(mailbox: MailboxId): void {
    if (!this.#running.has(mailbox) && !this.#waiting.includes(mailbox)) this.#waiting.push(mailbox)
    this.#next()
  }
  #next(): void {
    while (this.#running.size < AT_ONCE && !this.#stop.signal.aborted) {
      const mailbox = this.#waiting.shift()
      if (mailbox === undefined) return
      const run = this.#run(mailbox).finally(() => {
        this.#running.delete(mailbox)
        this.#next()
      })
      this.#running.set(mailbox, run)
    }
  }

  /** Tries until it is done, or called off, or the program ends. */
  async #run(mailbox: MailboxId): Promise<void> {
    const { log, directory } = this.#options
    const progress = this.#progressOf(mailbox)
    for (let retryMs = FIRST_RETRY_MS; !this.#stop.signal.aborted; ) {
      const record = this.#record(mailbox)
      if (record === undefined || !isUnderWay(record)) return
      try {
        if (record.state === 'moving') await this.#bring(record, progress)
        await this.#finish(this.#record(mailbox) ?? record)
        progress.problem = undefined
        return
      } catch (error) {
        if (this.#stop.signal.aborted) return
        if (error instanceof Cancelled || directory.mailbox(mailbox) === undefined) {
          const isOver = await this.#callOff(record, progress)
          if (isOver) return
        } else {
          progress.problem = error instanceof Error ? error.message : String(error)
          log.warn({ err: error, mailbox, to: record.to }, 'a move did not get on: tried again soon')
        }
      }
      progress.phase = 'waiting'
      await this.#pause(retryMs)
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)
    }
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    })
  }

  #transfer(record: MoveRecord, progress: Progress): Transfer {
    return new Transfer({
      ...record,
      service: this.#options.service,
      copied: (items, bytes) => {
        progress.copied += items
        progress.copiedBytes += bytes
      },
    })
  }

  /** Brings everything, locks the source for the last changes, and has the directory name the target. */
  async #bring(record: MoveRecord, progress: Progress): Promise<void> {
    const transfer = this.#transfer(record, progress)
    const go = (): void => {
      if (progress.cancelled) throw new Cancelled()
      if (this.#stop.signal.aborted) throw new DomainError('unavailable', 'the program ends')
    }
    go()
    progress.items = await transfer.prepare(() => this.#note(record))
    progress.phase = 'copying'
    await this.#options.step?.('prepared')
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const changes = (await transfer.catchUp(go)) + (await transfer.small(go))
      if (changes < FEW) break
    }
    await this.#options.step?.('copied')
    go()
    progress.phase = 'switching'
    await this.#switch(record, transfer)
  }

  async #switch(record: MoveRecord, transfer: Transfer): Promise<void> {
    const { directory } = this.#options
    const { mailbox, from, to, epoch } = record
    const began = performance.now()
    const inTime = (): void => {
      if (performance.now() - began > LOCK_MS) throw new DomainError('busy', 'the last changes take too long')
    }
    try {
      await transfer.source('leave', {})
      await this.#options.step?.('locked')
      await transfer.catchUp(inTime)
      await transfer.small(inTime)
      await transfer.target('settle', { counters: await transfer.source('counters', {}), epoch })
      await this.#options.step?.('settled')
      inTime()
      const entry = directory.mailbox(mailbox)
      if (entry?.database !== from) throw new DomainError('conflict', 'the mailbox is not where it was')
      const lockedMs = Math.round(performance.now() - began)
      const decided: MoveRecord = { ...record, state: 'finishing', lockedMs }
      directory.rehome(entry.account, { database: to, epoch }, moveSetting(mailbox), decided)
    } catch (error) {
      if (directory.mailbox(mailbox)?.database === to) throw error
      // Nothing is decided: the source stays the home. A decision whose commit failed must not come back after a crash, so the directory writes
      // something else first. What cannot be done now, the next try does first.
      await this.#note(record)
      await transfer.source('stay', {}).catch((cause: unknown) => {
        this.#options.log.warn({ err: cause, mailbox }, 'the source of a move stays locked until the next try')
      })
      // What arrived does not add up: it is thrown away and brought anew.
      if (isDomainError(error, 'conflict')) await transfer.target('discard', {}).catch(() => undefined)
      throw error
    }
    await this.#options.step?.('decided')
  }

  /** Tells both sides what the directory says. */
  async #finish(record: MoveRecord): Promise<void> {
    const { clock, log } = this.#options
    const { mailbox, to, from, epoch } = record
    const transfer = this.#transfer(record, this.#progressOf(mailbox))
    await transfer.target('open', { epoch })
    await this.#options.decided?.()
    await this.#options.step?.('opened')
    await transfer.source('left', { epoch })
    const { problem: _none, ...rest } = record
    await this.#note({ ...rest, state: 'done', ended: clock.now() })
    log.info({ mailbox, from, to, lockedMs: record.lockedMs }, 'a mailbox has moved')
  }

  /** Throws away what has arrived. Answers false when that has to be tried again. */
  async #callOff(record: MoveRecord, progress: Progress): Promise<boolean> {
    const { log, clock, directory } = this.#options
    const transfer = this.#transfer(record, progress)
    try {
      const here = await transfer.source('look', {})
      if (here?.state === 'leaving') await transfer.source('stay', {})
      await transfer.target('discard', {})
    } catch (error) {
      progress.problem = error instanceof Error ? error.message : String(error)
      log.warn(
        { err: error, mailbox: record.mailbox },
        'a move that was called off leaves something behind: tried again soon',
      )
      return false
    }
    if (directory.mailbox(record.mailbox) === undefined)
      await directory.setSetting(moveSetting(record.mailbox), undefined)
    else await this.#note({ ...record, state: 'cancelled', ended: clock.now() })
    return true
  }

  /** A day after a move nobody has references of the old home any more. */
  async #forgetOld(): Promise<void> {
    const { clock, directory, service, log } = this.#options
    for (const record of this.#records()) {
      if (isUnderWay(record) || (record.ended ?? 0) > clock.now() - REMEMBER_MS) continue
      const { mailbox, to } = record
      try {
        if (record.state === 'done' && directory.mailbox(mailbox)?.database === to)
          await service.relocate(mailbox, to, 'forget', {})
        await directory.setSetting(moveSetting(mailbox), undefined)
        this.#progress.delete(mailbox)
      } catch (error) {
        log.warn({ err: error, mailbox }, 'what a move left to be remembered stays for now')
      }
    }
  }
}
