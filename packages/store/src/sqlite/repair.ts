import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DomainError, Flag } from '@postrider/domain'
import { BlobReader, type RecordHead, realFiles, segmentPath } from '../blobs/index.ts'
import { check as sql } from '../engine/sql/check.ts'
import { read } from '../engine/sql/read.ts'
import { repair as write } from '../engine/sql/repair.ts'
import { write as forget } from '../engine/sql/write.ts'
import { Connection, isSqliteCorrupt } from './connection.ts'
import { lockFolder } from './lock.ts'
import { copyLog, PageReader, redoPath, setLogAside, sumAnew, sumsFit } from './page-sums.ts'
import { carryOut, readRedo, recoverFolder } from './redo.ts'
import { damageOfIndex, namesOfPages, placesOfBlobs, uidsOfBlock } from './whereabouts.ts'

/** What `store repair` did with one database, or would do. */
export interface RepairReport {
  readonly database: string
  /** What was made again from what is sound, one sentence each. */
  readonly repaired: readonly string[]
  /** What is gone or cannot be vouched for, by mailbox, folder and UID where that is known. */
  readonly lost: readonly string[]
}

interface Where {
  readonly name: string
  /** Folder of the database: nobody else has it open. */
  readonly folder: string
  readonly now: number
}

type Sentence = string
const PAGES = 256
const BLOBS = 1_000

/**
 * Makes one mailbox database sound again, in one transaction, from what it still has: indexes from tables, counters from rows, rows of
 * originals from the segments, places from items. What cannot be made again is named and stays as it is: reading it says `corrupt`. With `apply`
 * false everything is tried and taken back. The segments are only read.
 */
class Repairer {
  readonly #where: Where
  readonly #apply: boolean
  readonly #connection: Connection
  readonly #path: string
  readonly #segments: string
  readonly #repaired: Sentence[] = []
  readonly #lost: Sentence[] = []
  readonly #lock: { release(): void }

  constructor(where: Where, apply: boolean) {
    this.#where = where
    this.#apply = apply
    this.#path = join(where.folder, 'mailbox.sqlite')
    this.#segments = join(where.folder, 'segments')
    if (!existsSync(this.#path)) throw new DomainError('unavailable', `${this.#path} is not there`)
    this.#lock = lockFolder(join(where.folder, 'owner.lock'))
    this.#connection = new Connection(this.#path)
  }

  async run(): Promise<RepairReport> {
    const summed = sumsFit(this.#path)
    let rebuilt = false
    try {
      let redone = this.#apply && this.#redo()
      if (this.#apply) copyLog(this.#connection, 'TRUNCATE')
      const damaged = summed ? await this.#damagedPages() : []
      this.#connection.execute('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE')
      try {
        if (!this.#apply) this.#step('redo log', () => this.#tryRedo())
        this.#indexes(damaged)
        this.#step('items without a place', () => this.#places())
        this.#step('ready answers', () => this.#ready())
        this.#step('places without an item', () => this.#emptyPlaces())
        this.#step('rows of originals', () => this.#blobs())
        this.#step('segments', () => this.#segmentRows())
        this.#step('counters', () => this.#counters())
        this.#step('originals', () => this.#originals())
        this.#connection.execute(this.#apply ? 'COMMIT' : 'ROLLBACK')
      } catch (error) {
        if (this.#connection.database.isTransaction) this.#connection.execute('ROLLBACK')
        throw error
      }
      if (this.#apply && !redone) redone = this.#redo()
      if (this.#apply && !redone) {
        const kept = setLogAside(this.#path, this.#where.now, redoPath(this.#path))
        this.#lost.push(`what was done last could not be done again: it is kept as ${kept}`)
      }
      rebuilt = damaged.length > 0
      this.#search()
      if (this.#apply) {
        copyLog(this.#connection, 'TRUNCATE')
        const [[bytes]] = this.#connection.pragma('page_size') as unknown as [[number]]
        if (rebuilt || !summed) sumAnew(this.#path, bytes)
      }
    } catch (error) {
      if (!isSqliteCorrupt(error)) throw error
      this.#lost.push(`the database file cannot be read (${String(error)}): restore it from a backup`)
    } finally {
      this.#connection.close()
      this.#lock.release()
    }
    return { database: this.#where.name, repaired: this.#repaired, lost: this.#lost }
  }

  /** Answered changes that only the redo log has come first. False when damage is in the way: they are tried again behind the repair. */
  #redo(): boolean {
    try {
      const frames = recoverFolder(this.#connection, this.#path, realFiles, (lost) => {
        const kept = setLogAside(this.#path, this.#where.now, redoPath(this.#path))
        this.#lost.push(`the redo log is damaged: ${lost} batches of changes are lost, and kept as ${kept}`)
      })
      if (frames > 0) this.#repaired.push(`${frames} batches of changes came from the redo log`)
      return true
    } catch (error) {
      if (!isSqliteCorrupt(error)) throw error
      return false
    }
  }

  #tryRedo(): void {
    const log = readRedo(this.#path)
    const { frames } = log === undefined ? { frames: 0 } : carryOut(this.#connection, log, () => {})
    if (frames > 0) this.#repaired.push(`${frames} batches of changes came from the redo log`)
  }

  /** A step over a table that cannot be read is left; the others go on. */
  #step(name: string, step: () => void): void {
    this.#connection.execute('SAVEPOINT step')
    try {
      step()
    } catch (error) {
      if (!isSqliteCorrupt(error)) throw error
      this.#connection.execute('ROLLBACK TO step')
      this.#lost.push(`${name}: a table is damaged: restore this database from a backup`)
    }
    this.#connection.execute('RELEASE step')
  }

  async #damagedPages(): Promise<readonly number[]> {
    const reader = new PageReader(this.#path)
    const damaged: number[] = []
    try {
      for (let page = 1; page <= reader.pages; page += PAGES) damaged.push(...(await reader.damaged(page, PAGES)))
    } finally {
      reader.close()
    }
    return damaged
  }

  /** Indexes are made anew when one is in doubt; pages of tables that rotted are named. */
  #indexes(damaged: readonly number[]): void {
    const indexes = new Set(
      this.#connection
        .all(`SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`)
        .map(([name]) => name),
    )
    const names = namesOfPages(this.#connection, damaged)
    let doubt = false
    for (const page of damaged) {
      const name = names.get(page)
      if (name === undefined) doubt = true
      else if (indexes.has(name.split(' ')[0] as string)) doubt = true
      else
        this.#lost.push(
          `page ${page} of ${name}: what stands there may have changed: restore from a backup, or look through it`,
        )
    }
    for (const [line] of this.#connection.pragma('integrity_check(1000)')) {
      if (line === 'ok') continue
      if (/index/.test(String(line))) doubt = true
      else this.#lost.push(`database file: ${line}`)
    }
    if (!doubt) return
    try {
      this.#connection.execute('REINDEX')
      this.#repaired.push('all indexes were made anew')
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#lost.push(`the indexes cannot be made anew: ${error.message}`)
    }
  }

  /** An item whose narrow row went comes back where it was: unread, since its flags went too. */
  #places(): void {
    const rows = this.#connection.all(write.itemsWithoutPlace)
    for (const [item, mailbox, mid, itemId, folder, uid, size, received] of rows) {
      const [change] = this.#connection.get(write.nextChange, mailbox as number) as readonly [number]
      this.#connection.run(
        write.place,
        ...([mailbox, folder, uid, mid, itemId, item, change, change, change, change] as number[]),
        size as number,
        (received as number | null) ?? this.#where.now,
      )
      this.#repaired.push(`mailbox ${mailbox} folder ${folder} UID ${uid}: has its place again, its flags are lost`)
    }
    for (const [mailbox, folder] of this.#connection.all(write.missingFolders)) {
      const [change] = this.#connection.get(write.nextChange, mailbox as number) as readonly [number]
      const name = `Recovered ${folder}`
      const validity = Math.floor(this.#where.now / 1_000)
      this.#connection.run(
        write.folder,
        ...([mailbox, folder] as number[]),
        name,
        name.toLowerCase(),
        change,
        change,
        validity,
      )
      this.#repaired.push(`mailbox ${mailbox} folder ${folder}: is there again as ${name}`)
    }
    for (const [mailbox, folder] of this.#connection.all(write.foldersWithoutCounters)) {
      this.#connection.run(write.folderCounters, folder as number, mailbox as number)
      this.#repaired.push(`mailbox ${mailbox} folder ${folder}: has its counters again`)
    }
  }

  /** A place whose item went is taken away, with a tombstone, so that clients hear of it. */
  #emptyPlaces(): void {
    for (const [mailbox, folder, uid, mid, itemId] of this.#connection.all(write.placesWithoutItem)) {
      const [change] = this.#connection.get(write.nextChange, mailbox as number) as readonly [number]
      this.#connection.run(write.removePlace, mailbox as number, folder as number, uid as number)
      this.#connection.run(
        write.tombstone,
        ...([mailbox, change, folder, uid, mid, itemId] as number[]),
        this.#where.now,
      )
      this.#lost.push(`mailbox ${mailbox} folder ${folder} UID ${uid}: nothing of it is left`)
    }
  }

  /** Ready answers of mails that are gone, or will be with their place. A database that was not opened since version 3 has none. */
  #ready(): void {
    if (this.#connection.get(`SELECT 1 FROM sqlite_master WHERE name = 'ready'`) === undefined) return
    for (const [mailbox, folder, block] of this.#connection.all(sql.staleReady, Number.MAX_SAFE_INTEGER)) {
      this.#connection.run(forget.removeReady, ...([mailbox, folder, block, block] as number[]))
      this.#repaired.push(
        `mailbox ${mailbox} folder ${folder} ${uidsOfBlock(block as number)}: ready answers were removed, of mails that are gone`,
      )
    }
  }

  /** Rows of originals: made again from the records in the segments, counted again, and those that nothing names go. */
  #blobs(): void {
    const counted = new Map<number, number>()
    const count = (blob: number): void => void counted.set(blob, (counted.get(blob) ?? 0) + 1)
    for (const [blob] of this.#connection.iterate(sql.named)) count(blob as number)
    for (const [extra] of this.#connection.iterate(sql.extra)) {
      for (const blob of JSON.parse(extra as string) as number[]) count(blob)
    }
    const wrong: [number, number][] = []
    for (const [blob, refs] of this.#connection.iterate(sql.blobRefs)) {
      const named = counted.get(blob as number) ?? 0
      counted.delete(blob as number)
      if (named !== refs) wrong.push([blob as number, named])
    }
    for (const [blob, named] of wrong)
      this.#connection.run(named === 0 ? write.dropBlob : write.countBlob, ...(named === 0 ? [blob] : [named, blob]))
    if (wrong.length > 0) this.#repaired.push(`originals: ${wrong.length} were counted again`)
    if (counted.size > 0) this.#findBlobs(counted)
  }

  #findBlobs(missing: Map<number, number>): void {
    for (const segment of this.#files()) {
      for (const { at, head } of this.#records(segment)) {
        const refs = missing.get(head.id)
        if (refs === undefined) continue
        missing.delete(head.id)
        this.#connection.run(write.blob, head.id, segment, at, head.stored, head.size, head.crc, refs)
        this.#repaired.push(`blob ${head.id}: found in segment ${segment}`)
      }
    }
    const places = placesOfBlobs(this.#connection, new Set(missing.keys()))
    for (const blob of missing.keys())
      this.#lost.push(`blob ${blob}: ${(places.get(blob) ?? []).join('; ')}: its text is in no segment`)
  }

  *#records(segment: number): Generator<{ readonly at: number; readonly head: RecordHead }> {
    const bytes = readFileSync(segmentPath(this.#segments, segment))
    const reader = new BlobReader(this.#segments, realFiles)
    try {
      for (let at = 0; at >= 0 && at < bytes.length; ) {
        const head = reader.headAt(segment, at)
        if (head !== undefined) yield { at, head }
        // Behind a damaged record nobody knows where the next one begins: it is looked for.
        at = head === undefined ? bytes.indexOf('PRB1', at + 1, 'latin1') : at + head.stored
      }
    } finally {
      reader.close()
    }
  }

  #files(): number[] {
    if (!existsSync(this.#segments)) return []
    return readdirSync(this.#segments).flatMap((name) => {
      const number = /^(\d+)\.seg$/.exec(name)?.[1]
      return number === undefined ? [] : [Number(number)]
    })
  }

  #segmentRows(): void {
    const files = new Set(this.#files())
    const kept = new Map(
      this.#connection.all(read.segments).map(([segment, ...row]) => [segment as number, row as number[]]),
    )
    const used = new Map(
      this.#connection
        .all(sql.segmentUse)
        .map(([segment, live, end]) => [segment as number, [live, end] as [number, number]]),
    )
    for (const segment of new Set([...kept.keys(), ...used.keys()])) {
      const [live, end] = used.get(segment) ?? [0, 0]
      const row = kept.get(segment)
      const size = files.has(segment) ? statSync(segmentPath(this.#segments, segment)).size : 0
      if (!files.has(segment)) this.#lost.push(`segment ${segment}: the file is missing`)
      else if (size < Math.max(end, row?.[0] ?? 0))
        this.#lost.push(`segment ${segment}: the end of the file is missing`)
      const bytes = Math.min(Math.max(row?.[0] ?? 0, end), size)
      // Nothing is appended to a segment that lost something.
      const sealed = row === undefined || bytes < Math.max(row[0] ?? 0, end) ? 1 : (row[2] as number)
      if (row !== undefined && row[0] === bytes && row[1] === live && row[2] === sealed) continue
      this.#connection.run(write.segment, segment, bytes, live, sealed)
      this.#repaired.push(`segment ${segment}: counted again`)
    }
  }

  #counters(): void {
    for (const [mailbox, state] of this.#connection.all(read.mailboxes)) {
      if (state !== 'live') continue
      const counted = new Map(
        this.#connection
          .all(sql.folderCounts, Flag.seen, Flag.deleted, Flag.deleted, mailbox as number)
          .map((row) => [row[0] as number, row.slice(1) as number[]]),
      )
      for (const row of this.#connection.all(sql.folderCounters, mailbox as number)) {
        const [folder, content, next, ...kept] = row as number[] as [number, number, number, ...number[]]
        const [top = 0, highest = 0, ...rows] = counted.get(folder) ?? [0, 0, 0, 0, 0, 0, 0]
        if (rows.join() === kept.join() && top <= content && highest < next) continue
        const numbers = [Math.max(top, content), Math.max(highest + 1, next), ...rows]
        this.#connection.run(write.setFolderCounters, ...numbers, folder, mailbox as number)
        this.#repaired.push(`mailbox ${mailbox} folder ${folder}: counted again`)
      }
      this.#mailboxCounters(mailbox as number)
    }
  }

  #mailboxCounters(mailbox: number): void {
    const kept = this.#connection.get(sql.mailboxCounters, mailbox) as unknown as [number, number, number, number]
    const [top, highest, bytes, items] = this.#connection.get(sql.mailboxCounts, mailbox) as unknown as [
      number,
      number,
      number,
      number,
    ]
    const right = [Math.max(kept[0], top), Math.max(kept[1], highest + 1), bytes, items]
    if (right.join() === kept.join()) return
    this.#connection.run(write.setMailboxCounters, ...right, mailbox)
    this.#repaired.push(`mailbox ${mailbox}: counted again`)
  }

  /** Originals that cannot be read are named; nothing makes them again. */
  #originals(): void {
    const reader = new BlobReader(this.#segments, realFiles)
    const lost = new Map<number, string>()
    try {
      for (let after = 0; ; ) {
        const rows = this.#connection.all(sql.blobs, after, BLOBS) as unknown as readonly [
          number,
          number,
          number,
          number,
          number,
          number,
        ][]
        for (const [id, segment, offset, stored, size, crc] of rows) {
          try {
            reader.record({ id, segment, offset, stored, size, crc })
          } catch (error) {
            if (!(error instanceof DomainError)) throw error
            lost.set(id, error.message)
          }
        }
        const last = rows.at(-1)
        if (last === undefined || rows.length < BLOBS) break
        after = last[0]
      }
    } finally {
      reader.close()
    }
    const places = placesOfBlobs(this.#connection, new Set(lost.keys()))
    for (const [blob, wrong] of lost)
      this.#lost.push(`${(places.get(blob) ?? [`blob ${blob}`]).join('; ')}: its text is lost (${wrong})`)
  }

  /** The search database is thrown away; the next start fills it again. */
  #search(): void {
    const path = join(this.#where.folder, 'search.sqlite')
    if (!existsSync(path) || damageOfIndex(path) === undefined) return
    if (this.#apply) for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
    this.#repaired.push('the search database is made anew at the next start')
  }
}

/** Repairs one database nobody has open; with `apply` false only says what it would do. Rejects with `unavailable` when somebody has it. */
export async function repairDatabase(where: Where, apply: boolean): Promise<RepairReport> {
  return new Repairer(where, apply).run()
}
