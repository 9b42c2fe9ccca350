/** A sorted list of a folder or search as the server sees it, of which only the windows looked at are here: RFC 8620 §5.5, §5.6. */
import { type Signal, signal } from '@preact/signals'
import { PAGE, rowProperties } from '../../start.ts'
import type { JmapClient } from '../jmap/client.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { QueryAnswer, QueryChanged } from '../jmap/methods.ts'
import type { Email, Filter, Id } from '../jmap/types.ts'

export interface QuerySpec {
  readonly filter: Filter | null
  readonly collapseThreads: boolean
}

/** Where the rows' mails and conversations are put. */
export interface RowSink {
  readonly client: JmapClient
  putEmails(list: readonly Email[], state: string | undefined): void
  putThreads(list: readonly { readonly id: Id; readonly emailIds: readonly Id[] }[]): void
}

const sort = [{ property: 'receivedAt', isAscending: false }]

export class ListQuery {
  readonly key: string
  readonly spec: QuerySpec
  /** Rows of the whole list; undefined until the server said so. */
  readonly total: Signal<number | undefined> = signal(undefined)
  /** Rises with every change of the rows. */
  readonly version: Signal<number> = signal(0)
  readonly problem: Signal<'offline' | 'failed' | undefined> = signal(undefined)
  readonly #sink: RowSink
  #ids: (Id | undefined)[] = []
  /** Pages whose rows are as the server said last. */
  #fresh = new Set<number>()
  #loading = new Map<number, Promise<void>>()
  #state: string | undefined
  #stale = false
  #refreshing: Promise<void> | undefined
  #seen = { from: 0, to: PAGE }

  constructor(sink: RowSink, spec: QuerySpec) {
    this.#sink = sink
    this.spec = spec
    this.key = keyOf(spec)
  }

  at(index: number): Id | undefined {
    return this.#ids[index]
  }
  indexOf(id: Id): number {
    return this.#ids.indexOf(id)
  }
  /** The server's state these rows are of; undefined until they were read. */
  get state(): string | undefined {
    return this.#state
  }
  /** The ids that are here, in order. */
  known(): Id[] {
    return this.#ids.filter((id) => id !== undefined)
  }

  /** Takes an answer of Email/query. */
  take(answer: QueryAnswer): void {
    this.#state = answer.queryState
    const total = answer.total ?? Math.max(this.#ids.length, answer.position + answer.ids.length)
    this.#ids.length = total
    for (const [offset, id] of answer.ids.entries()) this.#ids[answer.position + offset] = id
    this.#fresh.add(Math.floor(answer.position / PAGE))
    this.total.value = total
    this.version.value++
  }

  /** Makes sure the rows from..to are here. */
  async ensure(from: number, to: number): Promise<void> {
    this.#seen = { from, to }
    const total = this.total.peek()
    const last = total === undefined ? to : Math.min(to, total - 1)
    const pages: Promise<void>[] = []
    for (let page = Math.floor(Math.max(0, from) / PAGE); page * PAGE <= Math.max(0, last); page++)
      if (!this.#complete(page)) pages.push(this.#load(page))
    await Promise.all(pages)
  }

  #complete(page: number): boolean {
    if (!this.#fresh.has(page)) return false
    const total = this.total.peek() ?? 0
    for (let i = page * PAGE; i < Math.min(total, (page + 1) * PAGE); i++) if (this.#ids[i] === undefined) return false
    return true
  }

  #load(page: number): Promise<void> {
    const known = this.#loading.get(page)
    if (known !== undefined) return known
    const loading = this.#fetch(page).finally(() => this.#loading.delete(page))
    this.#loading.set(page, loading)
    return loading
  }

  async #fetch(page: number): Promise<void> {
    const { client } = this.#sink
    const query = client.call('Email/query', {
      ...this.spec,
      sort,
      position: page * PAGE,
      limit: PAGE,
      calculateTotal: true,
    })
    try {
      if (this.spec.collapseThreads) {
        const ids = client.call('Email/get', { ids: query.ref('/ids'), properties: ['threadId'] })
        const threads = client.call('Thread/get', { ids: ids.ref('/list/*/threadId') })
        const emails = client.call('Email/get', { ids: threads.ref('/list/*/emailIds'), properties: rowProperties })
        const answer = await query
        this.#sink.putThreads((await threads).list)
        try {
          const { list, state } = await emails
          this.#sink.putEmails(list, state)
        } catch (error) {
          if (!(error instanceof JmapError) || error.type !== 'requestTooLarge') throw error
          const rows = await client.call('Email/get', { ids: answer.ids, properties: rowProperties })
          this.#sink.putEmails(rows.list, rows.state)
        }
        this.#takePage(page, answer)
      } else {
        const emails = client.call('Email/get', { ids: query.ref('/ids'), properties: rowProperties })
        const answer = await query
        const { list, state } = await emails
        this.#sink.putEmails(list, state)
        this.#takePage(page, answer)
      }
      this.problem.value = undefined
    } catch (error) {
      this.problem.value = error instanceof OfflineError ? 'offline' : 'failed'
    }
  }

  #takePage(page: number, answer: QueryAnswer): void {
    const before = this.#state
    if (before !== undefined && before !== answer.queryState) {
      // Something came or went since the other windows were read: those are brought up to date from their own state.
      this.#fresh.clear()
      this.take(answer)
      if (page !== Math.floor(this.#seen.from / PAGE)) void this.ensure(this.#seen.from, this.#seen.to)
    } else this.take(answer)
  }

  /** Brings the list up to date with the server. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #refresh(): Promise<void> {
    if (this.#state === undefined) return this.ensure(this.#seen.from, this.#seen.to)
    try {
      const { client } = this.#sink
      const changes = client.call('Email/queryChanges', {
        ...this.spec,
        sort,
        sinceQueryState: this.#state,
        maxChanges: 500,
        calculateTotal: true,
      })
      const emails = client.call('Email/get', { ids: changes.ref('/added/*/id'), properties: rowProperties })
      const changed = await changes
      const { list, state } = await emails
      this.#sink.putEmails(list, state)
      if (this.spec.collapseThreads && list.length > 0) {
        const threads = await client.call('Thread/get', { ids: [...new Set(list.map((one) => one.threadId))] })
        this.#sink.putThreads(threads.list)
      }
      this.apply(changed)
    } catch (error) {
      if (error instanceof OfflineError) this.problem.value = 'offline'
      else this.#fresh.clear()
    }
    await this.ensure(this.#seen.from, this.#seen.to)
  }

  /** RFC 8620 §5.6: takes the removed out, puts the added in at their places. */
  apply(changed: QueryChanged): void {
    const removed = new Set(changed.removed)
    for (const { id } of changed.added) removed.add(id)
    const firstGap = this.#firstGap()
    let unknown = changed.removed.length > 0 && changed.removed.some((id) => !this.#ids.includes(id))
    if (removed.size > 0) this.#ids = dense(this.#ids).filter((id) => id === undefined || !removed.has(id))
    for (const { id, index } of [...changed.added].sort((a, b) => a.index - b.index)) {
      if (index > this.#ids.length) unknown = true
      if (index >= this.#ids.length) this.#ids[index] = id
      else this.#ids.splice(index, 0, id)
    }
    if (changed.total !== undefined) {
      this.#ids.length = changed.total
      this.total.value = changed.total
    } else this.total.value = this.#ids.length
    // Where rows were unknown it cannot be told how far the ones behind them moved: they are read again when they are looked at.
    if (unknown && firstGap !== undefined)
      for (const page of [...this.#fresh]) if ((page + 1) * PAGE > firstGap) this.#fresh.delete(page)
    this.#state = changed.newQueryState
    this.version.value++
  }

  #firstGap(): number | undefined {
    for (let i = 0; i < this.#ids.length; i++) if (this.#ids[i] === undefined) return i
    return undefined
  }

  /** Takes rows out before the server knows; what it returns puts them back. */
  remove(ids: ReadonlySet<Id>): readonly { readonly index: number; readonly id: Id }[] {
    const taken: { index: number; id: Id }[] = []
    for (const [index, id] of this.#ids.entries()) if (id !== undefined && ids.has(id)) taken.push({ index, id })
    if (taken.length === 0) return taken
    this.#ids = dense(this.#ids).filter((id) => id === undefined || !ids.has(id))
    this.total.value = this.#ids.length
    this.version.value++
    return taken
  }

  putBack(taken: readonly { readonly index: number; readonly id: Id }[]): void {
    for (const { index, id } of taken)
      if (!this.#ids.includes(id)) this.#ids.splice(Math.min(index, this.#ids.length), 0, id)
    this.total.value = this.#ids.length
    this.version.value++
  }

  /** Something changed; the list is read again when it is opened. */
  stale(): void {
    this.#stale = true
  }
  /** Called when the list is shown. */
  async open(): Promise<void> {
    if (!this.#stale) return
    this.#stale = false
    await this.refresh()
  }

  /** Everything may be different: read again what is looked at. */
  forget(): void {
    this.#fresh.clear()
    this.#state = undefined
  }
}

/** A sparse array's holes as values, for `filter` leaves holes out. */
const dense = (ids: (Id | undefined)[]): (Id | undefined)[] => Array.from(ids)

export const keyOf = (spec: QuerySpec): string => JSON.stringify([spec.filter, spec.collapseThreads])
