/**
 * What the server tells a device about one collection: items that left the filter, the change feed since the cursor, then
 * the newest-first walk through what it does not have yet. In: the point and ledger of the shown key. Out: commands, the
 * next point, and the ledger brought up to it. Invariant: after it the ledger is exactly what the device has when it takes
 * the commands, and the point never runs ahead of that.
 */
import { type ChangeNumber, type Changes, type Folder, goneReasons, type Item, type Mid } from '@postrider/domain'
import type { Element } from '@postrider/wire/wbxml'
import type { ItemClass, StatePart } from '../content.ts'
import type { Context } from '../context.ts'
import { Conversations, withoutBody } from './conversations.ts'
import { cutoffOf } from './filter.ts'
import { type Ledger, skippedMark } from './ledger.ts'
import type { RecipeStep, SyncOptions, SyncPoint } from './record.ts'
import { renderItem, sizeOf, stepElement } from './render.ts'

/** How much may still go into the answer. Shared by all collections of a request. */
export interface Budget {
  /** Commands; counts down. */
  commands: number
  /** Bytes of content; counts down. */
  bytes: number
}

export interface ServerChanges {
  readonly elements: readonly Element[]
  readonly steps: readonly RecipeStep[]
  readonly point: SyncPoint
  readonly more: boolean
}

interface Input {
  readonly context: Context
  readonly folder: Folder
  readonly itemClass: ItemClass
  readonly options: SyncOptions
  /** ConversationMode: with a mail inside the filter the rest of its conversation is shown. */
  readonly conversations: boolean
  readonly point: SyncPoint
  readonly ledger: Ledger
  readonly budget: Budget
  /** Items that made the client fail again and again: they are not sent. */
  readonly avoid: ReadonlySet<Mid>
}

/** Rows read from the feed or the folder at once. */
const pageSize = 200

/** The mark of an item: what the class keeps, or its change number where it keeps none. */
export const markOf = (itemClass: ItemClass, item: Item): number => itemClass.marks?.(item) ?? item.cn

/** What changed between two marks. */
export const partsOf = (itemClass: ItemClass, before: number, after: number): 'all' | readonly StatePart[] =>
  itemClass.changedParts?.(before, after) ?? (before === after ? [] : 'all')

export async function serverChanges(input: Input): Promise<ServerChanges> {
  return new Collector(input).run()
}

class Collector {
  readonly #in: Input
  readonly #elements: Element[] = []
  readonly #steps: RecipeStep[] = []
  readonly #cutoff: number
  /** Undefined where the filter is all there is. */
  readonly #conversations: Conversations | undefined
  #more = false
  /** Conversations that are no longer shown have mails left on the device. */
  #leaving = false

  constructor(input: Input) {
    this.#in = input
    const { context, folder, options, conversations } = input
    this.#cutoff = cutoffOf(options.filterType, context.deps.clock.now())
    if (conversations && this.#cutoff !== 0) this.#conversations = new Conversations(context, folder, this.#cutoff)
  }

  async run(): Promise<ServerChanges> {
    const { context, point } = this.#in
    // The walk sees the folder at least as new as the feed's start, so nothing falls between the two.
    let { cursor, walk, cutoff } = point
    if (walk === 'todo' && cursor === 0) cursor = (await context.mailbox.info()).change
    // A wider filter shows older items: the walk goes once more, past what is there already.
    if (this.#cutoff < cutoff || (this.#cutoff === 0 && cutoff !== 0)) walk = 'todo'
    // Conversations that were not shown before: the walk finds what belongs to them.
    if (this.#conversations !== undefined && point.conversations !== 'shown') walk = 'todo'
    cutoff = await this.#leaveFilter(cutoff)
    cursor = await this.#feed(cursor)
    if (!this.#full) walk = await this.#walk(walk)
    const more = this.#more || this.#leaving || walk !== 'done' || cutoff !== this.#cutoff
    const shown = this.#conversations === undefined ? {} : ({ conversations: 'shown' } as const)
    const conversations = this.#leaving ? ({ conversations: 'leaving' } as const) : shown
    return { elements: this.#elements, steps: this.#steps, point: { cursor, walk, cutoff, ...conversations }, more }
  }

  get #full(): boolean {
    return this.#in.budget.commands <= 0 || this.#in.budget.bytes <= 0
  }

  /** SoftDelete for what became older than the filter: MS-ASCMD_R3064. Answers the cutoff that is now kept. */
  async #leaveFilter(before: number): Promise<number> {
    const { context, folder, ledger, point } = this.#in
    const whole = point.conversations !== undefined
    const closed = whole && this.#conversations === undefined
    if (this.#cutoff === 0 || (this.#cutoff <= before && !closed)) return this.#cutoff
    const rows = await context.mailbox.scan({
      folder: folder.id,
      columns: ['mid'],
      received: before === 0 || whole ? { before: this.#cutoff } : { from: before, before: this.#cutoff },
    })
    const leaving = (Array.from(rows.mid) as Mid[]).filter((mid) => ledger.has(mid))
    for (const mid of await this.#unshown(leaving)) {
      if (this.#full) {
        this.#leaving = closed
        return before
      }
      ledger.delete(mid)
      this.#take(['softDelete', mid])
    }
    return this.#cutoff
  }

  /** Those of some items outside the filter that no conversation keeps. */
  async #unshown(mids: readonly Mid[]): Promise<readonly Mid[]> {
    if (this.#conversations === undefined) return mids
    const unshown: Mid[] = []
    for (let at = 0; at < mids.length; at += pageSize) {
      const page = mids.slice(at, at + pageSize)
      for (const item of await this.#in.context.mailbox.get({ by: { mids: page }, columns: ['promoted'] })) {
        if (!(await this.#conversations.shows(item))) unshown.push(item.mid)
      }
    }
    return unshown
  }

  /** What happened since the cursor. Answers the new cursor. */
  async #feed(since: ChangeNumber): Promise<ChangeNumber> {
    const { context, folder } = this.#in
    let cursor = since
    for (;;) {
      const changes = await context.mailbox.changes({ since: cursor, folder: folder.id, limit: pageSize })
      if (changes.resync) return this.#reconcile(cursor)
      const stopped = await this.#page(changes)
      if (stopped !== undefined) {
        this.#more = true
        return Math.max(stopped, cursor) as ChangeNumber
      }
      cursor = changes.upTo
      if (!changes.more) return cursor
    }
  }

  /** One page of the feed, rows and tombstones in the order of their change. Answers where it stopped when there is no room. */
  async #page({ items, gone }: Changes): Promise<ChangeNumber | undefined> {
    const { folder } = this.#in
    const wanted: Mid[] = []
    for (let row = 0; row < items.count; row++) {
      if (items.folder[row] === folder.id && this.#concerns(items.mid[row] as Mid, items.received[row]!)) {
        if (items.associated[row] === 0) wanted.push(items.mid[row] as Mid)
      }
    }
    const byMid = await this.#items(wanted)
    let done = 0 as ChangeNumber
    let row = 0
    let left = 0
    while (row < items.count || left < gone.count) {
      if (this.#full) return done
      const rowFirst = left >= gone.count || (row < items.count && items.change[row]! < gone.change[left]!)
      if (rowFirst) {
        const item = byMid.get(items.mid[row] as Mid)
        if (item !== undefined && !(await this.#changed(item))) return done
        done = items.change[row] as ChangeNumber
        row++
      } else {
        done = gone.change[left] as ChangeNumber
        // A renumbered item is still there: its row says what changed.
        if (gone.folder[left] === folder.id && goneReasons[gone.why[left]!] !== 'renumbered') {
          this.#gone(gone.mid[left] as Mid)
        }
        left++
      }
    }
    return undefined
  }

  #concerns(mid: Mid, received: number): boolean {
    return received >= this.#cutoff || this.#conversations !== undefined || this.#in.ledger.has(mid)
  }

  async #items(mids: readonly Mid[]): Promise<Map<Mid, Item>> {
    const { context, itemClass } = this.#in
    if (mids.length === 0) return new Map()
    const items = await context.mailbox.get({ by: { mids }, columns: itemClass.columns })
    return new Map(items.map((item) => [item.mid, item]))
  }

  /** False when there was no room for what belongs to it: it is looked at again. */
  async #changed(item: Item): Promise<boolean> {
    const { ledger, itemClass, folder } = this.#in
    // It was moved away since the page was read: its tombstone comes with the next one.
    if (item.folder !== folder.id || item.associated) return true
    const before = ledger.get(item.mid)
    if (before === undefined) return (await this.#shown(item)) ? this.#addWhole(item) : true
    if (before === skippedMark) return true
    const mark = markOf(itemClass, item)
    const parts = partsOf(itemClass, before, mark)
    if (parts !== 'all' && parts.length === 0) {
      ledger.set(item.mid, mark)
      return true
    }
    if (this.#in.avoid.has(item.mid)) ledger.set(item.mid, mark)
    else await this.#send(item, ['change', item.mid, parts], parts, mark)
    return true
  }

  async #shown(item: Item): Promise<boolean> {
    return item.received >= this.#cutoff || (await this.#conversations?.shows(item)) === true
  }

  /** An item and, before it, what its conversation has outside the filter. False when there was no room for all of them. */
  async #addWhole(item: Item): Promise<boolean> {
    const { ledger, folder } = this.#in
    if (this.#conversations !== undefined && item.received >= this.#cutoff) {
      const older = (await this.#conversations.older(item)).filter((mid) => !ledger.has(mid))
      for (let at = 0; at < older.length; at += pageSize) {
        for (const one of (await this.#items(older.slice(at, at + pageSize))).values()) {
          if (this.#full) return false
          if (one.folder === folder.id && !one.associated) await this.#add(one)
        }
      }
      if (this.#full) return false
    }
    if (!ledger.has(item.mid)) await this.#add(item)
    return true
  }

  #gone(mid: Mid): void {
    const { ledger } = this.#in
    const before = ledger.get(mid)
    if (before === undefined) return
    ledger.delete(mid)
    if (before !== skippedMark) this.#take(['delete', mid])
  }

  async #add(item: Item): Promise<void> {
    const { ledger, itemClass, avoid } = this.#in
    if (avoid.has(item.mid)) {
      ledger.set(item.mid, skippedMark)
      return
    }
    await this.#send(item, ['add', item.mid], 'all', markOf(itemClass, item))
  }

  async #send(item: Item, step: RecipeStep, part: 'all' | readonly StatePart[], mark: number): Promise<void> {
    const { context, itemClass, options, ledger, folder, budget } = this.#in
    const content = item.received < this.#cutoff ? withoutBody(options.content) : options.content
    const data = await renderItem(context, itemClass, item, content, part)
    if (data === undefined) {
      if (step[0] === 'add') ledger.set(item.mid, skippedMark)
      return
    }
    ledger.set(item.mid, mark)
    // What changed are elements this version does not know (categories in 12.1): there is nothing to say.
    if (step[0] === 'change' && data.length === 0) return
    budget.bytes -= sizeOf(data)
    this.#take(step, stepElement(folder, step, data))
  }

  #take(step: RecipeStep, element: Element = stepElement(this.#in.folder, step, undefined)): void {
    this.#steps.push(step)
    this.#elements.push(element)
    this.#in.budget.commands--
  }

  /** Newest first through what the device does not have. Answers where it stopped. */
  async #walk(from: SyncPoint['walk']): Promise<SyncPoint['walk']> {
    const { context, folder, ledger, budget } = this.#in
    let walk = from
    while (walk !== 'done') {
      const limit = Math.min(pageSize, Math.max(1, budget.commands) + 1)
      const rows = await context.mailbox.scan({
        folder: folder.id,
        columns: ['mid', 'received'],
        order: 'newest',
        limit,
        ...(this.#cutoff === 0 ? {} : { received: { from: this.#cutoff } }),
        ...(walk === 'todo' ? {} : { after: walk }),
      })
      const missing: Mid[] = []
      for (let row = 0; row < rows.count; row++) {
        const mid = rows.mid[row] as Mid
        if (!ledger.has(mid) || this.#conversations !== undefined) missing.push(mid)
      }
      const byMid = await this.#items(missing)
      for (let row = 0; row < rows.count; row++) {
        const mid = rows.mid[row] as Mid
        const item = byMid.get(mid)
        if (item !== undefined && item.folder === folder.id && !item.associated) {
          if (this.#full || !(await this.#addWhole(item))) return walk
        }
        walk = { received: rows.received[row]!, mid }
      }
      if (rows.count < limit) walk = 'done'
    }
    return walk
  }

  /**
   * The feed no longer reaches back to the cursor: the folder as it is against the ledger. What does not fit into the answer
   * is found the same way next time, since the cursor stays and the ledger goes on.
   */
  async #reconcile(since: ChangeNumber): Promise<ChangeNumber> {
    const { context, folder, ledger } = this.#in
    const { change } = await context.mailbox.info()
    const rows = await context.mailbox.scan({ folder: folder.id, columns: ['mid', 'received'] })
    const present = new Set<Mid>()
    for (let row = 0; row < rows.count; row++) {
      const mid = rows.mid[row] as Mid
      if (this.#concerns(mid, rows.received[row]!)) present.add(mid)
    }
    for (const mid of [...ledger.mids()]) {
      if (present.has(mid)) continue
      if (this.#full) return this.#unfinished(since)
      this.#gone(mid)
    }
    const mids = [...present]
    for (let at = 0; at < mids.length; at += pageSize) {
      for (const item of (await this.#items(mids.slice(at, at + pageSize))).values()) {
        if (this.#full || !(await this.#changed(item))) return this.#unfinished(since)
      }
    }
    return change
  }

  #unfinished(since: ChangeNumber): ChangeNumber {
    this.#more = true
    return since
  }
}
