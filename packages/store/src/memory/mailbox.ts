import { randomBytes } from 'node:crypto'
import {
  type ChangeNumber,
  DomainError,
  distinguishedFolders,
  emptyBag,
  Flag,
  type FolderId,
  type FolderRole,
  folderNameKey,
  goneReasons,
  type Hint,
  HintKind,
  type GoneReason,
  type MailboxId,
  type MailboxInit,
  type Mid,
  type Permission,
  readyBlockOf,
  type Uid,
} from '@postrider/domain'
import type { Database } from './database.ts'
import type { Content, FolderRow, LogEntry, Row } from './rows.ts'
import type { Transaction } from './transaction.ts'

const MAX_UID = 0xffff_ffff
const isUid = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= MAX_UID

/** The state of one mailbox and the primitive steps that keep its invariants: counters = rows, one change number a row. */
export class Mailbox {
  readonly id: MailboxId
  readonly database: Database
  readonly guid = randomBytes(16)
  readonly folders = new Map<FolderId, FolderRow>()
  readonly rows = new Map<Mid, Row>()
  readonly states = new Map<string, Map<string, Uint8Array>>()
  /** Idempotency keys and until when they are kept. */
  readonly onces = new Map<string, number>()
  /** By folder and member. */
  readonly permissions = new Map<string, Permission>()
  readonly listeners = new Set<(hint: Hint) => void>()
  log: LogEntry[] = []
  #compacted = 0
  /** The numbers that a failed transaction gives back. */
  readonly counters = {
    change: 0,
    lowestChange: 0,
    hierarchy: 0,
    nextId: 1,
    uidValidity: 0,
    usedBytes: 0,
    quota: undefined as number | undefined,
  }

  constructor(id: MailboxId, init: MailboxInit, database: Database, transaction: Transaction) {
    this.id = id
    this.database = database
    this.counters.quota = init.quota
    const byRole = new Map<FolderRole, FolderId>()
    for (const { role, parent, name, class: folderClass, kind } of distinguishedFolders) {
      const parentId = parent === undefined ? 0 : (byRole.get(parent) as FolderId)
      const subscribed = folderClass === 'IPF.Note' && parent === 'msgfolderroot'
      const made = { parent: parentId, name: name[init.language], class: folderClass, role, kind, subscribed } as const
      byRole.set(role, this.newFolder(transaction, { ...made, specialUse: undefined, props: emptyBag }).id)
    }
  }

  nextChange(transaction: Transaction): ChangeNumber {
    transaction.save(this.counters)
    return ++this.counters.change as ChangeNumber
  }

  nextId(transaction: Transaction): number {
    transaction.save(this.counters)
    return this.counters.nextId++
  }

  folder(id: FolderId): FolderRow {
    const folder = this.folders.get(id)
    if (folder === undefined) throw new DomainError('folderNotFound', `folder ${id}`)
    return folder
  }

  record(transaction: Transaction, entry: LogEntry): void {
    const { length } = this.log
    this.log.push(entry)
    transaction.undo(() => {
      this.log.length = length
    })
  }

  newFolder(
    transaction: Transaction,
    made: Pick<FolderRow, 'parent' | 'name' | 'class' | 'role' | 'kind' | 'subscribed' | 'specialUse' | 'props'>,
  ): FolderRow {
    const id = this.nextId(transaction) as FolderId
    const change = this.nextChange(transaction)
    this.counters.uidValidity = Math.max(this.counters.uidValidity + 1, Math.floor(transaction.now / 1000) % MAX_UID)
    const folder: FolderRow = {
      ...made,
      id,
      cn: change,
      createdCn: change,
      contentChange: change,
      uidValidity: this.counters.uidValidity,
      uidNext: 1,
      total: 0,
      unread: 0,
      deleted: 0,
      hidden: 0,
      bytes: 0,
      rows: new Map(),
      ready: new Map(),
      children: new Map(),
    }
    transaction.set(this.folders, id, folder)
    if (made.parent !== 0) transaction.set(this.folder(made.parent).children, folderNameKey(made.name), folder)
    this.record(transaction, { change, kind: 'folder', folder })
    this.counters.hierarchy = change
    transaction.touch(id, HintKind.hierarchy)
    return folder
  }

  /** Takes the next UID of a folder, or `wanted`, which must not be below it. */
  nextUid(transaction: Transaction, folder: FolderRow, wanted: Uid = folder.uidNext as Uid): Uid {
    if (folder.uidNext > MAX_UID) throw new DomainError('tooMany', 'the folder has no UIDs left')
    if (!isUid(wanted)) throw new DomainError('invalid', `UID ${wanted}`)
    if (wanted < folder.uidNext) throw new DomainError('conflict', `UID ${wanted} of ${folder.uidNext}`)
    transaction.save(folder)
    folder.uidNext = wanted + 1
    return wanted
  }

  /** Gives an empty folder the UIDVALIDITY and UIDNEXT of another server, or raises the UIDNEXT of any. */
  renumberFolder(
    transaction: Transaction,
    folder: FolderRow,
    { validity, next }: { validity: number; next: Uid },
  ): void {
    if (!isUid(validity) || !isUid(next)) throw new DomainError('invalid', `UIDVALIDITY ${validity}, UIDNEXT ${next}`)
    const stays = validity === folder.uidValidity
    if (!stays && folder.total + folder.hidden > 0) throw new DomainError('folderNotEmpty', `folder ${folder.id}`)
    if (stays && next < folder.uidNext) throw new DomainError('conflict', `UIDNEXT ${next}`)
    transaction.save(this.counters)
    transaction.save(folder)
    this.counters.uidValidity = Math.max(this.counters.uidValidity, validity)
    folder.uidValidity = validity
    folder.uidNext = next
  }

  /** Puts a finished row into its folder. */
  insert(transaction: Transaction, row: Row): void {
    const folder = this.folder(row.folder)
    transaction.set(this.rows, row.mid, row)
    transaction.set(folder.rows, row.uid, row)
    this.refer(transaction, row.content, 1)
    this.count(transaction, row, 1)
    this.#logRow(transaction, folder, row)
    transaction.touch(folder.id, HintKind.added)
  }

  /** Takes a row out of its folder and leaves a tombstone; answers the tombstone's number. */
  bury(transaction: Transaction, row: Row, why: GoneReason): ChangeNumber {
    const folder = this.folder(row.folder)
    transaction.delete(this.rows, row.mid)
    this.count(transaction, row, -1)
    this.refer(transaction, row.content, -1)
    this.#unplace(transaction, folder, row)
    return this.tombstone(transaction, folder, row, why)
  }

  tombstone(transaction: Transaction, folder: FolderRow, row: Row, why: GoneReason): ChangeNumber {
    const change = this.nextChange(transaction)
    const { uid, mid, itemId } = row
    const gone = { change, folder: folder.id, uid, mid, itemId, why: goneReasons.indexOf(why) }
    this.record(transaction, { change, kind: 'gone', gone })
    transaction.save(folder)
    folder.contentChange = change
    transaction.touch(folder.id, HintKind.removed)
    return change
  }

  /** Gives a row another UID (its old one is gone). */
  renumber(transaction: Transaction, row: Row): void {
    const folder = this.folder(row.folder)
    this.#unplace(transaction, folder, row)
    this.tombstone(transaction, folder, row, 'renumbered')
    transaction.save(row)
    row.uid = this.nextUid(transaction, folder)
    transaction.set(folder.rows, row.uid, row)
    transaction.touch(folder.id, HintKind.added)
  }

  /** Gives a changed row its new number; `read` when only the read state changed. */
  stamp(transaction: Transaction, row: Row, read: boolean): ChangeNumber {
    const change = this.nextChange(transaction)
    transaction.save(row)
    row.change = change
    if (read) row.readCn = change
    else row.cn = change
    this.#logRow(transaction, this.folder(row.folder), row)
    transaction.touch(row.folder, read ? HintKind.readChanged : HintKind.changed)
    return change
  }

  /** Adds a row to the counters of its folder and mailbox, or (-1) takes it out. */
  count(transaction: Transaction, row: Row, by: 1 | -1): void {
    const folder = this.folder(row.folder)
    transaction.save(folder)
    transaction.save(this.counters)
    this.counters.usedBytes += by * row.size
    if (row.associated) {
      folder.hidden += by
      return
    }
    folder.total += by
    folder.bytes += by * row.size
    if ((row.flags & Flag.seen) === 0) folder.unread += by
    if ((row.flags & Flag.deleted) !== 0) folder.deleted += by
  }

  /** Names the blobs of a content once more (or, with -1, once less): its original, and those of its attachments. */
  refer(transaction: Transaction, content: Content, by: 1 | -1): void {
    const { blobs } = this.database
    blobs.refer(transaction, content.original, by)
    for (const { source } of content.attachments) if ('blob' in source) blobs.refer(transaction, source.blob, by)
  }

  /** Throws `overQuota` when `bytes` more do not fit. What does not grow always fits. */
  reserve(bytes: number): void {
    const { quota, usedBytes } = this.counters
    if (bytes > 0 && quota !== undefined && usedBytes + bytes > quota) {
      throw new DomainError('overQuota', `${usedBytes} + ${bytes} of ${quota}`)
    }
  }

  /** Whether a log line still says something. */
  isLive(entry: LogEntry): boolean {
    if (entry.kind === 'row') return entry.row.change === entry.change && this.rows.get(entry.row.mid) === entry.row
    if (entry.kind === 'folder') return entry.folder.cn === entry.change && this.folders.has(entry.folder.id)
    return true
  }

  /** Drops stale log lines when they are the bigger half. */
  compact(): void {
    if (this.log.length <= 1_000 + 2 * this.#compacted) return
    this.log = this.log.filter((entry) => this.isLive(entry))
    this.#compacted = this.log.length
  }

  /** Drops all tombstones: cursors from before must start over. */
  forget(): void {
    this.counters.lowestChange = this.counters.change
    this.log = this.log.filter((e) => e.kind !== 'gone' && e.kind !== 'goneFolder' && this.isLive(e))
  }

  #unplace(transaction: Transaction, folder: FolderRow, row: Row): void {
    const { uid } = row
    const block = readyBlockOf(uid)
    for (const [key, one] of folder.ready) if (one.block === block) transaction.delete(folder.ready, key)
    transaction.undoLast(folder.rows, () => {
      const sorted = [...folder.rows].sort((a, b) => a[0] - b[0])
      folder.rows.clear()
      for (const [key, one] of sorted) folder.rows.set(key, one)
    })
    folder.rows.delete(uid)
    transaction.undo(() => folder.rows.set(uid, row))
  }

  #logRow(transaction: Transaction, folder: FolderRow, row: Row): void {
    this.record(transaction, { change: row.change, kind: 'row', row })
    transaction.save(folder)
    folder.contentChange = row.change
  }
}
