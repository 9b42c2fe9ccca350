import { existsSync, readdirSync, statSync } from 'node:fs'
import { DomainError, Flag } from '@postrider/domain'
import { BlobReader, FIRST_REMOTE, readStored, segmentFiles, segmentPath } from '../blobs/index.ts'
import { BridgedStatements, type ServerDatabase } from '../postgres/bridge.ts'
import { STAGED, stagedSql } from '../postgres/staged.ts'
import { Connection, isSqliteCorrupt } from './connection.ts'
import { logsSetAside, PageReader } from './page-sums.ts'
import { damageOfIndex, namesOfPages, placesOfBlobs, uidsOfBlock } from './whereabouts.ts'
import type { Row, Statements } from '../engine/statements.ts'
import { unseal, unsealAttachments, unsealBag, unsealRecipients } from '../engine/encode.ts'
import { check as sql } from '../engine/sql/check.ts'
import { read } from '../engine/sql/read.ts'

export type ProblemKind =
  | 'integrity'
  | 'page'
  | 'counters'
  | 'rows'
  | 'column'
  | 'original'
  | 'references'
  | 'ready'
  | 'segment'
  | 'search'
export interface Problem {
  readonly kind: ProblemKind
  readonly detail: string
}
/** What `store check` tells of one database. */
export interface CheckReport {
  readonly database: string
  readonly mailboxes: number
  readonly items: number
  readonly originals: number
  /** Bytes of originals that were read and had the right checksum. */
  readonly verifiedBytes: number
  readonly problems: readonly Problem[]
  /** There were more problems than are listed. */
  readonly more: boolean
}

/** Problems listed in one report. */
export const MAX_PROBLEMS = 1_000
const PAGE = 1_000
const PAGES = 256

export interface CheckOptions {
  readonly name: string
  readonly path: string
  /** The database when it is not a file. */
  readonly server?: ServerDatabase
  readonly segments: string
  /** The search database, if it is to be looked at too. */
  readonly index?: string
  /** Read all originals too: as long as reading the disk takes. */
  readonly originals: boolean
}

/** Reads one database from end to end, on a connection of its own beside the running owner, and says what does not fit. Changes nothing. */
export class Checker {
  readonly #options: CheckOptions
  readonly #file: Connection | undefined
  readonly #connection: Statements & { close(): void }
  readonly #reader: BlobReader
  readonly #problems: Problem[] = []
  #more = false
  #items = 0
  #originals = 0
  #verifiedBytes = 0

  constructor(options: CheckOptions) {
    this.#options = options
    const { server, path } = options
    this.#file = server === undefined ? new Connection(path) : undefined
    this.#file?.pragma('query_only = ON')
    this.#connection = this.#file ?? new BridgedStatements(server as ServerDatabase)
    this.#reader = new BlobReader(options.segments, segmentFiles(server?.objects))
  }

  async run(): Promise<CheckReport> {
    try {
      await this.#step('pages', () => this.#pages())
      // One snapshot for everything that is counted; originals never change, so they need none.
      this.#connection.run(this.#file === undefined ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN')
      await this.#step('integrity', () => this.#integrity())
      let mailboxes = 0
      await this.#step('mailboxes', () => {
        // A dying mailbox is half gone and does not exist any more.
        for (const [mailbox, state] of this.#connection.all(read.mailboxes)) {
          if (state !== 'live') continue
          mailboxes++
          this.#mailbox(mailbox as number)
        }
      })
      await this.#step('items', () => this.#fat())
      await this.#step('ready answers', () => this.#ready())
      await this.#step('references', () => this.#references())
      await this.#step('segments', () => this.#segments())
      this.#connection.run('COMMIT')
      if (this.#options.originals) await this.#step('originals', () => this.#readOriginals())
      await this.#step('search', () => this.#search())
      return {
        database: this.#options.name,
        mailboxes,
        items: this.#items,
        originals: this.#originals,
        verifiedBytes: this.#verifiedBytes,
        problems: this.#problems,
        more: this.#more,
      }
    } finally {
      this.#reader.close()
      this.#connection.close()
    }
  }

  #problem(kind: ProblemKind, detail: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ kind, detail })
    else this.#more = true
  }

  /** One step; a table that SQLite itself cannot read is a problem, and the next step goes on. */
  async #step(name: string, step: () => void | Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (!isSqliteCorrupt(error)) throw error
      this.#problem('integrity', `${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** The pages of the file against their checksums. */
  async #pages(): Promise<void> {
    if (this.#file === undefined) return
    for (const name of logsSetAside(this.#options.path)) {
      this.#problem('integrity', `the log was damaged and is kept as ${name}: what was done last is lost`)
    }
    const reader = new PageReader(this.#options.path)
    const damaged: number[] = []
    try {
      for (let page = 1; page <= reader.pages; page += PAGES) damaged.push(...(await reader.damaged(page, PAGES)))
    } finally {
      reader.close()
    }
    const places = namesOfPages(this.#file, damaged)
    for (const page of damaged) this.#problem('page', `page ${page} of ${places.get(page) ?? 'no table'}`)
  }

  #search(): void {
    const { index } = this.#options
    if (index === undefined || !existsSync(index)) return
    const wrong = damageOfIndex(index)
    if (wrong !== undefined) this.#problem('search', `search database: ${wrong}`)
  }

  /** Runs a test; what it throws as `corrupt` is a problem. */
  #sound(kind: ProblemKind, where: string, test: () => void): void {
    try {
      test()
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      this.#problem(kind, `${where}: ${error.message}`)
    }
  }

  #integrity(): void {
    // A server checks its own pages.
    for (const [line] of this.#file?.pragma(`integrity_check(${MAX_PROBLEMS})`) ?? []) {
      if (line !== 'ok') this.#problem('integrity', String(line))
    }
  }

  /** Counters of mailbox and folders against their rows. */
  #mailbox(mailbox: number): void {
    const counted = new Map(
      this.#connection
        .all(sql.folderCounts, Flag.seen, Flag.deleted, Flag.deleted, mailbox)
        .map((row) => [row[0] as number, row.slice(1) as number[]]),
    )
    const none = [0, 0, 0, 0, 0, 0, 0]
    for (const row of this.#connection.all(sql.folderCounters, mailbox)) {
      const [folder, content, next, ...kept] = row as number[] as [number, number, number, ...number[]]
      const [top = 0, highest = 0, ...rows] = counted.get(folder) ?? none
      counted.delete(folder)
      const where = `mailbox ${mailbox} folder ${folder}`
      if (rows.join() !== kept.join())
        this.#problem('counters', `${where}: kept ${kept.join()}, counted ${rows.join()}`)
      if (highest >= next) this.#problem('counters', `${where}: UID ${highest} and UIDNEXT ${next}`)
      if (top > content) this.#problem('counters', `${where}: change ${top} and content change ${content}`)
    }
    for (const folder of counted.keys())
      this.#problem('rows', `mailbox ${mailbox}: rows of folder ${folder}, which is not`)
    const [chg, nextId, used, items] = this.#connection.get(sql.mailboxCounters, mailbox) as unknown as [
      number,
      number,
      number,
      number,
    ]
    const [top, highest, bytes, count] = this.#connection.get(sql.mailboxCounts, mailbox) as unknown as [
      number,
      number,
      number,
      number,
    ]
    if (used !== bytes || items !== count) {
      this.#problem('counters', `mailbox ${mailbox}: kept ${items} items ${used} bytes, counted ${count} and ${bytes}`)
    }
    if (top > chg) this.#problem('counters', `mailbox ${mailbox}: change ${top} is beyond the counter ${chg}`)
    if (highest >= nextId)
      this.#problem('counters', `mailbox ${mailbox}: id ${highest} is beyond the counter ${nextId}`)
    this.#items += count
  }

  /** Narrow and fat rows belong together, and every column is what was written. */
  #fat(): void {
    for (const [mailbox, mid] of this.#connection.all(sql.lonelyMsgs, MAX_PROBLEMS)) {
      this.#problem('rows', `mailbox ${mailbox} mid ${mid}: no item row`)
    }
    for (const [mailbox, mid] of this.#connection.all(sql.lonelyItems, MAX_PROBLEMS)) {
      this.#problem('rows', `mailbox ${mailbox} mid ${mid}: item row without a place`)
    }
    for (let after = 0, rows: readonly Row[] = []; ; after = rows.at(-1)?.[0] as number) {
      rows = this.#connection.all(sql.columns, after, PAGE)
      for (const [, mailbox, mid, idx, bag, recipients, attachments] of rows) {
        this.#sound('column', `mailbox ${mailbox} mid ${mid}`, () => {
          unseal(idx as Uint8Array | null)
          unsealBag(bag as Uint8Array | null)
          unsealRecipients(recipients as Uint8Array | null)
          unsealAttachments(attachments as Uint8Array | null)
        })
      }
      if (rows.length < PAGE) return
    }
  }

  /** Ready answers are kept of mails that are there. */
  #ready(): void {
    for (const [mailbox, folder, block] of this.#connection.all(sql.staleReady, MAX_PROBLEMS)) {
      const uids = uidsOfBlock(block as number)
      this.#problem('ready', `mailbox ${mailbox} folder ${folder} ${uids}: ready answers of mails that are gone`)
    }
  }

  /** The number of rows that name each blob, and blobs that rows name. */
  #references(): void {
    const counted = new Map<number, number>()
    const count = (blob: number): void => void counted.set(blob, (counted.get(blob) ?? 0) + 1)
    for (const [blob] of this.#connection.iterate(sql.named)) count(blob as number)
    for (const [extra] of this.#connection.iterate(sql.extra)) {
      for (const blob of JSON.parse(extra as string) as number[]) count(blob)
    }
    for (const [blob, refs] of this.#connection.iterate(sql.blobRefs)) {
      const named = counted.get(blob as number) ?? 0
      if (named !== refs) this.#problem('references', `blob ${blob}: ${refs} kept, ${named} counted`)
      counted.delete(blob as number)
    }
    for (const blob of counted.keys()) this.#problem('references', `blob ${blob} is named and has no row`)
  }

  #segments(): void {
    const used = new Map(
      this.#connection.all(sql.segmentUse).map(([segment, live, end]) => [segment, { live, end }] as const),
    )
    const known = new Map<number, number>()
    used.delete(STAGED)
    for (const [segment, bytes, kept] of this.#connection.all(read.segments)) {
      known.set(segment as number, bytes as number)
      const { live, end } = used.get(segment as number) ?? { live: 0, end: 0 }
      if (live !== kept) this.#problem('segment', `segment ${segment}: ${kept} live bytes kept, ${live} counted`)
      if ((end as number) > (bytes as number)) {
        this.#problem('segment', `segment ${segment}: a row ends at ${end} of ${bytes} bytes`)
      }
      used.delete(segment as number)
    }
    for (const segment of used.keys()) this.#problem('segment', `segment ${segment} is named and has no row`)
    const files = readdirSync(this.#options.segments).flatMap((name) => /^(\d+)\.seg$/.exec(name)?.[1] ?? [])
    const present = new Set(files.map(Number))
    // Whether an object is there is known when its originals are read.
    for (const [segment, bytes] of known) {
      if (segment >= FIRST_REMOTE) continue
      const size = present.has(segment) ? statSync(segmentPath(this.#options.segments, segment)).size : undefined
      if (size === undefined) this.#problem('segment', `segment ${segment}: no file`)
      else if (size < bytes) this.#problem('segment', `segment ${segment}: ${size} of ${bytes} bytes`)
    }
    // Newer ones are just being made.
    const newest = Math.max(0, ...[...known.keys()].filter((segment) => segment < FIRST_REMOTE))
    for (const segment of present) {
      if (segment < newest && !known.has(segment)) this.#problem('segment', `segment ${segment}: a file without a row`)
    }
  }

  async #readOriginals(): Promise<void> {
    const lost = new Map<number, string>()
    for (let after = 0, rows: readonly Row[] = []; ; after = rows.at(-1)?.[0] as number) {
      rows = this.#connection.all(sql.blobs, after, PAGE)
      for (const row of rows) {
        const [id, segment, offset, stored, size, crc] = row as number[] as [
          number,
          number,
          number,
          number,
          number,
          number,
        ]
        this.#originals++
        const wrong = this.#damage({ id, segment, offset, stored, size, crc })
        if (wrong === undefined) this.#verifiedBytes += size
        else if (!this.#movedOn(row)) lost.set(id, `blob ${id} in segment ${segment} at ${offset}: ${wrong}`)
      }
      if (rows.length < PAGE) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    const places = placesOfBlobs(this.#connection, new Set(lost.keys()))
    for (const [blob, wrong] of lost) {
      this.#problem('original', `${wrong}: ${(places.get(blob) ?? ['nothing names it']).join('; ')}`)
    }
  }

  #damage(place: Parameters<BlobReader['record']>[0]): string | undefined {
    try {
      if (place.segment !== STAGED) this.#reader.record(place)
      else readStored(place, this.#staged(place.id), 0, place.size)
      return undefined
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      return error.message
    }
  }

  #staged(blob: number): Uint8Array {
    return Buffer.concat(this.#connection.all(stagedSql.parts, `{${blob}}`).map(([, bytes]) => bytes as Uint8Array))
  }

  /** Whether the blob was deleted or moved while we were reading it. */
  #movedOn([id, segment, offset]: Row): boolean {
    const now = this.#connection.get(read.blob, id as number)
    return now === undefined || now[0] !== segment || now[1] !== offset
  }
}
