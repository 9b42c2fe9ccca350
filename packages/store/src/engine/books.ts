import type { SegmentRow } from '../blobs/index.ts'
import type { Statements } from './statements.ts'
import type { Journal } from './journal.ts'
import { MailboxState } from './mailbox-state.ts'
import { type FolderRow, mailboxRow } from './rows.ts'
import { read } from './sql/read.ts'
import { write } from './sql/write.ts'

/** Mailboxes whose state is kept between batches. */
const MAX_KEPT = 4_096

/** Numbers given once in a database, never again. */
export type CounterName = 'item' | 'blob' | 'queue' | 'dead'

interface SegmentState {
  readonly segment: number
  bytes: number
  live: number
  sealed: boolean
}

/**
 * The numbers that nearly every write changes: change counters, folder counters, live bytes of segments. The one writer keeps them here,
 * and each changed record is written once a batch, right before the commit. Invariant: between batches they equal the rows.
 */
export class Books {
  readonly #connection: Statements
  readonly #counters = new Map<CounterName, number>()
  #countersMoved = false
  /** Least recently used first. */
  readonly #mailboxes = new Map<number, MailboxState>()
  readonly #segments = new Map<number, SegmentState>()
  readonly #changed = new Set<MailboxState>()
  readonly #changedFolders = new Map<FolderRow, number>()
  readonly #changedSegments = new Set<SegmentState>()

  constructor(connection: Statements) {
    this.#connection = connection
    for (const row of connection.all(read.counters)) this.#counters.set(row[0] as CounterName, row[1] as number)
    this.#loadSegments()
  }

  #loadSegments(): void {
    this.#segments.clear()
    for (const [segment, bytes, live, sealed] of this.#connection.all(read.segments) as unknown as number[][]) {
      this.#segments.set(segment!, { segment: segment!, bytes: bytes!, live: live!, sealed: sealed === 1 })
    }
  }

  /** The next number, the first of `count`; may be taken outside a transaction, and is then lost if nothing commits. */
  next(counter: CounterName, count = 1): number {
    const value = this.#counters.get(counter) ?? 1
    this.#counters.set(counter, value + count)
    this.#countersMoved = true
    return value
  }

  mailbox(id: number): MailboxState | undefined {
    const known = this.#mailboxes.get(id)
    if (known !== undefined) {
      this.#mailboxes.delete(id)
      this.#mailboxes.set(id, known)
      return known
    }
    const row = this.#connection.get(read.mailbox, id)
    if (row === undefined) return undefined
    const state = new MailboxState(this.#connection, this, mailboxRow(id, row))
    this.#mailboxes.set(id, state)
    return state
  }

  /** A mailbox that is kept, without asking the database. */
  kept(id: number): MailboxState | undefined {
    return this.#mailboxes.get(id)
  }

  /** Before a change of the mailbox's row. */
  change(journal: Journal, mailbox: MailboxState): void {
    journal.save(mailbox.row)
    this.#changed.add(mailbox)
  }

  /** Before a change of a folder's counters. */
  changeFolder(journal: Journal, mailbox: MailboxState, folder: FolderRow): void {
    journal.save(folder)
    this.#changedFolders.set(folder, mailbox.id)
  }

  /** `bytes` more (or fewer) of a segment are named by rows. */
  live(journal: Journal, segment: number, bytes: number): void {
    let state = this.#segments.get(segment)
    if (state === undefined) {
      state = { segment, bytes: 0, live: 0, sealed: false }
      this.#segments.set(segment, state)
    }
    journal.save(state)
    state.live += bytes
    this.#changedSegments.add(state)
  }

  segments(): readonly Readonly<SegmentState>[] {
    return [...this.#segments.values()]
  }

  /** With the removal of a segment's row. */
  dropSegment(journal: Journal, segment: number): void {
    const state = this.#segments.get(segment)
    if (state === undefined) return
    journal.delete(this.#segments, segment)
    if (this.#changedSegments.delete(state)) journal.undo(() => this.#changedSegments.add(state))
  }

  /** Writes what changed; `lengths` says how far the segments open for writing are synced. */
  flush(lengths: readonly SegmentRow[]): void {
    const connection = this.#connection
    for (const { segment, bytes, sealed } of lengths) {
      const state = this.#segments.get(segment)
      if (state === undefined) this.#segments.set(segment, { segment, bytes, live: 0, sealed })
      else if (state.bytes === bytes && state.sealed === sealed) continue
      else Object.assign(state, { bytes, sealed })
      this.#changedSegments.add(this.#segments.get(segment) as SegmentState)
    }
    for (const { row } of this.#changed) {
      const { change, lowest, hierarchy, nextId, uidValidity, usedBytes, items, quota, mailbox } = row
      connection.run(write.putMailbox, change, lowest, hierarchy, nextId, uidValidity, usedBytes, items, quota, mailbox)
    }
    for (const [folder, mailbox] of this.#changedFolders) {
      const { contentChange, uidNext, total, unread, deleted, hidden, bytes, id } = folder
      connection.run(write.putFolderCount, contentChange, uidNext, total, unread, deleted, hidden, bytes, id, mailbox)
    }
    for (const { segment, bytes, live, sealed } of this.#changedSegments) {
      connection.run(write.putSegment, segment, bytes, live, sealed ? 1 : 0)
    }
    if (this.#countersMoved) for (const [name, value] of this.#counters) connection.run(write.putCounter, name, value)
  }

  /** After the commit. */
  settled(): void {
    this.#changed.clear()
    this.#changedFolders.clear()
    this.#changedSegments.clear()
    this.#countersMoved = false
    for (const id of this.#mailboxes.keys()) {
      if (this.#mailboxes.size <= MAX_KEPT) break
      this.#mailboxes.delete(id)
    }
  }

  /** After a rollback of everything: back to what the database says. Numbers already given stay given. */
  forget(): void {
    this.drop()
    this.#loadSegments()
  }

  /** Drops all that is kept; `forget` has to follow before the next write. */
  drop(): void {
    this.#changed.clear()
    this.#changedFolders.clear()
    this.#changedSegments.clear()
    this.#mailboxes.clear()
    this.#countersMoved = true
  }

  /** Remembers the next numbers: what it answers puts them back, for work that begins again. */
  markNumbers(): () => void {
    const before = [...this.#counters]
    return () => {
      this.#counters.clear()
      for (const [name, value] of before) this.#counters.set(name, value)
    }
  }

  /** After a mailbox was removed. */
  dropMailbox(id: number): void {
    const state = this.#mailboxes.get(id)
    if (state !== undefined) this.#changed.delete(state)
    for (const [folder, mailbox] of this.#changedFolders) if (mailbox === id) this.#changedFolders.delete(folder)
    this.#mailboxes.delete(id)
  }
}
