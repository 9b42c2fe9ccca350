import {
  type ChangeNumber,
  DomainError,
  emptyBag,
  Flag,
  type FolderClass,
  type FolderId,
  type FolderRole,
  folderNameKey,
  HintKind,
  type PropertyBag,
  type Uid,
} from '@postrider/domain'
import type { Books } from './books.ts'
import type { Statements } from './statements.ts'
import { sealBag } from './encode.ts'
import type { Journal } from './journal.ts'
import { KeywordSets } from './keyword-sets.ts'
import { type FolderRow, folderRow, type MailboxRow } from './rows.ts'
import { read } from './sql/read.ts'
import { write } from './sql/write.ts'

const MAX_UID = 0xffff_ffff
const isUid = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= MAX_UID

/** What a new folder is made of. */
export interface NewFolder {
  readonly parent: FolderId | 0
  readonly name: string
  readonly class: FolderClass
  readonly role: FolderRole | undefined
  readonly kind: 'generic' | 'search'
  readonly subscribed: boolean
  readonly specialUse: string | undefined
  readonly props?: PropertyBag
}

/** What a row adds to the counters of its folder. */
interface Counted {
  readonly flags: number
  readonly size: number
  readonly associated: boolean
}

/** A mailbox in use: its row, the folder rows used so far, its keyword sets. Counters change here and are written once a batch. */
export class MailboxState {
  readonly row: MailboxRow
  readonly guid: Uint8Array
  readonly #connection: Statements
  readonly #books: Books
  readonly #folders = new Map<FolderId, FolderRow>()
  #keywords: KeywordSets | undefined

  constructor(connection: Statements, books: Books, row: MailboxRow) {
    this.#connection = connection
    this.#books = books
    this.row = row
    this.guid = Buffer.from(row.guid, 'hex')
  }

  get id(): number {
    return this.row.mailbox
  }

  get keywords(): KeywordSets {
    this.#keywords ??= new KeywordSets(this.#connection, this.id)
    return this.#keywords
  }

  /** The next change number, the first of `count`. */
  nextChange(journal: Journal, count = 1): ChangeNumber {
    this.#books.change(journal, this)
    const first = this.row.change + 1
    this.row.change += count
    return first as ChangeNumber
  }

  /** The next id, the first of `count`. */
  nextId(journal: Journal, count = 1): number {
    this.#books.change(journal, this)
    const first = this.row.nextId
    this.row.nextId += count
    return first
  }

  findFolder(id: FolderId): FolderRow | undefined {
    const known = this.#folders.get(id)
    if (known !== undefined) return known
    if (!Number.isSafeInteger(id)) return undefined
    const row = this.#connection.get(read.folder, this.id, id)
    if (row === undefined) return undefined
    const folder = folderRow(row)
    this.#folders.set(id, folder)
    return folder
  }

  folder(id: FolderId): FolderRow {
    const folder = this.findFolder(id)
    if (folder === undefined) throw new DomainError('folderNotFound', `folder ${id}`)
    return folder
  }

  /** Makes the folder with the next id and change number; the caller has checked name and parent. */
  newFolder(journal: Journal, now: number, made: NewFolder): FolderRow {
    const id = this.nextId(journal) as FolderId
    const change = this.nextChange(journal)
    this.row.hierarchy = change
    this.row.uidValidity = Math.max(this.row.uidValidity + 1, Math.floor(now / 1000) % MAX_UID)
    const { props = emptyBag, ...given } = made
    const counters = { uidNext: 1, total: 0, unread: 0, deleted: 0, hidden: 0, bytes: 0 }
    const numbers = { cn: change, createdCn: change, contentChange: change, uidValidity: this.row.uidValidity }
    const folder: FolderRow = { ...given, id, ...numbers, ...counters }
    this.#connection.run(
      write.addFolder,
      this.id,
      id,
      made.parent,
      made.name,
      folderNameKey(made.name),
      made.class,
      made.role ?? null,
      made.kind,
      made.specialUse ?? null,
      made.subscribed ? 1 : 0,
      change,
      change,
      folder.uidValidity,
      sealBag(props),
    )
    this.#connection.run(write.addFolderCount, id, this.id, change)
    journal.set(this.#folders, id, folder)
    journal.touch(id, HintKind.hierarchy)
    return folder
  }

  /** Takes a folder out; its items and subfolders are gone already. */
  removeFolder(journal: Journal, now: number, folder: FolderRow): void {
    this.#connection.run(write.removePermissions, this.id, folder.id)
    this.#connection.run(write.removeFolderCount, folder.id, this.id)
    this.#connection.run(write.removeFolder, this.id, folder.id)
    const change = this.nextChange(journal)
    this.row.hierarchy = change
    this.#connection.run(write.goneFolder, this.id, change, folder.id, now)
    journal.delete(this.#folders, folder.id)
    journal.touch(folder.id, HintKind.hierarchy)
  }

  /** Takes the next UID of a folder, or `wanted`, which must not be below it. */
  nextUid(journal: Journal, folder: FolderRow, wanted: Uid = folder.uidNext as Uid): Uid {
    if (folder.uidNext > MAX_UID) throw new DomainError('tooMany', 'the folder has no UIDs left')
    if (!isUid(wanted)) throw new DomainError('invalid', `UID ${wanted}`)
    if (wanted < folder.uidNext) throw new DomainError('conflict', `UID ${wanted} of ${folder.uidNext}`)
    this.#books.changeFolder(journal, this, folder)
    folder.uidNext = wanted + 1
    return wanted
  }

  /** Takes the next `count` UIDs of a folder; answers the first. */
  nextUids(journal: Journal, folder: FolderRow, count: number): Uid {
    const first = folder.uidNext
    if (first + count - 1 > MAX_UID) throw new DomainError('tooMany', 'the folder has no UIDs left')
    this.#books.changeFolder(journal, this, folder)
    folder.uidNext = first + count
    return first as Uid
  }

  /** Gives an empty folder the UIDVALIDITY and UIDNEXT of another server, or raises the UIDNEXT of any. */
  renumber(journal: Journal, folder: FolderRow, { validity, next }: { validity: number; next: Uid }): void {
    if (!isUid(validity) || !isUid(next)) throw new DomainError('invalid', `UIDVALIDITY ${validity}, UIDNEXT ${next}`)
    const stays = validity === folder.uidValidity
    if (!stays && folder.total + folder.hidden > 0) throw new DomainError('folderNotEmpty', `folder ${folder.id}`)
    if (stays && next < folder.uidNext) throw new DomainError('conflict', `UIDNEXT ${next}`)
    this.#books.change(journal, this)
    this.#books.changeFolder(journal, this, folder)
    this.row.uidValidity = Math.max(this.row.uidValidity, validity)
    folder.uidValidity = validity
    folder.uidNext = next
    this.#connection.run(write.renumberFolder, validity, this.id, folder.id)
  }

  /** The number of a change inside a folder. */
  contentChange(journal: Journal, folder: FolderRow, kind: number): ChangeNumber {
    const change = this.nextChange(journal)
    this.noteChange(journal, folder, kind, change)
    return change
  }

  /** The newest change inside a folder has this number. */
  noteChange(journal: Journal, folder: FolderRow, kind: number, change: ChangeNumber): void {
    this.#books.changeFolder(journal, this, folder)
    folder.contentChange = change
    journal.touch(folder.id, kind)
  }

  /** Adds a row to the counters of its folder and mailbox, or (-1) takes it out. */
  count(journal: Journal, folder: FolderRow, row: Counted, by: 1 | -1): void {
    this.#books.change(journal, this)
    this.#books.changeFolder(journal, this, folder)
    this.row.items += by
    this.row.usedBytes += by * row.size
    if (row.associated) {
      folder.hidden += by
      return
    }
    folder.total += by
    folder.bytes += by * row.size
    if ((row.flags & Flag.seen) === 0) folder.unread += by
    if ((row.flags & Flag.deleted) !== 0) folder.deleted += by
  }

  /** A row has other flags from now on. */
  recount(journal: Journal, folder: FolderRow, { flags, associated }: Counted, now: number): void {
    this.#books.changeFolder(journal, this, folder)
    if (associated) return
    folder.unread += Number((now & Flag.seen) === 0) - Number((flags & Flag.seen) === 0)
    folder.deleted += Number((now & Flag.deleted) !== 0) - Number((flags & Flag.deleted) !== 0)
  }

  /** Throws `overQuota` when `bytes` more do not fit. What does not grow always fits. */
  reserve(bytes: number): void {
    const { quota, usedBytes } = this.row
    if (bytes > 0 && quota !== null && usedBytes + bytes > quota) {
      throw new DomainError('overQuota', `${usedBytes} + ${bytes} of ${quota}`)
    }
  }
}
