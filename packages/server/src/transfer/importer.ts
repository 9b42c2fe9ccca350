import {
  type ApplyResult,
  type Folder,
  isDomainError,
  type MailboxId,
  type MailboxService,
  mailItem,
  type NewItem,
  type Operation,
  resultOf,
  type Say,
  type Uid,
} from '@postrider/domain'
import { findPlace, type Place, placeFolders } from './folders.ts'
import { ImportJournal, placeKey } from './journal.ts'
import { type MailSource, type SourceFolder, type SourceMail, TransferError } from './types.ts'
import { reasonOf } from '../cli/reasons.ts'

/** One commit takes so many mails or bytes: large enough to share a sync, small enough that users notice nothing. */
export const BATCH_MAILS = 100
export const BATCH_BYTES = 4 * 1024 * 1024
/** Bad mails that are named in the report; all are counted. */
export const MAX_NAMED = 1_000
/** A server that starts again is waited for so long, ms. */
const PATIENCE_MS = 30_000

export interface ImportReport {
  readonly folders: number
  readonly imported: number
  /** Imported by an earlier run. */
  readonly skipped: number
  readonly bytes: number
  readonly badCount: number
  readonly bad: readonly { readonly where: string; readonly why: string }[]
  readonly warnings: readonly string[]
}
export interface ImportProgress {
  readonly folder: string
  readonly imported: number
  readonly skipped: number
  readonly bad: number
  readonly bytes: number
  /** 0…1. */
  readonly done: number
}
export interface ImportOptions {
  readonly service: MailboxService
  readonly mailbox: MailboxId
  readonly source: MailSource
  /** Everything goes below this folder, with the names of the source. */
  readonly into?: readonly string[]
  /** Forgets what earlier runs imported. */
  readonly again?: boolean
  readonly now: () => number
  /** Says the warnings and reasons of the report. */
  readonly say: Say
  readonly onProgress?: (progress: ImportProgress) => void
}

interface Waiting {
  readonly where: string
  readonly uid: number | undefined
  /** Undefined for one that was imported before and only gets its ticket written. */
  readonly item: NewItem | undefined
  readonly entries: readonly Operation[]
}

/** Whether trying again may help: the mail is not to blame. */
const passes = (error: unknown): boolean => isDomainError(error, 'unavailable') || isDomainError(error, 'busy')
const ends = (error: unknown): boolean =>
  passes(error) ||
  ['overQuota', 'diskFull', 'mailboxNotFound', 'moved', 'corrupt', 'folderNotFound'].some(
    (code) => isDomainError(error) && error.code === code,
  )

/** One import: every folder of the source, mail by mail, in transactions of their own. A mail that cannot be imported stops nothing. */
export class Importer {
  readonly #options: ImportOptions
  readonly #bad: { where: string; why: string }[] = []
  readonly #warnings: string[] = []
  #journal = new ImportJournal()
  #folders: readonly Folder[] = []
  #imported = 0
  #skipped = 0
  #badCount = 0
  #bytes = 0
  #weight = 0
  #done = 0

  constructor(options: ImportOptions) {
    this.#options = options
  }

  async run(): Promise<ImportReport> {
    const { service, mailbox, source, into, again = false } = this.#options
    if (again) await ImportJournal.clear(service, mailbox)
    this.#journal = await ImportJournal.read(service, mailbox)
    const folders = await source.folders()
    const places = placeFolders(folders, into)
    this.#weight = folders.reduce((sum, one) => sum + one.weight, 0)
    for (const [i, folder] of folders.entries()) await this.#folder(folder, places[i] as Place)
    return {
      folders: folders.length,
      imported: this.#imported,
      skipped: this.#skipped,
      bytes: this.#bytes,
      badCount: this.#badCount,
      bad: this.#bad,
      warnings: this.#warnings,
    }
  }

  async #apply(operations: readonly Operation[]): Promise<ApplyResult> {
    const { service, mailbox } = this.#options
    return service.apply(mailbox, operations)
  }

  async #folder(source: SourceFolder, place: Place): Promise<void> {
    const label = source.path.join('/') || 'Inbox'
    const target = await this.#target(source, place)
    const writer = new FolderWriter(target, source.uids)
    let waiting: Waiting[] = []
    let bytes = 0
    let writing: Promise<void> = Promise.resolve()
    const flush = async (): Promise<void> => {
      const batch = waiting
      waiting = []
      bytes = 0
      // The next batch is read and parsed while this one is written.
      await writing
      writing = this.#write(writer, batch)
      writing.catch(() => {})
    }
    await this.#apply(writer.begin())
    const known = (ticket: string): boolean => {
      const is = this.#journal.knowsTicket(ticket)
      if (is) {
        this.#skipped++
        this.#progress(label, 1)
      }
      return is
    }
    for await (const mail of source.mails(known)) {
      const one = await this.#prepare(mail, place)
      if (one !== undefined) {
        waiting.push(one)
        bytes += one.item?.size ?? 0
      }
      if (waiting.length >= BATCH_MAILS || bytes >= BATCH_BYTES) await flush()
      this.#progress(label, mail.weight)
    }
    await flush()
    await writing
    await this.#apply(writer.end())
    if (writer.renumbered > 0)
      this.#warnings.push(
        this.#options.say({
          en: `${label}: ${writer.renumbered} mails have new UIDs, because the folder here goes on above theirs.`,
          fr: `${label} : ${writer.renumbered} courriers ont de nouveaux UID, car le dossier d’ici continue au-dessus des leurs.`,
        }),
      )
  }

  #progress(folder: string, weight: number): void {
    this.#done += weight
    this.#options.onProgress?.({
      folder,
      imported: this.#imported,
      skipped: this.#skipped,
      bad: this.#badCount,
      bytes: this.#bytes,
      done: this.#weight === 0 ? 1 : Math.min(1, this.#done / this.#weight),
    })
  }

  #fault(where: string, reason: string): void {
    this.#badCount++
    if (this.#bad.length < MAX_NAMED) this.#bad.push({ where, why: reason })
  }

  async #prepare(mail: SourceMail, place: Place): Promise<Waiting | undefined> {
    let bytes: Uint8Array
    try {
      bytes = await mail.read()
      if (bytes.length === 0) throw new TransferError({ en: 'it is empty', fr: 'il est vide' })
    } catch (error) {
      if ((error as { fatal?: boolean }).fatal === true) throw error
      this.#fault(mail.where, this.#options.say(reasonOf(error)))
      return undefined
    }
    const { content, key, known } = this.#journal.mail(place, bytes)
    const entries = this.#journal.entries(content, key, mail.ticket)
    if (known) {
      this.#skipped++
      return mail.ticket === undefined ? undefined : { where: mail.where, uid: undefined, item: undefined, entries }
    }
    const { flags, keywords } = mail
    const item = mailItem(bytes, { received: mail.received ?? 0, flags, keywords })
    // A date before 1970 or of a far future is a mistake of the sender's clock.
    const now = this.#options.now()
    const { sent } = item.promoted
    const received = mail.received ?? (sent !== undefined && sent > 0 && sent < now ? sent : now)
    return { where: mail.where, uid: mail.uid, item: { ...item, received }, entries }
  }

  /** Makes the folder that is missing, and its parents. */
  async #target(source: SourceFolder, place: Place): Promise<Folder> {
    const { service, mailbox } = this.#options
    this.#folders = await service.folders(mailbox)
    const found = findPlace(this.#folders, place)
    if (found === undefined)
      throw new TransferError({
        en: `The mailbox has no folder ${place.role}.`,
        fr: `La boîte n’a pas de dossier ${place.role}.`,
      })
    let parent: Folder['id'] | { operation: number } = found.at.id
    const operations: Operation[] = found.missing.map((name, i): Operation => {
      const made: Operation = {
        op: 'createFolder',
        parent,
        name,
        class: 'IPF.Note',
        subscribed: source.subscribed ?? true,
      }
      parent = { operation: i }
      return made
    })
    if (operations.length === 0) return found.at
    const applied = await this.#apply(operations)
    const id = resultOf(applied, operations.length - 1, 'createFolder').folder
    this.#folders = await service.folders(mailbox)
    const made = this.#folders.find((folder) => folder.id === id)
    if (made === undefined)
      throw new TransferError({
        en: `The folder ${placeKey(place)} is gone while it is imported.`,
        fr: `Le dossier ${placeKey(place)} a disparu pendant l’import.`,
      })
    return made
  }

  /** Writes a batch; takes out what the server does not take, and waits for a server that starts anew. */
  async #write(writer: FolderWriter, batch: Waiting[]): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    let left = batch
    while (left.length > 0) {
      const { operations, owner } = writer.operations(left)
      try {
        const applied = await this.#apply(operations)
        const added = left.filter((one) => one.item !== undefined)
        this.#imported += added.length
        this.#bytes += added.reduce((sum, one) => sum + (one.item?.size ?? 0), 0)
        writer.written(applied, left)
        return
      } catch (error) {
        // After 'unavailable' nobody knows whether it was written: only the journal of a new run can tell.
        if (isDomainError(error, 'busy') && performance.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 250))
          continue
        }
        const at = isDomainError(error) ? owner(error.operation) : undefined
        if (at === undefined || ends(error)) throw error
        this.#fault((left[at] as Waiting).where, this.#options.say(reasonOf(error)))
        left = left.filter((_, i) => i !== at)
      }
    }
  }
}

/** UIDs of one folder: kept where nothing stands in the way. */
class FolderWriter {
  readonly #folder: Folder
  readonly #uids: SourceFolder['uids']
  readonly #keeps: boolean
  #next: number
  renumbered = 0

  constructor(folder: Folder, uids: SourceFolder['uids']) {
    this.#folder = folder
    this.#uids = uids
    const empty = folder.total + folder.hidden === 0
    this.#keeps = uids !== undefined && (empty || folder.uidValidity === uids.validity)
    this.#next = uids !== undefined && folder.uidValidity !== uids.validity && empty ? 1 : folder.uidNext
  }

  begin(): Operation[] {
    const { uidValidity, id } = this.#folder
    const uids = this.#uids
    if (uids === undefined || !this.#keeps || uidValidity === uids.validity) return []
    return [{ op: 'updateFolder', folder: id, uids: { validity: uids.validity, next: 1 as Uid } }]
  }

  operations(batch: readonly Waiting[]): {
    operations: Operation[]
    owner: (operation: number | undefined) => number | undefined
  } {
    const operations: Operation[] = []
    const owners: number[] = []
    let next = this.#next
    for (const [i, { item, uid, entries }] of batch.entries()) {
      if (item !== undefined) {
        const keep = this.#keeps && uid !== undefined && uid >= next && uid < 0xffff_ffff
        operations.push({ op: 'add', folder: this.#folder.id, item, ...(keep ? { uid: uid as Uid } : {}) })
        next = keep ? uid + 1 : next + 1
        owners.push(i)
      }
      for (const entry of entries) {
        operations.push(entry)
        owners.push(i)
      }
    }
    return { operations, owner: (at) => (at === undefined ? undefined : owners[at]) }
  }

  written(applied: ApplyResult, batch: readonly Waiting[]): void {
    const added = applied.results.flatMap((result) => (result.op === 'add' ? [result.uid] : []))
    const wanted = batch.filter((one) => one.item !== undefined)
    for (const [i, uid] of added.entries()) {
      this.#next = uid + 1
      const own = wanted[i]?.uid
      if (this.#keeps && own !== undefined && own !== uid) this.renumbered++
    }
  }

  /** The next mail gets a UID above all that the source ever gave. */
  end(): Operation[] {
    const uids = this.#uids
    if (uids === undefined || !this.#keeps || uids.next <= this.#next || uids.next > 0xffff_ffff) return []
    return [{ op: 'updateFolder', folder: this.#folder.id, uids: { validity: uids.validity, next: uids.next as Uid } }]
  }
}
