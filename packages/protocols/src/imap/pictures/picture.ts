import type { ChangeNumber, Changes, Column, Packed, ResultOf } from '@postrider/domain'
import { type Ranges, rangesOf } from '@postrider/wire/imap'
import type { Texts } from './texts.ts'

/** Columns every picture has. */
export const pictureColumns = ['uid', 'flags', 'keywords', 'change'] as const satisfies readonly Column[]
/** Columns that never change for a UID: read when first asked for, taken over from picture to picture. */
export const lastingColumns = ['size', 'received', 'itemId'] as const satisfies readonly Column[]
export type LastingColumn = (typeof lastingColumns)[number]

export type PictureRows = Packed<(typeof pictureColumns)[number]>

/** What is kept beside the rows and stays right while the same messages are there, whatever their flags. */
export interface Lasting {
  readonly columns: Map<LastingColumn, Float64Array>
  /** Prepared parts of answers, by what was asked. */
  readonly texts: Map<string, Texts>
  /** What orders and threads are computed from, by UID; kept when messages come and go. */
  readonly keys: Map<string, Map<number, unknown>>
  /** Orders and threads of the whole folder, by what was asked: right for these messages only. */
  readonly results: Map<string, unknown>
}

/** A folder as it was at `upTo`: rows ascending by UID. Never changed; what happened since makes a new one. */
export class Picture {
  readonly rows: PictureRows
  /** Everything up to this change number is in it. */
  readonly upTo: ChangeNumber
  readonly lasting: Lasting
  readonly #gone: Gone
  #ranges: Ranges | undefined

  constructor(
    rows: PictureRows,
    upTo: ChangeNumber,
    lasting: Lasting = emptyLasting(),
    gone: Gone = { from: upTo, uids: [], changes: [] },
  ) {
    this.rows = rows
    this.upTo = upTo
    this.lasting = lasting
    this.#gone = gone
  }

  /** UIDs that went between `change` and now; undefined when it does not remember that far back. */
  goneAfter(change: number): readonly number[] | undefined {
    const { from, uids, changes } = this.#gone
    if (change < from) return undefined
    return uids.filter((_, i) => (changes[i] as number) > change)
  }

  /** The UIDs as ranges. */
  get ranges(): Ranges {
    this.#ranges ??= rangesOf(this.rows.uid)
    return this.#ranges
  }

  /** About how many bytes it takes. */
  get bytes(): number {
    let sum = this.rows.count * 20 + this.#gone.uids.length * GONE_BYTES + BARE_BYTES
    for (const column of this.lasting.columns.values()) sum += column.byteLength
    for (const texts of this.lasting.texts.values()) sum += texts.byteLength
    for (const keys of this.lasting.keys.values()) sum += keys.size * KEY_BYTES
    return sum + this.lasting.results.size * this.rows.count * RESULT_BYTES
  }

  /** The same at a later moment. */
  asOf(upTo: ChangeNumber): Picture {
    if (upTo === this.upTo) return this
    const picture = new Picture(this.rows, upTo, this.lasting, this.#gone)
    picture.#ranges = this.#ranges
    return picture
  }

  /** The folder after these changes, all that came after `upTo`. */
  after(changes: Changes): Picture {
    const { items, gone, upTo } = changes
    if (items.count === 0 && gone.count === 0) return this.asOf(upTo)
    const vanished = remember(this.#gone, changes)
    const lost = new Set(gone.uid)
    const changed = new Map<number, number>()
    for (let row = 0; row < items.count; row++) {
      if (items.associated[row] === 0) changed.set(items.uid[row] as number, row)
    }
    const sets = new Sets(this.rows.keywordSets)
    const place = (row: number): number => sets.placeOf(items.keywordSets[items.keywords[row] as number] ?? [])
    const old = this.rows
    const places = [...changed].map(([uid, row]) => [this.rowOf(uid), row] as const)
    if (places.every(([at]) => at >= 0) && ![...lost].some((uid) => this.#has(uid)))
      return this.#patched(items, places, sets, place, upTo, vanished)
    const kept: number[] = []
    for (let row = 0; row < old.count; row++) if (!lost.has(old.uid[row] as number)) kept.push(row)
    const fresh = [...changed.keys()].filter((uid) => !this.#has(uid)).sort((a, b) => a - b)
    const order = merged(old.uid, kept, fresh)
    const count = order.length
    const rows = {
      count,
      uid: new Uint32Array(count),
      flags: new Uint32Array(count),
      keywords: new Uint32Array(count),
      change: new Float64Array(count),
    }
    for (let at = 0; at < count; at++) {
      // A row of ours, or (below zero) one that is new.
      const from = order[at] as number
      const uid = from < 0 ? (fresh[-from - 1] as number) : (old.uid[from] as number)
      const row = changed.get(uid)
      rows.uid[at] = uid
      rows.flags[at] = (row === undefined ? old.flags[from] : items.flags[row]) as number
      rows.keywords[at] = row === undefined ? (old.keywords[from] as number) : place(row)
      rows.change[at] = (row === undefined ? old.change[from] : items.change[row]) as number
    }
    const lasting = { ...emptyLasting(), texts: this.lasting.texts, keys: this.lasting.keys }
    return new Picture({ ...rows, keywordSets: sets.all }, upTo, lasting, vanished)
  }

  /** The folder after a change of flags alone, all that came after `upTo`; undefined when it is of a message that is not here. */
  flagged({ uids, flags, changes }: Pick<ResultOf<'flag'>, 'uids' | 'flags' | 'changes'>): Picture | undefined {
    const rows = { ...this.rows, flags: this.rows.flags.slice(), change: this.rows.change.slice() }
    for (let i = 0; i < uids.length; i++) {
      const at = this.rowOf(uids[i] as number)
      if (at < 0) return undefined
      rows.flags[at] = flags[i] as number
      rows.change[at] = changes[i] as number
    }
    const picture = new Picture(rows, (this.upTo + changes.length) as ChangeNumber, this.lasting, this.#gone)
    picture.#ranges = this.#ranges
    return picture
  }

  /** The same messages with other flags: the usual change. */
  #patched(
    items: Changes['items'],
    places: readonly (readonly [number, number])[],
    sets: Sets,
    place: (row: number) => number,
    upTo: ChangeNumber,
    gone: Gone,
  ): Picture {
    const { rows: old } = this
    const rows = { ...old, flags: old.flags.slice(), keywords: old.keywords.slice(), change: old.change.slice() }
    for (const [at, row] of places) {
      rows.flags[at] = items.flags[row] as number
      rows.keywords[at] = place(row)
      rows.change[at] = items.change[row] as number
    }
    const picture = new Picture({ ...rows, keywordSets: sets.all }, upTo, this.lasting, gone)
    picture.#ranges = this.#ranges
    return picture
  }

  #has(uid: number): boolean {
    return this.rowOf(uid) >= 0
  }

  /** The row of a UID, or -1. */
  rowOf(uid: number): number {
    const { uid: uids, count } = this.rows
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((uids[middle] as number) < uid) low = middle + 1
      else high = middle
    }
    return low < count && uids[low] === uid ? low : -1
  }
}

/** What went after `from`, in the order of the changes: who comes back by QRESYNC is told without a question. */
interface Gone {
  readonly from: ChangeNumber
  readonly uids: readonly number[]
  readonly changes: readonly number[]
}
/** Messages that went and are remembered; beyond it, it begins anew. */
const MOST_GONE = 5_000
const GONE_BYTES = 16

function remember(known: Gone, { gone, upTo }: Changes): Gone {
  if (gone.count === 0) return known
  if (known.uids.length + gone.count > MOST_GONE) return { from: upTo, uids: [], changes: [] }
  return { from: known.from, uids: [...known.uids, ...gone.uid], changes: [...known.changes, ...gone.change] }
}

/** What a folder without messages takes. */
const BARE_BYTES = 1_500
/** About what an order or a thread costs a message, and what it is computed from. */
const RESULT_BYTES = 16
const KEY_BYTES = 250

const emptyLasting = (): Lasting => ({
  columns: new Map(),
  texts: new Map(),
  keys: new Map(),
  results: new Map(),
})

/** Rows kept and rows that are new (as -1, -2, …), ascending by UID. */
function merged(uids: Uint32Array, kept: readonly number[], fresh: readonly number[]): number[] {
  const out: number[] = []
  let next = 0
  for (const row of kept) {
    while (next < fresh.length && (fresh[next] as number) < (uids[row] as number)) out.push(-++next)
    out.push(row)
  }
  while (next < fresh.length) out.push(-++next)
  return out
}

/** Keyword sets that grow by the ones not there yet. */
class Sets {
  readonly all: (readonly string[])[]
  readonly #places = new Map<string, number>()

  constructor(sets: readonly (readonly string[])[]) {
    this.all = [...sets]
    for (const [place, set] of sets.entries()) this.#places.set(set.join(' '), place)
  }

  placeOf(set: readonly string[]): number {
    const key = set.join(' ')
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.all.push(set) - 1
      this.#places.set(key, place)
    }
    return place
  }
}
