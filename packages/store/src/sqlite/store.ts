import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ApplyResult,
  type BlobRef,
  type Changes,
  type ChangesRequest,
  type ClaimRequest,
  type Clock,
  type ScanColumn,
  DomainError,
  type Folder,
  type FolderOriginals,
  type GetRequest,
  type Hint,
  type Item,
  type Logger,
  type MailboxId,
  type MailboxInfo,
  type MailboxInit,
  type MailboxService,
  type Meter,
  type MoveStep,
  type MoveSteps,
  noMeter,
  type Operation,
  type OriginalsRequest,
  type Packed,
  type Permission,
  type QueueEntry,
  type ScanRequest,
  type SearchRequest,
  type SearchResult,
  type ReadyBlock,
  type ReadyRequest,
  type StateEntry,
  type Subscription,
  silentLog,
  systemClock,
} from '@postrider/domain'
import type { Files } from '../blobs/index.ts'
import { Cost, checkRequest, costOf, evaluate, SearchEngine, type TextMatcher } from '../search/index.ts'
import type { CheckReport } from './check.ts'
import { checkDatabase } from './check-thread.ts'
import { Checkpoints } from './checkpoints.ts'
import { asDomainError } from './connection.ts'
import { MAX_ORIGINAL_BYTES, type DatabaseHealth } from '../engine/health.ts'
import { isLeaving, MailboxDatabase } from './database.ts'
import { Moves } from './moves.ts'
import { databaseNumber } from './numbers.ts'
import { Hints } from '../engine/hints.ts'
import { Housekeeping } from './housekeeping.ts'
import { claim, list } from './queue.ts'
import { forget } from '../engine/tombstones.ts'
import { Scrubber } from './scrubber.ts'
import type { Confirmed, ShippingOptions } from './shipping.ts'
import { changes } from '../engine/read/changes.ts'
import { ready } from '../engine/read/ready.ts'
import { scan } from '../engine/read/scan.ts'
import type { Upgrade } from '../engine/upgrades.ts'
import { wipeMailbox } from '../engine/wipe.ts'

export interface SqliteStoreOptions {
  /** The data folder; databases lie in `mailboxes/<name>` below it. */
  readonly folder: string
  /** Names of the mailbox databases; missing ones are made. */
  readonly databases: readonly string[]
  /** The owner's epoch in each database (domain/epoch.ts); where none is said it stays what it was. */
  readonly epochs?: Readonly<Record<string, number>> | undefined
  /** Numbers of new databases begin here: those of other machines must be others. */
  readonly firstNumber?: number | undefined
  readonly clock?: Clock
  readonly log?: Logger
  readonly meter?: Meter
  /** Size at which a segment is closed. */
  readonly segmentBytes?: number
  /** Size of the file that is given up when the disk is full. */
  readonly reserveBytes?: number
  readonly maxOriginalBytes?: number
  /** File calls of the segments; for fault injection. */
  readonly files?: Files
  /** Bytes a second at which everything is read through once a day; 0, the default: not at all. */
  readonly scrubRate?: number
  /** Keeps commit logs for those who follow; undefined: none. */
  readonly shipping?: ShippingOptions | undefined
  /** How long answered calls may be in the redo log alone, ms; for tests. */
  readonly foldMs?: number
  /** Schema steps; for tests of upgrades. */
  readonly upgrades?: readonly Upgrade[]
}

/** Searches over more rows than this leave the owner's thread alone. */
const MAX_ROWS_HERE = 20_000
const noTexts: TextMatcher = { match: async () => new Set() }

const databaseName = /^[a-z0-9][a-z0-9_-]{0,63}$/

/** The mailbox service over SQLite databases and segments. All of it runs on one thread, which must do nothing else. */
export class SqliteStore implements MailboxService {
  readonly #databases: ReadonlyMap<string, MailboxDatabase>
  readonly #mailboxes = new Map<MailboxId, MailboxDatabase>()
  /** Wipes under way: the id is free again when they are done. */
  readonly #wiping = new Map<MailboxId, Promise<void>>()
  readonly #hints: Hints
  readonly #log: Logger
  readonly #engine: SearchEngine
  readonly #housekeeping: Housekeeping[] = []
  readonly #scrubber: Scrubber
  /** Databases that cannot be opened, and why: the others work. */
  readonly #damaged: ReadonlyMap<string, DomainError>
  readonly #moves: Moves
  #closed = false

  private constructor(
    databases: ReadonlyMap<string, MailboxDatabase>,
    hints: Hints,
    parts: { clock: Clock; log: Logger; meter: Meter; scrubRate: number; damaged: ReadonlyMap<string, DomainError> },
  ) {
    const { clock, log, meter, scrubRate } = parts
    this.#damaged = parts.damaged
    this.#databases = databases
    this.#hints = hints
    this.#log = log
    this.#engine = new SearchEngine({
      databases: [...databases.values()].map(({ name, path, folder }) => ({
        name,
        path,
        segments: join(folder, 'segments'),
        index: join(folder, 'search.sqlite'),
      })),
      log,
      onProgress: (name, { dead }) => databases.get(name)?.forgetDead(dead),
    })
    this.#scrubber = new Scrubber(
      [...databases.values()].map(({ name, path, folder }) => ({
        name,
        path,
        segments: join(folder, 'segments'),
        state: join(folder, 'scrub.json'),
      })),
      scrubRate,
      log,
      meter,
    )
    this.#moves = new Moves({
      database: (name) => this.#named(name),
      mailboxes: this.#mailboxes,
      wipe: (database, id) => this.#wipe(database, id),
      wiped: async (id) => this.#wiping.get(id)?.catch(() => undefined),
      hints,
    })
    for (const database of databases.values()) {
      if (this.#engine.position(database.name) < database.lastItem()) this.#engine.committed(0)
      const housekeeping = new Housekeeping(database, clock, log)
      housekeeping.start()
      this.#housekeeping.push(housekeeping)
      const copy = async (): Promise<number> => {
        database.shipping?.sync()
        return this.#engine.checkpoint(database.name)
      }
      const checkpoints = new Checkpoints(database, copy, log, meter)
      database.committer.onCommit = (calls) => {
        this.#engine.committed(calls)
        this.#scrubber.committed(calls)
        checkpoints.committed()
      }
    }
  }

  /** Opens (or makes) all databases. Rejects with `unavailable`, `corrupt` or `diskFull`, and then nothing stays open. */
  static async open(options: SqliteStoreOptions): Promise<SqliteStore> {
    const { databases: names, clock = systemClock, log = silentLog, meter = noMeter } = options
    const hints = new Hints(log)
    const databases = new Map<string, MailboxDatabase>()
    const damaged = new Map<string, DomainError>()
    const home = join(options.folder, 'mailboxes')
    mkdirSync(home, { recursive: true })
    try {
      for (const name of names) {
        if (!databaseName.test(name)) throw new DomainError('invalid', `database name ${JSON.stringify(name)}`)
        try {
          const {
            files,
            segmentBytes,
            reserveBytes,
            upgrades,
            shipping,
            maxOriginalBytes = MAX_ORIGINAL_BYTES,
          } = options
          const database = new MailboxDatabase({
            folder: join(home, name),
            name,
            number: databaseNumber(home, name, options.firstNumber),
            epoch: options.epochs?.[name],
            foldMs: options.foldMs,
            clock,
            log,
            meter,
            hints,
            maxOriginalBytes,
            shipping,
            ...(files === undefined ? {} : { files }),
            ...(segmentBytes === undefined ? {} : { segmentBytes }),
            ...(reserveBytes === undefined ? {} : { reserveBytes }),
            ...(upgrades === undefined ? {} : { upgrades }),
          })
          databases.set(name, database)
        } catch (error) {
          const cause = asDomainError(error)
          if (cause.code !== 'corrupt' && cause.code !== 'moved') throw cause
          const what = cause.code === 'moved' ? 'has another owner' : 'is damaged'
          log.error({ database: name, error: cause.message }, `a mailbox database ${what}: the others work`)
          meter.gauge('store_stopped', 1, { database: name })
          damaged.set(name, cause)
        }
      }
      const store = new SqliteStore(databases, hints, { clock, log, meter, scrubRate: options.scrubRate ?? 0, damaged })
      for (const database of databases.values()) {
        store.#moves.load(database)
      }
      return store
    } catch (error) {
      for (const database of databases.values()) await database.close()
      throw asDomainError(error)
    }
  }

  #wipe(database: MailboxDatabase, id: MailboxId): Promise<void> {
    const wiping = wipeMailbox(database, id)
    this.#wiping.set(id, wiping)
    wiping.then(
      () => this.#wiping.delete(id),
      (error) => {
        this.#wiping.delete(id)
        this.#log.error({ mailbox: id, error: String(error) }, 'wiping a mailbox was interrupted')
      },
    )
    return wiping
  }

  #home(id: MailboxId): MailboxDatabase {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
    const database = this.#mailboxes.get(id)
    if (database !== undefined) return database
    this.#moves.elsewhere(id)
    // It may live in one of those.
    if (this.#damaged.size > 0) throw this.#notOpen()
    throw new DomainError('mailboxNotFound', `mailbox ${id}`)
  }

  #notOpen(): DomainError {
    const [[name, cause]] = this.#damaged as unknown as [[string, DomainError]]
    if (cause.code === 'moved') return cause
    return new DomainError('unavailable', `database ${name} is damaged: ${cause.message}`, { cause })
  }

  /** How far those who follow a database are. */
  confirm(database: string, confirmed: Confirmed): void {
    this.#databases.get(database)?.shipping?.confirmed(confirmed)
  }

  /** Other bytes a second for reading everything through. */
  setScrubRate(rate: number): void {
    this.#scrubber.setRate(rate)
  }

  /** Reads on the spot; what the database throws becomes a DomainError. */
  async #read<T>(id: MailboxId, read: (database: MailboxDatabase) => T): Promise<T> {
    if (this.#moves.arrives(id)) await this.#moves.arrived(id)
    try {
      return read(this.#home(id))
    } catch (error) {
      throw asDomainError(error)
    }
  }

  async create(id: MailboxId, init: MailboxInit): Promise<void> {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
    if (this.#mailboxes.has(id)) return
    await this.#wiping.get(id)?.catch(() => undefined)
    const database = this.#named(init.database)
    await database.create(id, init)
    this.#mailboxes.set(id, database)
  }

  #named(name: string): MailboxDatabase {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
    const database = this.#databases.get(name)
    if (this.#damaged.has(name)) throw this.#notOpen()
    if (database === undefined) throw new DomainError('invalid', `no database ${JSON.stringify(name)}`)
    return database
  }

  relocate<Step extends MoveStep>(
    id: MailboxId,
    name: string,
    step: Step,
    ask: MoveSteps[Step]['ask'],
  ): Promise<MoveSteps[Step]['answer']> {
    return this.#moves.relocate(id, name, step, ask)
  }

  async destroy(id: MailboxId): Promise<void> {
    if (this.#moves.isClosed(id)) await this.#moves.passed(id)
    const database = this.#home(id)
    const { change } = database.info(id)
    this.#mailboxes.delete(id)
    const wiping = this.#wipe(database, id)
    this.#hints.send(id, change, new Map())
    await wiping
  }

  info(id: MailboxId): Promise<MailboxInfo> {
    return this.#read(id, (database) => database.info(id))
  }

  async apply(id: MailboxId, operations: readonly Operation[]): Promise<ApplyResult> {
    for (;;) {
      if (this.#moves.isClosed(id)) await this.#moves.passed(id)
      try {
        return await this.#home(id).apply(id, operations)
      } catch (error) {
        if (error !== isLeaving) throw error
      }
    }
  }

  async stage(id: MailboxId, bytes: Uint8Array): Promise<BlobRef> {
    if (this.#moves.isClosed(id)) await this.#moves.passed(id)
    return this.#read(id, (database) => database.stage(id, bytes))
  }

  folders(id: MailboxId): Promise<readonly Folder[]> {
    return this.#read(id, (database) => database.folders(id))
  }

  permissions(id: MailboxId): Promise<readonly Permission[]> {
    return this.#read(id, (database) => database.permissions(id))
  }

  scan<C extends ScanColumn>(id: MailboxId, request: ScanRequest<C>): Promise<Packed<C>> {
    return this.#read(id, (database) => scan(database.connection, database.state(id), request))
  }

  get(id: MailboxId, request: GetRequest): Promise<readonly Item[]> {
    return this.#read(id, (database) => database.get(id, request))
  }

  blob(id: MailboxId, ref: BlobRef, start?: number, end?: number): Promise<Uint8Array> {
    return this.#read(id, (database) => database.blob(id, ref, start, end))
  }

  originals(id: MailboxId, request: OriginalsRequest): Promise<FolderOriginals> {
    return this.#read(id, (database) => database.originalsOf(id, request))
  }

  changes(id: MailboxId, request: ChangesRequest): Promise<Changes> {
    return this.#read(id, (database) => changes(database.connection, database.state(id), request))
  }

  async subscribe(id: MailboxId, listener: (hint: Hint) => void): Promise<Subscription> {
    if (this.#moves.arrives(id)) await this.#moves.arrived(id)
    this.#home(id)
    return this.#hints.subscribe(id, listener)
  }

  /** Questions about narrow rows of small folders are answered here; everything else by the searching thread. */
  async search(id: MailboxId, request: SearchRequest): Promise<SearchResult> {
    if (this.#moves.arrives(id)) await this.#moves.arrived(id)
    const database = this.#home(id)
    checkRequest(request)
    const mailbox = database.state(id)
    const rows = request.folders.reduce((sum, folder) => sum + (mailbox.findFolder(folder)?.total ?? 0), 0)
    if (rows === 0 || (costOf(request.query) === Cost.narrow && rows <= MAX_ROWS_HERE)) {
      return evaluate(database.connection, id, request, noTexts)
    }
    // The searching thread sees what is in the database.
    await database.fold()
    return this.#engine.search(database.name, id, request)
  }

  ready(id: MailboxId, request: ReadyRequest): Promise<readonly ReadyBlock[]> {
    return this.#read(id, (database) => ready(database.connection, database.state(id), request))
  }

  state(id: MailboxId, client: string, keyPrefix = ''): Promise<readonly StateEntry[]> {
    return this.#read(id, (database) => database.states(id, client, keyPrefix))
  }

  async queueClaim(request: ClaimRequest): Promise<readonly QueueEntry[]> {
    return claim(this.#open(), request)
  }

  async queueList(filter: { destination?: string; limit: number; afterId?: number }): Promise<readonly QueueEntry[]> {
    return list(this.#open(), filter)
  }

  async subscribeQueue(listener: () => void): Promise<Subscription> {
    this.#open()
    return this.#hints.subscribeQueue(listener)
  }

  /** Whether each database still writes. */
  health(): readonly DatabaseHealth[] {
    // With others beside it the server is as ready as it can be.
    const alone = this.#databases.size === 0
    const damaged = [...this.#damaged].map(([database, { message }]) => ({
      database,
      stopped: undefined,
      away: alone ? message : undefined,
      diskFull: false,
      waiting: 0,
    }))
    const open = [...this.#databases.values()].map(({ name, committer }) => ({
      database: name,
      // Opening it anew would help nobody: it has another owner.
      stopped: committer.stopped?.code === 'moved' ? undefined : committer.stopped?.message,
      diskFull: committer.diskFull,
      waiting: committer.waiting,
    }))
    return [...open, ...damaged]
  }

  /** Another owner has a database of ours since this epoch (domain/epoch.ts): nothing is written to it any more. Durable when it returns. */
  fence(name: string, epoch: number): void {
    this.#databases.get(name)?.fence(epoch)
  }

  /** Drops all tombstones of a mailbox, as age does: cursors from before must start over. */
  async forgetTombstones(id: MailboxId): Promise<void> {
    const database = this.#home(id)
    await forget(database, id, Number.POSITIVE_INFINITY)
  }

  /** Reads all databases from end to end, each on a thread of its own, and says what does not fit. Changes nothing. */
  async check({ originals = true }: { readonly originals?: boolean } = {}): Promise<readonly CheckReport[]> {
    const nothing = { mailboxes: 0, items: 0, originals: 0, verifiedBytes: 0, more: false }
    const reports: CheckReport[] = [...this.#damaged].map(([database, { message }]) => ({
      ...nothing,
      database,
      problems: [{ kind: 'integrity', detail: `it cannot be opened: ${message}` }],
    }))
    for (const database of this.#open()) {
      const { name, path, folder } = database
      await database.committer.fold()
      reports.push(
        await checkDatabase({
          name,
          path,
          segments: join(folder, 'segments'),
          index: join(folder, 'search.sqlite'),
          originals,
        }),
      )
    }
    return reports
  }

  /** Does now what is otherwise done every minute: tombstones, expired keys, compaction. */
  async keepHouse(): Promise<void> {
    this.#open()
    for (const one of this.#housekeeping) await one.round()
  }

  /** Copies the write-ahead logs into the databases. */
  async checkpoint(): Promise<void> {
    for (const database of this.#open()) await database.checkpoint()
  }

  /** Waits for what is under way, then closes all files. From now on every call rejects with `unavailable`. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#moves.shut()
    for (const one of this.#housekeeping) await one.close()
    await Promise.allSettled(this.#wiping.values())
    await this.#scrubber.close()
    await this.#engine.close()
    for (const database of this.#databases.values()) await database.close()
    this.#hints.close()
  }

  #open(): readonly MailboxDatabase[] {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
    return [...this.#databases.values()]
  }
}
