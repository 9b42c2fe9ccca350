import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ApplyResult,
  type BlobRef,
  type ChangeNumber,
  type Clock,
  DomainError,
  type Folder,
  type FolderOriginals,
  type GetRequest,
  type Item,
  type Logger,
  MAX_BLOB_CHUNK,
  type MailboxId,
  type MailboxInfo,
  type MailboxInit,
  type Meter,
  movedError,
  type Operation,
  type OriginalsRequest,
  type OriginalSource,
  type Permission,
  type Residence,
  type StateEntry,
} from '@postrider/domain'
import { type Files, isFull, type Place, realFiles, SegmentWriter } from '../blobs/index.ts'
import { applyAll, checkLimits, isFreeing, namesBytes, newBytes } from '../engine/apply/index.ts'
import { Books } from '../engine/books.ts'
import { type AppendingCall, Committer } from './committer.ts'
import { asDomainError, Connection, isSqliteFull } from './connection.ts'
import {
  copyLog,
  logIsEmpty,
  sumAnew,
  sumsClean,
  sumsFit,
  redoPath,
  setLogAside,
  logsSetAside,
  strandedCommits,
} from './page-sums.ts'
import { storedEpoch, takeEpoch, writeEpoch } from './epoch.ts'
import type { Hints } from '../engine/hints.ts'
import type { Journal } from '../engine/journal.ts'
import { layOut } from './layout.ts'
import { lockFolder } from './lock.ts'
import type { MailboxState } from '../engine/mailbox-state.ts'
import { currentRef } from '../engine/move/references.ts'
import { newMailbox } from '../engine/new-mailbox.ts'
import { Originals } from './originals.ts'
import { get } from '../engine/read/get.ts'
import { RedoLog, recoverFolder } from './redo.ts'
import { Reserve } from './reserve.ts'
import { folderRow } from '../engine/rows.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import type { Upgrade } from '../engine/upgrades.ts'
import { endLog } from '../ship/log.ts'
import { settleLog } from './settle-log.ts'
import { Shipping, type ShippingOptions } from './shipping.ts'
import { upgrade } from './upgrade.ts'

export interface DatabaseOptions {
  readonly folder: string
  readonly name: string
  /** Its number among the databases of the folder, kept from when it was made. */
  readonly number: number
  /** The owner's epoch; undefined: that of the last owner. */
  readonly epoch?: number | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  readonly hints: Hints
  readonly files?: Files
  readonly segmentBytes?: number
  readonly reserveBytes?: number
  readonly maxOriginalBytes: number
  /** Keeps a commit log; undefined: none. */
  readonly shipping?: ShippingOptions | undefined
  readonly upgrades?: readonly Upgrade[]
  readonly foldMs?: number | undefined
}

/** A write came too late: the mailbox has just been locked. It waits, and is asked again. */
export const isLeaving = new DomainError('moved', 'just now')

/** Page cache, KiB. */
const CACHE_KIB = 32_768

/** One mailbox database: its file, its segments, its one writer. Everything here runs on one thread. */
export class MailboxDatabase {
  readonly name: string
  readonly number: number
  readonly folder: string
  readonly path: string
  readonly connection: Connection
  readonly books: Books
  readonly originals: Originals
  readonly segments: SegmentWriter
  readonly committer: Committer
  readonly shipping: Shipping | undefined
  readonly #redo: RedoLog | undefined
  readonly #hints: Hints
  readonly #lock: { release(): void }
  readonly #log: Logger
  /** Mailboxes whose rows are here and that do not live here: they are arriving, or have left. */
  readonly hidden = new Set<MailboxId>()
  /** Mailboxes that take no writes: a move decides where they go on. */
  readonly leaving = new Set<MailboxId>()
  #forgotten = 0
  #closed = false

  constructor(options: DatabaseOptions) {
    const { folder, name, clock, log, meter, files = realFiles } = options
    this.name = name
    this.folder = folder
    this.path = join(folder, 'mailbox.sqlite')
    this.#hints = options.hints
    this.#log = log
    mkdirSync(folder, { recursive: true })
    this.#lock = lockFolder(join(folder, 'owner.lock'))
    const segmentFolder = join(folder, 'segments')
    try {
      const opened = openConnection(this.path, options)
      this.connection = opened.connection
      this.shipping = opened.shipping
      takeEpoch(this.connection, options.epoch)
      this.number = this.#ownNumber(options)
      this.books = new Books(this.connection)
      const limit = options.segmentBytes
      // What the lost transactions named stays behind the ends that are known.
      const keepTails = logsSetAside(this.path).length > 0
      const segments = { files, log, keepTails, ...(limit === undefined ? {} : { limit }) }
      this.segments = SegmentWriter.open(segmentFolder, this.books.segments(), segments)
      this.shipping?.knows(this.books.segments())
      // Who follows is told of commits: there every batch is one.
      this.#redo = this.shipping === undefined ? this.#beginRedo(files) : undefined
    } catch (error) {
      this.#lock.release()
      throw asDomainError(error)
    }
    const bytes = options.reserveBytes
    const reserve = new Reserve(join(folder, 'reserve'), { clock, log, ...(bytes === undefined ? {} : { bytes }) })
    const { connection, books } = this
    this.originals = new Originals({
      connection,
      books,
      writer: this.segments,
      folder: segmentFolder,
      files,
      number: this.number,
      clock,
      maxBytes: options.maxOriginalBytes,
    })
    const { segments, originals, shipping } = this
    const redo = this.#redo
    const parts = { connection, books, originals, segments, redo, reserve, clock, log, meter, name, shipping }
    this.committer = new Committer({ ...parts, foldMs: options.foldMs })
  }

  #beginRedo(files: Files): RedoLog | undefined {
    const redo = RedoLog.open(this.path, files, this.#log)
    if (redo === undefined) return undefined
    this.segments.onAppend = (segment, offset, { parts, stored }) => redo.record(segment, offset, parts, stored)
    try {
      // A start that changes nothing writes nothing: a page that is damaged must not get a new checksum.
      if (redo.beginAgain(this.connection)) return redo
      this.connection.execute('BEGIN IMMEDIATE')
      const generation = redo.turn(this.connection)
      this.connection.execute('COMMIT')
      redo.begin(generation)
      return redo
    } catch (error) {
      if (this.connection.database.isTransaction) this.connection.execute('ROLLBACK')
      redo.close()
      if (!isSqliteFull(error)) throw error
      this.#log.warn({ database: this.name, error: String(error) }, 'disk full: every batch is a commit')
      return undefined
    }
  }

  #ownNumber({ number, name }: DatabaseOptions): number {
    const settings = new Map(this.connection.all(read.settings) as readonly (readonly [string, string])[])
    const known = settings.get('number')
    if (known !== undefined) return Number(known)
    this.connection.execute('BEGIN IMMEDIATE')
    this.connection.run(write.putSetting, 'number', String(number))
    this.connection.run(write.putSetting, 'name', name)
    this.connection.execute('COMMIT')
    return number
  }

  /** Mailboxes that are here, and how: the dying ones are still to be wiped. */
  mailboxes(): readonly { readonly id: MailboxId; readonly state: Residence['state'] }[] {
    return this.connection
      .all(read.mailboxes)
      .map(([id, state]) => ({ id: id as MailboxId, state: state as Residence['state'] }))
  }

  /** Mailboxes that lived here and were moved, with the epoch of their new home. */
  movedAway(): readonly (readonly [MailboxId, number])[] {
    return this.connection.all(read.settings).flatMap(([name, value]) => {
      const id = /^moved\.(\d{1,15})$/.exec(name as string)?.[1]
      return id === undefined ? [] : [[Number(id) as MailboxId, Number(value)] as const]
    })
  }

  /** Whether nobody may take entries of a mailbox from the queue: it is changing its home. */
  isMoving(id: MailboxId): boolean {
    return this.hidden.has(id) || this.leaving.has(id)
  }

  /**
   * Another owner has the database since this epoch: what is under way is told `moved`, nothing is written any more, and no owner with a lower
   * epoch opens it again. An epoch that is not higher than the own one changes nothing.
   */
  fence(epoch: number): void {
    if (this.#closed || epoch <= storedEpoch(this.connection)) return
    this.committer.stop(movedError(epoch))
    // What was answered is in the redo log: the next owner finds it there.
    if (this.connection.database.isTransaction) this.connection.execute('ROLLBACK')
    writeEpoch(this.connection, epoch)
  }

  /** The newest item row: how far the search index has to come. */
  lastItem(): number {
    return (this.connection.get(read.lastItem)?.[0] as number | null) ?? 0
  }

  /** Throws `unavailable` after a fault or `close`. */
  usable(): void {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
    if (this.committer.stopped !== undefined) throw this.committer.stopped
  }

  state(id: MailboxId): MailboxState {
    this.usable()
    const mailbox = this.books.mailbox(id)
    if (mailbox === undefined) throw new DomainError('mailboxNotFound', `mailbox ${id}`)
    return mailbox
  }

  create(id: MailboxId, init: MailboxInit): Promise<void> {
    return this.submit({
      bytes: 0,
      freeing: false,
      namesBytes: false,
      run: (journal, now) => newMailbox(this, journal, { id, init, now }),
    })
  }

  apply(id: MailboxId, operations: readonly Operation[]): Promise<ApplyResult> {
    const mailbox = this.state(id)
    checkLimits(operations)
    const places = new Map<OriginalSource, Place>()
    const sources = operations.flatMap((operation) => newBytes(operation) ?? [])
    const { connection, books, originals, number: database } = this
    return this.submit({
      bytes: sources.reduce((sum, { bytes }) => sum + bytes.length, 0),
      freeing: isFreeing(operations),
      namesBytes: operations.some(namesBytes),
      append: (to, busy) => {
        for (const source of sources) {
          if (!places.has(source)) places.set(source, to.append(source.bytes, busy))
        }
      },
      run: (journal, now) => {
        if (this.leaving.has(id)) throw isLeaving
        const current = this.state(mailbox.id as MailboxId)
        const bytes = { places, named: new Set<OriginalSource>() }
        return applyAll(
          { connection, books, originals, mailbox: current, journal, now, database, ...bytes },
          operations,
        )
      },
      committed: (journal) => this.#announce(id, journal),
    })
  }

  #announce(id: MailboxId, journal: Journal): void {
    const change = this.books.mailbox(id)?.row.change
    if (journal.touched.size > 0 && change !== undefined) this.#hints.send(id, change as ChangeNumber, journal.touched)
    if (journal.queueMoved) this.#hints.sendQueue()
  }

  async submit<T>(call: AppendingCall<T>): Promise<T> {
    this.usable()
    return this.committer.submit(call)
  }

  stage(id: MailboxId, bytes: Uint8Array): BlobRef {
    this.state(id)
    try {
      return this.originals.stage(bytes)
    } catch (error) {
      throw this.committer.appendFailed(error)
    }
  }

  info(id: MailboxId): MailboxInfo {
    const { guid, change, lowest, hierarchy, usedBytes, quota, items, epoch } = this.state(id).row
    return {
      database: this.name,
      guid,
      change: change as ChangeNumber,
      lowestChange: lowest as ChangeNumber,
      usedBytes,
      quota: quota ?? undefined,
      items,
      epoch,
      hierarchy: hierarchy as ChangeNumber,
    }
  }

  folders(id: MailboxId): readonly Folder[] {
    this.state(id)
    return this.connection.all(read.folders, id).map(folderRow)
  }

  permissions(id: MailboxId): readonly Permission[] {
    this.state(id)
    return this.connection
      .all(read.permissions, id)
      .map(([folder, member, rights]) => ({ folder, member, rights }) as Permission)
  }

  get(id: MailboxId, request: GetRequest): readonly Item[] {
    return get({ connection: this.connection, mailbox: this.state(id), originals: this.originals }, request)
  }

  blob(id: MailboxId, ref: BlobRef, start = 0, end = Number.MAX_SAFE_INTEGER): Uint8Array {
    this.state(id)
    if (!(start >= 0) || !(end >= start)) throw new DomainError('invalid', `bytes ${start} to ${end}`)
    return this.originals.read(
      currentRef(this.connection, this.number, id, ref),
      start,
      Math.min(end, start + MAX_BLOB_CHUNK),
    )
  }

  originalsOf(id: MailboxId, request: OriginalsRequest): FolderOriginals {
    this.state(id).folder(request.folder)
    return this.originals.readFolder(id, request)
  }

  states(id: MailboxId, client: string, keyPrefix: string): readonly StateEntry[] {
    this.state(id)
    const entries: StateEntry[] = []
    for (const [key, value] of this.connection.iterate(read.states, id, client, keyPrefix)) {
      if (!(key as string).startsWith(keyPrefix)) break
      entries.push({ key: key as string, value: value as Uint8Array })
    }
    return entries
  }

  /** The search index has forgotten the item rows that went, up to this one. */
  forgetDead(dead: number): void {
    if (this.#closed || dead <= this.#forgotten) return
    this.#forgotten = dead
    this.submit({
      bytes: 0,
      freeing: true,
      namesBytes: false,
      run: () => this.connection.run(write.removeDead, dead),
    }).catch((error: unknown) => this.#log.warn({ error: String(error) }, 'dead rows stay until the next time'))
  }

  /** Frames in the write-ahead log that a new beginning would drop. */
  logFrames(): number {
    const [, frames = 0] = (this.connection.pragma('wal_checkpoint(NOOP)')[0] ?? []) as number[]
    return Math.max(0, frames)
  }

  /** Copies what is left of the write-ahead log; the next commit begins it anew. */
  async copyLog(): Promise<void> {
    this.usable()
    await this.committer.fold(() => {
      this.shipping?.sync()
      copyLog(this.connection, 'PASSIVE')
    })
  }

  /** Copies the write-ahead log into the database and empties it. */
  async checkpoint(): Promise<void> {
    this.usable()
    await this.committer.fold(() => {
      this.shipping?.sync()
      copyLog(this.connection, 'TRUNCATE')
    })
  }

  /** Resolves when other connections see everything that was answered. */
  async fold(): Promise<void> {
    this.usable()
    await this.committer.fold()
    this.usable()
  }

  /** Copies the log as its sums want it, before closing would; a log that stays is copied at the next start. */
  #leaveLog(): void {
    try {
      this.shipping?.sync()
      if (copyLog(this.connection, 'TRUNCATE') === 0 && logIsEmpty(this.path)) sumsClean(this.path)
    } catch (error) {
      this.#log.warn({ error: String(error), database: this.name }, 'the log was not copied')
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.shipping?.leave()
    await this.committer.fold()
    await this.committer.idle()
    this.#closed = true
    this.committer.stop(new DomainError('unavailable', 'the store is closed'))
    this.originals.close()
    this.segments.close()
    this.#redo?.close()
    // What could not be folded is in the redo log.
    if (this.connection.database.isTransaction) this.connection.execute('ROLLBACK')
    this.#leaveLog()
    this.shipping?.close()
    this.connection.close()
    this.#lock.release()
  }
}

function openConnection(
  path: string,
  options: DatabaseOptions,
): { readonly connection: Connection; readonly shipping: Shipping | undefined } {
  const fresh = !existsSync(path)
  if (!fresh) settleLog(path)
  const connection = new Connection(path)
  try {
    // Once, at creation: two processes that set it at every open lock each other out.
    const logged = !fresh && connection.get('PRAGMA journal_mode')?.[0] === 'wal'
    if (!logged) layOut(connection)
    const summed = logged && sumsFit(path)
    connection.pragma('synchronous = FULL')
    connection.pragma('foreign_keys = OFF')
    connection.pragma(`cache_size = -${CACHE_KIB}`)
    connection.pragma('temp_store = MEMORY')
    // checkpoints.ts decides when; the file keeps its blocks, so that later syncs need not allocate.
    connection.pragma('wal_autocheckpoint = 0')
    connection.pragma('journal_size_limit = -1')
    const { log, upgrades: steps, shipping: wanted } = options
    if (!fresh) keepDamagedLog(connection, path, log, options.clock.now())
    // Before anything copies the write-ahead log.
    if (wanted === undefined) endLog(options.folder)
    const shipping = wanted === undefined ? undefined : new Shipping(connection, options, wanted)
    if (!fresh) {
      shipping?.recover()
      recoverLog(connection, log)
      redo(connection, path, options)
    }
    if (!fresh && !summed) {
      log.warn({ path }, 'the checksums of the pages are not those of this database: they are taken anew')
      sumAnew(path, pageBytes(connection))
    }
    upgrade(connection, path, { log, now: options.clock.now(), ...(steps === undefined ? {} : { steps }) })
    shipping?.committed([])
    shipping?.sync()
    if (fresh) {
      copyLog(connection, 'TRUNCATE')
      sumAnew(path, pageBytes(connection))
      realFiles.syncDirectory(options.folder)
      realFiles.syncDirectory(join(options.folder, '..'))
    }
    return { connection, shipping }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** What the redo log says and no COMMIT brought into the database, before anything else is done. Where there is no room, the reserve is given up for it. */
function redo(connection: Connection, path: string, { folder, files = realFiles, log, clock }: DatabaseOptions): void {
  const recover = (): void => {
    const frames = recoverFolder(connection, path, files, (lost) => {
      const kept = setLogAside(path, clock.now(), redoPath(path))
      log.error({ kept, frames: lost }, 'the redo log of a database is damaged: newer changes in it are lost')
    })
    if (frames > 0) log.info({ path, frames }, 'the redo log was carried out')
  }
  try {
    recover()
  } catch (error) {
    const reserve = join(folder, 'reserve')
    if (!(isFull(error) || isSqliteFull(error)) || !existsSync(reserve)) throw error
    rmSync(reserve)
    recover()
  }
}

/** SQLite takes a log over up to the first frame that does not fit, and says nothing. More than a power cut can tear is damage. */
function keepDamagedLog(connection: Connection, path: string, log: Logger, now: number): void {
  connection.get('SELECT 1 FROM sqlite_master LIMIT 1')
  const [, frames = 0] = (connection.pragma('wal_checkpoint(NOOP)')[0] ?? []) as number[]
  const stranded = strandedCommits(path, Math.max(0, frames))
  if (stranded === 0) return
  const kept = setLogAside(path, now)
  log.error({ kept, transactions: stranded }, 'the log of a database is damaged: newer transactions in it are lost')
}

const pageBytes = (connection: Connection): number => connection.pragma('page_size')[0]?.[0] as number

/**
 * What a log holds at the start goes into the database at once. After a sync that failed, the kernel may show frames that no disk has: what
 * would be written behind them hung in the air after the next power cut. Copied, they are written and synced anew.
 */
function recoverLog(connection: Connection, log: Logger): void {
  try {
    copyLog(connection, 'TRUNCATE')
  } catch (error) {
    if (!isFull(error) && !isSqliteFull(error)) throw error
    log.warn({ error: String(error) }, 'disk full: the log stays as it is')
  }
}
