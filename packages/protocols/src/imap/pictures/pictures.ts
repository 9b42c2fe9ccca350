import type { ChangeNumber, Folder, FolderId, Listing, MailboxHandle, ResultOf } from '@postrider/domain'
import { type LastingColumn, Picture, pictureColumns } from './picture.ts'

/** A change of less than this share of the folder is read back with whatever else happened: copying the columns would cost more. */
const WORTH_COPYING = 256
/** More changes than this since the last look: the folder is read anew. */
const MOST_CHANGES = 5_000

interface Kept {
  readonly guid: string
  readonly epoch: number
  readonly uidValidity: number
  picture: Picture
  bytes: number
}

/** One look under way, and the one that begins behind it. */
interface Looks {
  readonly running: Promise<Picture>
  next: Promise<Picture> | undefined
}

/**
 * Folders as IMAP shows them, remembered at the edge: a mail program opens the same large folder again and again, from several devices. Each use
 * asks the mailbox what happened since (one question, answered from its counters when it was nothing), so a picture is as right as a
 * fresh reading. Bounded by bytes; the least recently used go first. Only for whoever may read everything: a delegate's rights are held against
 * each call.
 */
export class Pictures {
  readonly #limit: number
  /** Least recently used first. */
  readonly #kept = new Map<string, Kept>()
  readonly #looking = new Map<string, Looks>()
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The folder as it is now. Rejects as the mailbox does. */
  of(mailbox: MailboxHandle, folder: FolderId, uidValidity: number): Promise<Picture> {
    if (!mailbox.full) return read(mailbox, folder).then(({ picture }) => picture)
    const key = `${mailbox.mailbox}/${folder}`
    const looks = this.#looking.get(key)
    if (looks === undefined) return this.#start(key, () => this.#look(mailbox, folder, uidValidity, key))
    // A look that began before is too old: what was acknowledged since must be in the answer. Who comes meanwhile shares the next one.
    looks.next ??= looks.running
      .catch(() => undefined)
      .then(() => this.#start(key, () => this.#look(mailbox, folder, uidValidity, key)))
    return looks.next
  }

  #start(key: string, look: () => Promise<Picture>): Promise<Picture> {
    const looks: Looks = { running: look(), next: undefined }
    this.#looking.set(key, looks)
    const done = (): void => {
      if (this.#looking.get(key) === looks && looks.next === undefined) this.#looking.delete(key)
    }
    looks.running.then(done, done)
    return looks.running
  }

  /** The folder as it was in a listing, if what is remembered is as new as that and no newer listing is needed: no question is asked. */
  unchanged(mailbox: MailboxHandle, folder: Folder, listing: Listing): Picture | undefined {
    if (!mailbox.full) return undefined
    const key = `${mailbox.mailbox}/${folder.id}`
    const kept = this.#kept.get(key)
    if (kept === undefined || kept.uidValidity !== folder.uidValidity) return undefined
    if (kept.guid !== listing.guid || kept.epoch !== listing.epoch) return undefined
    const { upTo } = kept.picture
    if (upTo > listing.change || folder.contentChange > upTo) return undefined
    this.#drop(key, kept)
    kept.picture = kept.picture.asOf(listing.change)
    this.#keep(key, kept)
    return kept.picture
  }

  /**
   * This process changed flags (no keywords) and `after` is the mailbox's number since. Where nothing else happened in the mailbox since the
   * folder was looked at, it is remembered as it is now, and who comes back asks for nothing.
   */
  flagged(mailbox: MailboxHandle, folder: FolderId, result: ResultOf<'flag'>, after: number): void {
    const key = `${mailbox.mailbox}/${folder}`
    const kept = this.#kept.get(key)
    const { changes } = result
    if (!mailbox.full || kept === undefined || this.#looking.has(key)) return
    const { upTo, rows } = kept.picture
    const alone = changes[0] === upTo + 1 && after === upTo + changes.length
    if (!alone || changes.length * WORTH_COPYING < rows.count) return
    const picture = kept.picture.flagged(result)
    if (picture !== undefined) kept.picture = picture
  }

  /** True when it would take no more than a question: what is remembered may be used for less than a whole folder too. */
  has(mailbox: MailboxHandle, folder: FolderId): boolean {
    return mailbox.full && this.#kept.has(`${mailbox.mailbox}/${folder}`)
  }

  async #look(mailbox: MailboxHandle, folder: FolderId, uidValidity: number, key: string): Promise<Picture> {
    const kept = this.#kept.get(key)
    if (kept !== undefined) this.#drop(key, kept)
    if (kept?.uidValidity === uidValidity) {
      const since = kept.picture.upTo
      const [{ guid, epoch, change }, changes] = await Promise.all([
        mailbox.info(),
        mailbox.changes({ since, folder, limit: MOST_CHANGES }),
      ])
      // A mailbox that was put back from a copy has another past.
      const same = guid === kept.guid && epoch === kept.epoch && change >= since
      if (same && !changes.resync && !changes.more) {
        kept.picture = kept.picture.after(changes)
        this.#keep(key, kept)
        return kept.picture
      }
    }
    const { picture, guid, epoch } = await read(mailbox, folder)
    this.#keep(key, { guid, epoch, uidValidity, picture, bytes: 0 })
    return picture
  }

  #keep(key: string, kept: Kept): void {
    kept.bytes = kept.picture.bytes
    this.#bytes += kept.bytes
    this.#kept.set(key, kept)
    for (const [oldest, one] of this.#kept) {
      if (this.#bytes <= this.#limit) break
      this.#drop(oldest, one)
    }
  }

  #drop(key: string, kept: Kept): void {
    this.#kept.delete(key)
    this.#bytes -= kept.bytes
  }
}

async function read(
  mailbox: MailboxHandle,
  folder: FolderId,
): Promise<{ picture: Picture; guid: string; epoch: number }> {
  // The number first: what happens while the rows are read is found again by the next look.
  const { change, guid, epoch } = await mailbox.info()
  const rows = await mailbox.scan({ folder, columns: pictureColumns })
  return { picture: new Picture(rows, change as ChangeNumber), guid, epoch }
}

/** Makes sure of columns that never change. False where other messages are there by now. */
export async function lastingOf(
  mailbox: MailboxHandle,
  folder: FolderId,
  { rows, lasting }: Picture,
  wanted: readonly LastingColumn[],
): Promise<boolean> {
  const missing = wanted.filter((column) => !lasting.columns.has(column))
  if (missing.length === 0) return true
  const read = await mailbox.scan({ folder, columns: ['uid', ...missing] })
  if (read.count !== rows.count || read.uid.some((uid, row) => uid !== rows.uid[row])) return false
  for (const column of missing) lasting.columns.set(column, read[column])
  return true
}
