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
import { type Files, originalsOf } from '../blobs/index.ts'
import { checkRequest, SearchEngine } from '../search/index.ts'
import type { CheckReport } from '../sqlite/check.ts'
import { checkDatabase } from '../sqlite/check-thread.ts'
import { Hints } from '../engine/hints.ts'
import { changes } from '../engine/read/changes.ts'
import { get } from '../engine/read/get.ts'
import { ready } from '../engine/read/ready.ts'
import { scan } from '../engine/read/scan.ts'
import { type DatabaseHealth, MAX_ORIGINAL_BYTES } from '../engine/health.ts'
import { forget } from '../engine/tombstones.ts'
import type { Upgrade } from '../engine/upgrades.ts'
import { wipeMailbox } from '../engine/wipe.ts'
import type { ServerDatabase } from './bridge.ts'
import { PostgresDatabase } from './database.ts'
import { asDomainError } from './errors.ts'
import { Housekeeping } from './housekeeping.ts'
import { bucketOf, type ObjectStore } from './place.ts'
import { claim, list } from './queue.ts'

/** How long callers wait for a server that is away before they are told to try again, ms. */
export const PATIENCE_MS = 15_000

export interface PostgresStoreOptions {
  /** Addresses of the server (`postgres://user:password@host:port/database?sslmode=…`); the first that takes writes is used. */
  readonly urls: readonly string[]
  /** The data folder: segments and search databases lie in `mailboxes/<name>` below it. */
  readonly folder: string
  /** Names of the mailbox databases, each a schema of the server; missing ones are made. */
  readonly databases: readonly string[]
  readonly patienceMs?: number
  readonly clock?: Clock
  readonly log?: Logger
  readonly meter?: Meter
  /** Size at which a segment is closed. */
  readonly segmentBytes?: number
  readonly maxOriginalBytes?: number
  /** The bucket where originals go; undefined: the data folder. */
  readonly objects?: ObjectStore
  /** File calls of the segments; for fault injection. */
  readonly files?: Files
  /** Schema steps; for tests of upgrades. */
  readonly upgrades?: readonly Upgrade[]
}

const databaseName = /^[a-z0-9][a-z0-9_-]{0,49}$/

/** The mailbox service over schemas of a PostgreSQL server. It never waits for the server on its thread. */
export class PostgresStore implements MailboxService {
  readonly #urls: readonly string[]
  readonly #objects: ObjectStore | undefined
  readonly #databases: ReadonlyMap<string, PostgresDatabase>
  readonly #mailboxes = new Map<MailboxId, PostgresDatabase>()
  /** Wipes under way: the id is free again when they are done. */
  readonly #wiping = new Map<MailboxId, Promise<void>>()
  readonly #hints: Hints
  readonly #log: Logger
  readonly #engine: SearchEngine
  readonly #housekeeping: Housekeeping[] = []
  #closed = false

  private constructor(
    options: PostgresStoreOptions,
    databases: ReadonlyMap<string, PostgresDatabase>,
    { hints, clock, log }: { hints: Hints; clock: Clock; log: Logger },
  ) {
    this.#urls = options.urls
    this.#objects = options.objects
    this.#databases = databases
    this.#hints = hints
    this.#log = log
    this.#engine = new SearchEngine({
      databases: [...databases.values()].map(({ name, folder, schema }) => ({
        name,
        path: '',
        server: this.#server({ name, schema }),
        segments: join(folder, 'segments'),
        index: join(folder, 'search.sqlite'),
      })),
      log,
      onProgress: (name, { dead }) => databases.get(name)?.forgetDead(dead),
    })
    for (const database of databases.values()) {
      const housekeeping = new Housekeeping(database, clock, log)
      housekeeping.start()
      this.#housekeeping.push(housekeeping)
      database.committer.onCommit = (calls) => this.#engine.committed(calls)
    }
  }

  /** Opens (or makes) all databases. Rejects with `unavailable` or `corrupt`, and then nothing stays open. */
  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const { urls, databases: names, clock = systemClock, log = silentLog, meter = noMeter } = options
    const {
      files,
      segmentBytes,
      upgrades,
      objects,
      maxOriginalBytes = MAX_ORIGINAL_BYTES,
      patienceMs = PATIENCE_MS,
    } = options
    const hints = new Hints(log)
    const databases = new Map<string, PostgresDatabase>()
    try {
      for (const name of names) {
        if (!databaseName.test(name)) throw new DomainError('invalid', `database name ${JSON.stringify(name)}`)
        const folder = join(options.folder, 'mailboxes', name)
        mkdirSync(folder, { recursive: true })
        const database = await PostgresDatabase.open({
          urls,
          folder,
          name,
          clock,
          log,
          meter,
          hints,
          patienceMs,
          maxOriginalBytes,
          ...(files === undefined ? {} : { files }),
          ...(segmentBytes === undefined ? {} : { segmentBytes }),
          ...(objects === undefined
            ? {}
            : {
                objects: {
                  ...objects,
                  objects: bucketOf(objects, name),
                  cache: join(folder, 'cache'),
                  cacheBytes: Math.floor(objects.cacheBytes / names.length),
                },
              }),
          ...(upgrades === undefined ? {} : { upgrades }),
        })
        databases.set(name, database)
      }
      const store = new PostgresStore(options, databases, { hints, clock, log })
      await store.#load()
      return store
    } catch (error) {
      for (const database of databases.values()) await database.close()
      throw asDomainError(error)
    }
  }

  async #load(): Promise<void> {
    for (const database of this.#databases.values()) {
      for (const { id, dying } of await database.mailboxes()) {
        if (dying) this.#wipe(database, id)
        else this.#mailboxes.set(id, database)
      }
      if (this.#engine.position(database.name) < (await database.lastItem())) this.#engine.committed(0)
    }
  }

  /** A database for threads that read it beside its owner. */
  #server({ name, schema }: { readonly name: string; readonly schema: string }): ServerDatabase {
    const objects = this.#objects === undefined ? {} : { objects: bucketOf(this.#objects, name) }
    return { urls: this.#urls, schema, ...objects }
  }

  #wipe(database: PostgresDatabase, id: MailboxId): Promise<void> {
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

  #open(): readonly PostgresDatabase[] {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
    return [...this.#databases.values()]
  }

  #home(id: MailboxId): PostgresDatabase {
    this.#open()
    const database = this.#mailboxes.get(id)
    if (database === undefined) throw new DomainError('mailboxNotFound', `mailbox ${id}`)
    return database
  }

  async create(id: MailboxId, init: MailboxInit): Promise<void> {
    this.#open()
    if (this.#mailboxes.has(id)) return
    await this.#wiping.get(id)?.catch(() => undefined)
    const database = this.#databases.get(init.database)
    if (database === undefined) throw new DomainError('invalid', `no database ${JSON.stringify(init.database)}`)
    await database.create(id, init)
    this.#mailboxes.set(id, database)
  }

  async destroy(id: MailboxId): Promise<void> {
    const database = this.#home(id)
    const { change } = await database.info(id)
    this.#mailboxes.delete(id)
    const wiping = this.#wipe(database, id)
    this.#hints.send(id, change, new Map())
    await wiping
  }

  async info(id: MailboxId): Promise<MailboxInfo> {
    return this.#home(id).info(id)
  }

  async apply(id: MailboxId, operations: readonly Operation[]): Promise<ApplyResult> {
    return this.#home(id).apply(id, operations)
  }

  async stage(id: MailboxId, bytes: Uint8Array): Promise<BlobRef> {
    return this.#home(id).stage(id, bytes)
  }

  async folders(id: MailboxId): Promise<readonly Folder[]> {
    return this.#home(id).folders(id)
  }

  async permissions(id: MailboxId): Promise<readonly Permission[]> {
    return this.#home(id).permissions(id)
  }

  async scan<C extends ScanColumn>(id: MailboxId, request: ScanRequest<C>): Promise<Packed<C>> {
    const database = this.#home(id)
    return database.read(id, (mailbox) => scan(database.connection, mailbox, request))
  }

  async get(id: MailboxId, request: GetRequest): Promise<readonly Item[]> {
    const database = this.#home(id)
    const { connection, originals } = database
    return database.read(id, (mailbox) => get({ connection, mailbox, originals }, request))
  }

  async blob(id: MailboxId, ref: BlobRef, start?: number, end?: number): Promise<Uint8Array> {
    return this.#home(id).blob(id, ref, start, end)
  }

  originals(id: MailboxId, request: OriginalsRequest): Promise<FolderOriginals> {
    return originalsOf(this, id, request)
  }

  async changes(id: MailboxId, request: ChangesRequest): Promise<Changes> {
    const database = this.#home(id)
    return database.read(id, (mailbox) => changes(database.connection, mailbox, request))
  }

  async subscribe(id: MailboxId, listener: (hint: Hint) => void): Promise<Subscription> {
    this.#home(id)
    return this.#hints.subscribe(id, listener)
  }

  /** Answered by the searching thread, which reads the server on a connection of its own. */
  async search(id: MailboxId, request: SearchRequest): Promise<SearchResult> {
    const database = this.#home(id)
    checkRequest(request)
    return this.#engine.search(database.name, id, request)
  }

  async ready(id: MailboxId, request: ReadyRequest): Promise<readonly ReadyBlock[]> {
    const database = this.#home(id)
    return database.read(id, (mailbox) => ready(database.connection, mailbox, request))
  }

  async state(id: MailboxId, client: string, keyPrefix = ''): Promise<readonly StateEntry[]> {
    return this.#home(id).states(id, client, keyPrefix)
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

  /** Nothing moves between databases of this driver. */
  async relocate(): Promise<never> {
    throw new DomainError('invalid', 'mailboxes of this store do not move')
  }

  /** Whether each database still writes, and whether its server answers. */
  health(): readonly DatabaseHealth[] {
    return [...this.#databases.values()].map(({ name, committer, trouble }) => ({
      database: name,
      stopped: committer.stopped?.message,
      away: trouble,
      diskFull: false,
      waiting: committer.waiting,
    }))
  }

  /** Drops all tombstones of a mailbox, as age does: cursors from before must start over. */
  async forgetTombstones(id: MailboxId): Promise<void> {
    await forget(this.#home(id), id, Number.POSITIVE_INFINITY)
  }

  /** Reads all databases from end to end, each on a thread of its own, and says what does not fit. Changes nothing. */
  async check({ originals = true }: { readonly originals?: boolean } = {}): Promise<readonly CheckReport[]> {
    const reports: CheckReport[] = []
    for (const { name, folder, schema } of this.#open()) {
      const server = this.#server({ name, schema })
      reports.push(await checkDatabase({ name, path: '', server, segments: join(folder, 'segments'), originals }))
    }
    return reports
  }

  /** Does now what is otherwise done every minute, and takes all originals to their segments. */
  async keepHouse(): Promise<void> {
    const databases = this.#open()
    for (const one of this.#housekeeping) await one.round()
    for (const { packer } of databases) await packer.drain()
  }

  /** Waits for what is under way, then closes all connections. From now on every call rejects with `unavailable`. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const one of this.#housekeeping) await one.close()
    await Promise.allSettled(this.#wiping.values())
    await this.#engine.close()
    for (const database of this.#databases.values()) await database.close()
    this.#hints.close()
  }
}
