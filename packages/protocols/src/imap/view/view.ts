import {
  type Changes,
  type Column,
  type Folder,
  type FolderId,
  Flag,
  type HeldTable,
  type Hint,
  type MailboxHandle,
  type Packed,
} from '@postrider/domain'
import {
  formatRanges,
  inRanges,
  intersectRanges,
  isKeyword,
  NO_RANGES,
  type Ranges,
  rangesOf,
  resolveRanges,
  type SequenceSet,
} from '@postrider/wire/imap'
import { bad, Refusal } from '../codes.ts'
import { FlagLists, KNOWN_FLAGS } from '../flags.ts'
import type { Session } from '../session.ts'
import { UidMap } from './uid-map.ts'

/** Rows of the change feed read at once. */
export const CHANGES_LIMIT = 5_000

/** Columns a flag report needs. */
export const reportColumns = ['uid', 'flags', 'keywords', 'change'] as const satisfies readonly Column[]

/**
 * A selected mailbox as one session sees it. The session's picture (`map`, which messages there are) changes only in `update`, at
 * moments RFC 9051 §7.5.1 allows; what happened meanwhile waits in the change feed behind `cursor`.
 */
export class View {
  readonly folder: FolderId
  readonly name: string
  readonly uidValidity: number
  readonly readOnly: boolean
  readonly map: UidMap
  /** The saved search result: RFC 5182, as UIDs. */
  saved: Ranges = NO_RANGES
  /** The mailbox itself is gone. */
  deleted = false
  /** Everything up to this change number has been told or is in `#gone`: HIGHESTMODSEQ. */
  #cursor: number
  /** The newest change anybody spoke of since the feed was read; infinite when it is worth a look in any case. */
  #heard = 0
  readonly #mailbox: MailboxHandle
  readonly #held: HeldTable
  readonly #waiter: Session
  /** Messages that are gone but may not be told yet, in any order. */
  #gone: number[] = []
  /** Keywords told by FLAGS, in lower case; most folders have none. */
  #keywords: Set<string> | undefined
  /** The same as they are written. */
  readonly #names: string[]

  constructor(session: Session, mailbox: MailboxHandle, held: HeldTable, folder: Folder, opened: OpenedFolder) {
    this.folder = folder.id
    this.name = opened.name
    this.uidValidity = folder.uidValidity
    this.readOnly = opened.readOnly
    this.map = UidMap.of(opened.uids)
    if (opened.keywords.length > 0) this.#keywords = new Set(opened.keywords.map((one) => one.toLowerCase()))
    this.#names = [...opened.keywords]
    this.#cursor = opened.change
    this.#mailbox = mailbox
    this.#held = held
    this.#waiter = session
  }

  /** HIGHESTMODSEQ as far as this session has been told; never 0 (RFC 7162 §3.1.2.1). */
  get highestModSeq(): number {
    return Math.max(1, this.#cursor)
  }

  close(): void {
    this.#held.release(this.#mailbox.mailbox, this.#waiter)
  }

  /** Something may have happened since `cursor`. */
  get dirty(): boolean {
    return this.#heard > this.#cursor
  }

  /** The feed is worth a look, whatever hints say. */
  soil(): void {
    this.#heard = Number.POSITIVE_INFINITY
  }

  /** Notes that the feed is worth a look, if the hint concerns this folder and is news: one of our own doings is none (`ownChanges`). */
  hint({ change, folders }: Hint): void {
    if (folders.length === 0) this.soil()
    else if (folders.some((one) => one.id === this.folder)) this.#heard = Math.max(this.#heard, change)
  }

  // ---- sets

  /**
   * The messages a set means, as ranges of sequence numbers. `uid`: its numbers are UIDs. RFC 9051 §6.4.8, RFC 5182. `beyond`: what a number
   * beyond EXISTS does; a search finds nothing by it.
   */
  sequences(set: SequenceSet, uid: boolean, beyond: 'refused' | 'nothing' = 'refused'): Ranges {
    if (set.kind === 'saved') return this.map.toSequences(this.saved)
    if (uid) return this.map.toSequences(resolveRanges(set.ranges, this.map.last))
    const { count } = this.map
    const resolved = resolveRanges(set.ranges, count)
    if ((resolved[resolved.length - 1] ?? 0) <= count) return resolved
    if (beyond === 'nothing') return intersectRanges(resolved, Uint32Array.of(1, count))
    // §9: a number beyond EXISTS is the client's mistake. `*` in an empty mailbox is forgiven: it means nothing there.
    throw new Refusal(bad('No message has that number'))
  }

  /** The UIDs in ranges of sequence numbers. */
  uids(sequences: Ranges): Uint32Array {
    const ranges = this.map.toUids(sequences)
    let count = 0
    for (let i = 0; i < ranges.length; i += 2) count += (ranges[i + 1] as number) - (ranges[i] as number) + 1
    const out = new Uint32Array(count)
    let n = 0
    for (let i = 0; i < ranges.length; i += 2) {
      for (let uid = ranges[i] as number; uid <= (ranges[i + 1] as number); uid++) out[n++] = uid
    }
    return out
  }

  // ---- own doings

  /**
   * This session changed rows and tells its client itself. Only where nobody else wrote since our last look their echo in the feed is passed
   * over: a foreign change of the same row would hide behind ours. Answers whether it is so.
   */
  ownChanges(changes: Float64Array, after: number): boolean {
    if (changes.length === 0) return true
    const alone = changes[0] === this.#cursor + 1 && after === this.#cursor + changes.length
    if (alone) this.#cursor = after
    else this.soil()
    return alone
  }

  /**
   * True when a change of flags leaves rows of which nothing else need be read: there are no keywords in this folder, as far as anybody has seen,
   * and none come by it.
   */
  knows({
    addKeywords = [],
    keywords = [],
  }: {
    addKeywords?: readonly string[]
    keywords?: readonly string[]
  }): boolean {
    return this.#keywords === undefined && addKeywords.length + keywords.length === 0
  }

  // ---- telling

  /** FLAGS when a keyword appears that the client has not heard of: RFC 9051 §7.3.5. */
  tellKeywords(session: Session, sets: readonly (readonly string[])[]): void {
    let fresh = false
    for (const set of sets) {
      if (set.length === 0) continue
      this.#keywords ??= new Set()
      const told = this.#keywords
      for (const keyword of set) {
        const key = keyword.toLowerCase()
        if (told.has(key) || told.size >= MAX_TOLD_KEYWORDS || !isKeyword(keyword)) continue
        told.add(key)
        this.#names.push(keyword)
        fresh = true
      }
    }
    if (fresh)
      session.out
        .ascii('* FLAGS ')
        .flags([...KNOWN_FLAGS, ...this.#names])
        .crlf()
  }

  /** Untagged FETCH with FLAGS for rows, and what CONDSTORE and QRESYNC add: RFC 7162 §3.1.4, §3.2.4. */
  async tellFlags(
    session: Session,
    rows: Packed<(typeof reportColumns)[number]>,
    withUid: boolean,
    skip?: (row: number) => boolean,
  ): Promise<void> {
    this.tellKeywords(session, rows.keywordSets)
    const lists = new FlagLists(rows.keywordSets)
    const { out, enabled } = session
    const uid = withUid || enabled.qresync
    for (let row = 0; row < rows.count; row++) {
      if (skip?.(row)) continue
      const sequence = this.map.sequenceOf(rows.uid[row] as number)
      if (sequence === 0) continue
      out.ascii('* ').number(sequence).ascii(' FETCH (')
      if (uid)
        out
          .ascii('UID ')
          .number(rows.uid[row] as number)
          .ascii(' ')
      out.ascii('FLAGS ').ascii(lists.of(rows.flags[row] as number, rows.keywords[row] as number))
      if (enabled.condstore)
        out
          .ascii(' MODSEQ (')
          .number(rows.change[row] as number)
          .ascii(')')
      out.ascii(')\r\n')
      if ((row & 255) === 255) await session.pace()
    }
  }

  /**
   * Reads the feed and tells: expunged messages first (when allowed), then new ones, then changed flags. `look`: even without a hint.
   */
  async update(session: Session, expunge: boolean, look: boolean): Promise<void> {
    if (this.dirty || look) await this.#read(session, expunge)
    if (expunge) await this.#tellGone(session)
  }

  async #read(session: Session, expunge: boolean): Promise<void> {
    // Lowered first: a hint that comes while we read raises it again.
    this.#heard = 0
    const pages: Changes[] = []
    let since = this.#cursor
    for (;;) {
      const page = await this.#mailbox.changes({
        since: since as Changes['upTo'],
        folder: this.folder,
        limit: CHANGES_LIMIT,
      })
      if (page.resync) return this.#startOver(session, expunge)
      pages.push(page)
      since = page.upTo
      if (!page.more) break
    }
    for (const page of pages) {
      if (page.goneFolders.some((one) => one.id === this.folder)) this.deleted = true
      for (let i = 0; i < page.gone.count; i++) {
        const uid = page.gone.uid[i] as number
        if (this.map.has(uid)) this.#gone.push(uid)
      }
    }
    const before = this.map.last
    if (expunge) await this.#tellGone(session)
    const fresh: number[] = []
    for (const { items } of pages) {
      for (let i = 0; i < items.count; i++) {
        if ((items.uid[i] as number) > before && items.associated[i] === 0) fresh.push(items.uid[i] as number)
      }
    }
    this.#tellNew(
      session,
      fresh.sort((a, b) => a - b),
    )
    // New messages are asked for by the client.
    for (const { items } of pages) {
      await this.tellFlags(session, items, false, (row) => (items.uid[row] as number) > before)
    }
    this.#cursor = since
  }

  /** The feed does not reach back to our cursor (tombstones were pruned): compare with what is there now. */
  async #startOver(session: Session, expunge: boolean): Promise<void> {
    const { change } = await this.#mailbox.info()
    const rows = await this.#mailbox.scan({ folder: this.folder, columns: reportColumns })
    const now = rangesOf(rows.uid)
    const known = this.map.ranges
    for (let i = 0; i < known.length; i += 2) {
      for (let uid = known[i] as number; uid <= (known[i + 1] as number); uid++) {
        if (!inRanges(now, uid)) this.#gone.push(uid)
      }
    }
    const before = this.map.last
    if (expunge) await this.#tellGone(session)
    this.#tellNew(
      session,
      Array.from(rows.uid).filter((uid) => uid > before),
    )
    const cursor = this.#cursor
    await this.tellFlags(
      session,
      rows,
      false,
      (row) => (rows.uid[row] as number) > before || (rows.change[row] as number) <= cursor,
    )
    this.#cursor = change
  }

  #tellNew(session: Session, uids: readonly number[]): void {
    const fresh = uids.filter((uid) => uid > this.map.last)
    if (fresh.length === 0) return
    this.map.append(fresh)
    session.out.ascii('* ').number(this.map.count).ascii(' EXISTS\r\n')
    if (!session.enabled.rev2) session.out.ascii('* 0 RECENT\r\n')
  }

  /** Notes that messages are gone before the feed says so. */
  noteGone(uids: ArrayLike<number>): void {
    for (let i = 0; i < uids.length; i++) if (this.map.has(uids[i] as number)) this.#gone.push(uids[i] as number)
  }

  /** EXPUNGE (RFC 9051 §7.5.1), or VANISHED (RFC 7162 §3.2.10) for a client that enabled QRESYNC. */
  async #tellGone(session: Session): Promise<void> {
    if (this.#gone.length === 0) return
    // The feed and our own doing may both have named one.
    const gone = [...new Set(this.#gone)].sort((a, b) => a - b)
    this.#gone = []
    const { out } = session
    if (session.enabled.qresync) {
      out
        .ascii('* VANISHED ')
        .ascii(formatRanges(rangesOf(gone)))
        .crlf()
    } else {
      // From the highest down no number shifts before it is told.
      for (let i = gone.length - 1; i >= 0; i--) {
        out
          .ascii('* ')
          .number(this.map.sequenceOf(gone[i] as number))
          .ascii(' EXPUNGE\r\n')
      }
    }
    this.map.remove(gone)
    const lost = rangesOf(gone)
    if (this.saved.length > 0) {
      const kept = new UidMap()
      kept.append(expand(this.saved))
      kept.remove(expand(lost))
      this.saved = kept.ranges
    }
    await session.pace()
  }
}

function expand(ranges: Ranges): number[] {
  const out: number[] = []
  for (let i = 0; i < ranges.length; i += 2) {
    for (let uid = ranges[i] as number; uid <= (ranges[i + 1] as number); uid++) out.push(uid)
  }
  return out
}

/** Keywords of one mailbox told by FLAGS; beyond it they are used without being announced. */
const MAX_TOLD_KEYWORDS = 1_000

/** What SELECT read of the folder. */
export interface OpenedFolder {
  readonly name: string
  readonly readOnly: boolean
  readonly uids: Ranges
  readonly keywords: readonly string[]
  /** The mailbox's change number before the folder was read. */
  readonly change: number
}

/** True for a row whose \Seen is missing. */
export const isUnseen = (flags: number): boolean => (flags & Flag.seen) === 0
