import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ApplyResult,
  type BlobRef,
  type ChangeNumber,
  type Clock,
  DomainError,
  type Folder,
  isDomainError,
  type Logger,
  MAX_BLOB_CHUNK,
  type MailboxId,
  type MailboxInfo,
  type MailboxInit,
  type Meter,
  type Operation,
  type OperationResult,
  type OriginalSource,
  type Permission,
  type StateEntry,
} from '@postrider/domain'
import {
  FIRST_REMOTE,
  type Files,
  FolderStore,
  type ObjectStoreOptions,
  type Place,
  realFiles,
  type SegmentRow,
  S3Store,
  type SegmentStore,
  SegmentWriter,
} from '../blobs/index.ts'
import { applyNext, checkLimits, newBytes } from '../engine/apply/index.ts'
import type { Context } from '../engine/apply/context.ts'
import { Books } from '../engine/books.ts'
import type { Call } from '../engine/call.ts'
import type { Hints } from '../engine/hints.ts'
import type { Journal } from '../engine/journal.ts'
import { lockFolder } from '../sqlite/lock.ts'
import type { MailboxState } from '../engine/mailbox-state.ts'
import { newMailbox } from '../engine/new-mailbox.ts'
import type { OwnedDatabase } from '../engine/owned.ts'
import { folderRow } from '../engine/rows.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import type { Upgrade } from '../engine/upgrades.ts'
import { Committer, type WriteCall } from './committer.ts'
import { StagedOriginals } from './originals.ts'
import { Outage } from './link.ts'
import { Ownership } from './owner.ts'
import { Packer } from './packer.ts'
import { Reader } from './reader.ts'
import { Replay } from './replay.ts'
import { databaseNumber, schemaOf } from './schema.ts'
import { stagedSql } from './staged.ts'
import { Turns } from './turns.ts'

export interface DatabaseOptions {
  /** Addresses of the server, the primary among them. */
  readonly urls: readonly string[]
  /** Where its segments and its search database lie. */
  readonly folder: string
  readonly name: string
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  readonly hints: Hints
  readonly patienceMs: number
  readonly maxOriginalBytes: number
  readonly files?: Files
  readonly segmentBytes?: number
  /** Where segments go; undefined: the folder. */
  readonly objects?: ObjectStoreOptions
  readonly upgrades?: readonly Upgrade[]
}

/** How often a blob that is just moving to its segment is looked for. */
const MAX_LOOKS = 3
/** `k >= ?` finds the place in the index, the rest keeps what has the prefix. */
const statesSql = `SELECT k, value FROM state WHERE mbx = ? AND client = ? AND k >= ? AND starts_with(k, ?) ORDER BY k`

/** What a database is made of once it is open. */
interface Parts {
  readonly owner: Ownership
  readonly reader: Reader
  readonly statements: Replay
  readonly books: Books
  readonly segments: SegmentStore
  readonly number: number
  readonly lock: { release(): void }
}

/** Throws `corrupt` or `unavailable`. */
function openSegments(options: DatabaseOptions, rows: readonly SegmentRow[], epoch: number): SegmentStore {
  const { log, files = realFiles, segmentBytes, objects } = options
  const folder = join(options.folder, 'segments')
  if (objects !== undefined) {
    mkdirSync(folder, { recursive: true })
    return new S3Store({ ...objects, epoch, folder, log, files })
  }
  if (rows.some(({ segment }) => segment >= FIRST_REMOTE))
    throw new DomainError('unavailable', 'originals are in an object store, and the configuration names none')
  const limit = segmentBytes === undefined ? {} : { limit: segmentBytes }
  return new FolderStore(SegmentWriter.open(folder, rows, { files, log, ...limit }), folder, files)
}

/** One mailbox database: a schema of the server, its segments, its one writer. Everything here runs on one thread. */
export class PostgresDatabase implements OwnedDatabase {
  readonly name: string
  readonly number: number
  readonly folder: string
  readonly schema: string
  readonly connection: Replay
  readonly books: Books
  readonly originals: StagedOriginals
  readonly committer: Committer
  readonly segments: SegmentStore
  readonly packer: Packer
  readonly reader: Reader
  readonly #owner: Ownership
  readonly #turns = new Turns()
  readonly #hints: Hints
  readonly #lock: { release(): void }
  readonly #log: Logger
  #forgotten = 0
  #closed = false

  private constructor(options: DatabaseOptions, parts: Parts) {
    const { clock, log, meter, name, patienceMs } = options
    const { owner, reader, statements, books, segments, number } = parts
    this.name = name
    this.number = number
    this.folder = options.folder
    this.schema = schemaOf(name)
    this.connection = statements
    this.books = books
    this.reader = reader
    this.#owner = owner
    this.segments = segments
    this.#hints = options.hints
    this.#lock = parts.lock
    this.#log = log
    this.originals = new StagedOriginals({
      statements,
      books,
      number,
      clock,
      maxBytes: options.maxOriginalBytes,
    })
    const { originals } = this
    const turns = this.#turns
    const shared = { statements, owner, reader, books, originals, segments, turns, clock, log, meter, patienceMs, name }
    this.committer = new Committer(shared)
    this.packer = new Packer(this, log)
  }

  /** Rejects with `unavailable` (no server, or another owner) or `corrupt`; then nothing stays open. */
  static async open(options: DatabaseOptions): Promise<PostgresDatabase> {
    const { urls, folder, name, log, clock, patienceMs, upgrades } = options
    const schema = schemaOf(name)
    const statements = new Replay()
    const server = { urls, schema, searchPath: `"${schema}"`, patienceMs, outage: new Outage(), log }
    const owner = new Ownership({ ...server, now: clock.now(), ...(upgrades === undefined ? {} : { upgrades }) })
    const reader = new Reader({ ...server, statements })
    const lock = lockFolder(join(folder, 'owner.lock'))
    try {
      const number = await databaseNumber(await owner.session(), name)
      const books = await reader.unit(() => new Books(statements))
      const segments = openSegments(options, books.segments(), owner.epoch)
      const database = new PostgresDatabase(options, { owner, reader, statements, books, segments, number, lock })
      await database.packer.resume()
      if (segments instanceof S3Store) {
        const known = new Set(books.segments().map(({ segment }) => segment))
        const settings = await reader.unit(
          () => new Map(statements.all(read.settings).map(([key, value]) => [key, value])),
        )
        segments
          .sweep(known, Number(settings.get('firstEpoch') ?? 0))
          .catch((error: unknown) => log.warn({ error: String(error) }, 'objects without a row stay'))
      }
      return database
    } catch (error) {
      owner.close()
      reader.close()
      lock.release()
      throw error
    }
  }

  /** Mailboxes that live here; the dying ones are still to be wiped. */
  async mailboxes(): Promise<readonly { readonly id: MailboxId; readonly dying: boolean }[]> {
    const rows = await this.reader.unit(() => this.connection.all(read.mailboxes))
    return rows.map(([id, state]) => ({ id: id as MailboxId, dying: state === 'dying' }))
  }

  /** The newest item row: how far the search index has to come. */
  async lastItem(): Promise<number> {
    const row = await this.reader.unit(() => this.connection.get(read.lastItem))
    return (row?.[0] as number | null) ?? 0
  }

  /** Why the server cannot be reached, if so. */
  get trouble(): string | undefined {
    return this.#owner.trouble
  }

  /** Throws `unavailable` after `close`, `moved` when somebody else is the owner. */
  usable(): void {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
    if (this.committer.stopped !== undefined) throw this.committer.stopped
  }

  state(id: MailboxId): MailboxState {
    const mailbox = this.books.mailbox(id)
    if (mailbox === undefined) throw new DomainError('mailboxNotFound', `mailbox ${id}`)
    return mailbox
  }

  /** Runs a unit of work that reads one mailbox, while nobody writes it. */
  async read<T>(id: MailboxId, work: (mailbox: MailboxState) => T): Promise<T> {
    this.usable()
    return this.#turns.read(id, () => this.reader.unit(() => work(this.state(id))))
  }

  async write<T>(call: WriteCall<T>): Promise<T> {
    this.usable()
    return this.committer.submit(call)
  }

  submit<T>(call: Call<T>): Promise<T> {
    const { mailbox, bytes, committed } = call
    return this.write({
      bytes,
      ...(mailbox === undefined ? {} : { mailbox }),
      ...(committed === undefined ? {} : { committed: committed.bind(call) }),
      run: (unit) => unit.do(() => call.run(unit.journal, unit.now)),
    })
  }

  create(id: MailboxId, init: MailboxInit): Promise<void> {
    return this.submit({
      mailbox: id,
      bytes: 0,
      freeing: false,
      namesBytes: false,
      run: (journal, now) => newMailbox(this, journal, { id, init, now }),
    })
  }

  async apply(id: MailboxId, operations: readonly Operation[]): Promise<ApplyResult> {
    checkLimits(operations)
    const places = new Map<OriginalSource, Place>()
    const sources = operations.flatMap((operation) => newBytes(operation) ?? [])
    const { connection, books, originals, number: database } = this
    return this.write({
      mailbox: id,
      bytes: sources.reduce((sum, { bytes }) => sum + bytes.length, 0),
      append: (to, busy) => {
        for (const source of sources) if (!places.has(source)) places.set(source, to.append(source.bytes, busy))
      },
      run: async ({ journal, now, do: run }) => {
        const results: OperationResult[] = []
        const mailbox = await run(() => this.state(id))
        const bytes = { places, named: new Set<OriginalSource>() }
        const context: Context = { connection, books, originals, mailbox, journal, now, database, ...bytes, results }
        for (const operation of operations) results.push(await run(() => applyNext(context, operation)))
        return { change: mailbox.row.change as ChangeNumber, results }
      },
      committed: (journal) => {
        this.packer.grew(originals.namedBy(journal))
        this.#announce(id, journal)
      },
    })
  }

  #announce(id: MailboxId, journal: Journal): void {
    if (journal.touched.size > 0) {
      // The mailbox was written just now, so it is kept; if not, the hint is one that says nothing but `look`.
      const change = this.books.kept(id)?.row.change ?? 0
      this.#hints.send(id, change as ChangeNumber, journal.touched)
    }
    if (journal.queueMoved) this.#hints.sendQueue()
  }

  async stage(id: MailboxId, bytes: Uint8Array): Promise<BlobRef> {
    await this.read(id, () => undefined)
    let place: Place | undefined
    return this.write({
      bytes: bytes.length,
      append: (to, busy) => {
        place = to.append(bytes, busy)
      },
      run: ({ journal, do: run }) =>
        run(() => {
          this.originals.keep(journal, place as Place)
          return this.originals.refOf(place as Place)
        }),
    })
  }

  async info(id: MailboxId): Promise<MailboxInfo> {
    const { guid, change, lowest, hierarchy, usedBytes, quota, items, epoch } = await this.read(id, ({ row }) => row)
    return {
      database: this.name,
      guid,
      change: change as ChangeNumber,
      lowestChange: lowest as ChangeNumber,
      hierarchy: hierarchy as ChangeNumber,
      usedBytes,
      quota: quota ?? undefined,
      items,
      epoch,
    }
  }

  folders(id: MailboxId): Promise<readonly Folder[]> {
    return this.read(id, () => this.connection.all(read.folders, id).map(folderRow))
  }

  permissions(id: MailboxId): Promise<readonly Permission[]> {
    return this.read(id, () =>
      this.connection
        .all(read.permissions, id)
        .map(([folder, member, rights]) => ({ folder, member, rights }) as Permission),
    )
  }

  async blob(id: MailboxId, ref: BlobRef, start = 0, end = Number.MAX_SAFE_INTEGER): Promise<Uint8Array> {
    if (!(start >= 0) || !(end >= start)) throw new DomainError('invalid', `bytes ${start} to ${end}`)
    const until = Math.min(end, start + MAX_BLOB_CHUNK)
    for (let look = 1; ; look++) {
      try {
        const found = await this.read(id, () => this.originals.look(ref, start, until))
        return found instanceof Uint8Array ? found : await this.segments.read(found, start, until)
      } catch (error) {
        const moving = isDomainError(error, 'blobGone') || isDomainError(error, 'corrupt')
        if (!moving || look >= MAX_LOOKS) throw error
      }
    }
  }

  async states(id: MailboxId, client: string, keyPrefix: string): Promise<readonly StateEntry[]> {
    const rows = await this.read(id, () => this.connection.all(statesSql, id, client, keyPrefix, keyPrefix))
    return rows.map(([key, value]) => ({ key: key as string, value: value as Uint8Array }))
  }

  /** Drops what was staged for deliveries that never came. */
  async collect(): Promise<void> {
    const oldest = this.originals.collect()
    await this.write({ bytes: 0, run: (unit) => unit.do(() => this.connection.run(stagedSql.unnamed, oldest)) })
  }

  /** The search index has forgotten the item rows that went, up to this one. */
  forgetDead(dead: number): void {
    if (this.#closed || dead <= this.#forgotten) return
    this.#forgotten = dead
    this.write({ bytes: 0, run: (unit) => unit.do(() => this.connection.run(write.removeDead, dead)) }).catch(
      (error: unknown) => this.#log.warn({ error: String(error) }, 'dead rows stay until the next time'),
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.packer.close()
    await this.committer.idle()
    this.#closed = true
    this.committer.stop(new DomainError('unavailable', 'the store is closed'))
    this.#owner.close()
    this.reader.close()
    this.segments.close()
    this.#lock.release()
  }
}
