/**
 * What the user does to mails: shown at once, sent in order, sent again when the server could not be reached (also by the next page, for
 * the queue is kept in the browser), taken back when the server refuses; every act can be undone.
 */
import { type Signal, signal } from '@preact/signals'
import { markProperties } from '../../start.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { Email, FollowUp, Id } from '../jmap/types.ts'
import type { ListQuery } from './query.ts'
import type { Marks, Store } from './store.ts'

interface Change {
  readonly id: Id
  readonly before: Marks
  readonly after: Marks
}

/** One act as the server will hear it. */
interface Sending {
  readonly update: Readonly<Record<Id, Readonly<Record<string, unknown>>>>
  readonly destroy: readonly Id[]
}

export interface Done {
  readonly count: number
  undo(): void
}

export interface Keeper {
  load(): string | null
  save(text: string): void
}

const FIRST_WAIT = 2_000
const LONGEST_WAIT = 60_000
/** Mails in one Email/set. */
export const SET_SIZE = 250

export class Acts {
  readonly #store: Store
  readonly #keeper: Keeper
  readonly #refused: (problem: string) => void
  #queue: Sending[] = []
  #working = false
  #wait = FIRST_WAIT
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Acts not yet with the server. */
  readonly waiting: Signal<number> = signal(0)

  constructor(store: Store, keeper: Keeper, refused: (problem: string) => void) {
    this.#store = store
    this.#keeper = keeper
    this.#refused = refused
    try {
      this.#queue = JSON.parse(keeper.load() ?? '[]') as Sending[]
    } catch {
      // Not ours or cut off: nothing can be known of it.
      this.#queue = []
    }
    this.waiting.value = this.#queue.length
    if (this.#queue.length > 0) void this.#work()
  }

  /** What the server has not heard yet, in order. */
  queued(): readonly Sending[] {
    return this.#queue
  }

  /** Changes marks of mails by a rule; mails the rule leaves as they are do not count. */
  change(ids: readonly Id[], rule: (email: Email) => Marks): Done {
    const changes: Change[] = []
    for (const id of new Set(ids)) {
      const email = this.#store.email(id).peek()
      if (email === undefined) continue
      const { mailboxIds, keywords, categories = {}, followUp = null, snoozed = null, inference = 'focused' } = email
      const before: Marks = { mailboxIds, keywords, categories, followUp, snoozed, inference }
      const after = { ...before, ...rule(email) }
      if (Object.keys(patchOf(before, after)).length > 0) changes.push({ id, before, after })
    }
    return this.#apply(changes)
  }

  #apply(changes: readonly Change[]): Done {
    const taken = this.#show(changes)
    this.#send({
      update: Object.fromEntries(changes.map(({ id, before, after }) => [id, patchOf(before, after)])),
      destroy: [],
    })
    return {
      count: changes.length,
      undo: () => {
        this.#show(changes.map(({ id, before, after }) => ({ id, before: after, after: before })))
        for (const [list, rows] of taken) list.putBack(rows)
        this.#send({
          update: Object.fromEntries(changes.map(({ id, before, after }) => [id, patchOf(after, before)])),
          destroy: [],
        })
      },
    }
  }

  /** Deletes mails for good. */
  destroy(ids: readonly Id[]): void {
    const gone = new Set(ids)
    for (const list of this.#store.lists()) list.remove(gone)
    this.#count(
      ids.flatMap((id) => {
        const email = this.#store.email(id).peek()
        return email === undefined ? [] : [{ id, before: email, after: { mailboxIds: {}, keywords: email.keywords } }]
      }),
    )
    this.#store.drop(ids)
    this.#send({ update: {}, destroy: ids })
  }

  /** In signals, counters and lists. What left a list is told, so that it can come back to its place. */
  #show(changes: readonly Change[]): readonly [ListQuery, ReturnType<ListQuery['remove']>][] {
    for (const { id, after } of changes) {
      this.#store.pending.set(id, after)
      const email = this.#store.email(id)
      const now = email.peek()
      if (now !== undefined) email.value = { ...now, ...after }
    }
    this.#count(changes)
    const taken: [ListQuery, ReturnType<ListQuery['remove']>][] = []
    for (const list of this.#store.lists()) {
      const { filter, collapseThreads } = list.spec
      if (filter === null || 'operator' in filter || typeof filter.inMailbox !== 'string') continue
      const mailbox = filter.inMailbox
      const left = new Set<Id>()
      for (const { id, after } of changes) if (after.mailboxIds[mailbox] !== true) left.add(id)
      if (left.size === 0) continue
      // A conversation stays while one of its mails is in the folder.
      if (collapseThreads)
        for (const id of [...left]) {
          const thread = this.#store.email(id).peek()?.threadId
          const others = thread === undefined ? [] : this.#store.thread(thread).peek()
          if (others.some((one) => this.#store.email(one).peek()?.mailboxIds[mailbox] === true)) left.delete(id)
        }
      const rows = list.remove(left)
      if (rows.length > 0) taken.push([list, rows])
    }
    return taken
  }

  /** The folders' numbers follow at once; the server's come later. */
  #count(changes: readonly { readonly before: Marks; readonly after: Marks }[]): void {
    const total = new Map<Id, number>()
    const unread = new Map<Id, number>()
    const add = (marks: Marks, by: 1 | -1): void => {
      for (const id of Object.keys(marks.mailboxIds)) {
        total.set(id, (total.get(id) ?? 0) + by)
        if (marks.keywords.$seen !== true && marks.keywords.$draft !== true) unread.set(id, (unread.get(id) ?? 0) + by)
      }
    }
    for (const { before, after } of changes) {
      add(before, -1)
      add(after, 1)
    }
    const mailboxes = new Map(this.#store.mailboxes.peek())
    for (const [id, by] of total) {
      const one = mailboxes.get(id)
      if (one === undefined) continue
      const more = unread.get(id) ?? 0
      mailboxes.set(id, {
        ...one,
        totalEmails: Math.max(0, one.totalEmails + by),
        unreadEmails: Math.max(0, one.unreadEmails + more),
        unreadThreads: Math.max(0, one.unreadThreads + more),
      })
    }
    this.#store.mailboxes.value = mailboxes
  }

  #send(sending: Sending): void {
    const update = Object.entries(sending.update)
    const { destroy } = sending
    for (let at = 0; at < Math.max(update.length, destroy.length); at += SET_SIZE)
      this.#queue.push({
        update: Object.fromEntries(update.slice(at, at + SET_SIZE)),
        destroy: destroy.slice(at, at + SET_SIZE),
      })
    this.#keep()
    void this.#work()
  }

  #keep(): void {
    this.waiting.value = this.#queue.length
    this.#keeper.save(JSON.stringify(this.#queue))
  }

  /** Asks again at once: the network is back. */
  retry(): void {
    clearTimeout(this.#timer)
    this.#wait = FIRST_WAIT
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      while (this.#queue.length > 0) {
        const [first] = this.#queue
        if (first === undefined) break
        try {
          const answer = await this.#store.client.call('Email/set', first)
          this.#settle(first, answer.notUpdated ?? {})
        } catch (error) {
          if (error instanceof OfflineError || (error instanceof JmapError && error.type === 'signedOut')) {
            this.#timer = setTimeout(() => void this.#work(), this.#wait)
            this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT)
            return
          }
          this.#settle(first, Object.fromEntries(Object.keys(first.update).map((id) => [id, { type: String(error) }])))
        }
        this.#wait = FIRST_WAIT
        this.#queue.shift()
        this.#keep()
      }
    } finally {
      this.#working = false
    }
  }

  #settle(sent: Sending, notUpdated: Readonly<Record<Id, { readonly type: string }>>): void {
    const laterIds = new Set(this.#queue.slice(1).flatMap((one) => Object.keys(one.update)))
    for (const id of Object.keys(sent.update)) if (!laterIds.has(id)) this.#store.pending.delete(id)
    const refused = Object.keys(notUpdated).filter((id) => notUpdated[id]?.type !== 'notFound')
    if (refused.length === 0) return
    this.#refused(notUpdated[refused[0] ?? '']?.type ?? '')
    // What the server holds is what is true.
    void this.#store.client.call('Email/get', { ids: refused, properties: markProperties }).then(
      ({ list }) => this.#store.putEmails(list, undefined),
      () => {},
    )
    for (const list of this.#store.lists()) {
      list.forget()
      void list.refresh()
    }
  }
}

/** RFC 8620 §5.3: what differs, as a patch. */
export function patchOf(before: Marks, after: Marks): Record<string, unknown> {
  const patch: Record<string, unknown> = {}
  const snoozes = JSON.stringify(before.snoozed ?? null) !== JSON.stringify(after.snoozed ?? null)
  if (snoozes) patch.snoozed = after.snoozed ?? null
  for (const property of ['mailboxIds', 'keywords', 'categories'] as const) {
    // Where a snoozed mail goes, and comes back from, is the server's business.
    if (snoozes && property === 'mailboxIds') continue
    const [old, now] = [before[property] ?? {}, after[property] ?? {}]
    for (const key of Object.keys(old)) if (now[key] !== true) patch[`${property}/${escapeKey(key)}`] = null
    for (const key of Object.keys(now)) if (old[key] !== true) patch[`${property}/${escapeKey(key)}`] = true
  }
  if (JSON.stringify(before.followUp ?? null) !== JSON.stringify(after.followUp ?? null)) {
    patch.followUp = after.followUp ?? null
    // The flag goes with it.
    delete patch['keywords/$flagged']
  }
  if ((before.inference ?? 'focused') !== (after.inference ?? 'focused')) patch.inference = after.inference
  return patch
}
/** RFC 6901 §3. */
const escapeKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** Where a snoozed mail is shown to be until the server says so. */
const ASLEEP = 'snoozed'

/** The rules of acts. */
export const marks = {
  categorise:
    (name: string, on: boolean) =>
    ({ mailboxIds, keywords, categories = {} }: Email): Marks => {
      const { [name]: _, ...rest } = categories
      return { mailboxIds, keywords, categories: on ? { ...rest, [name]: true } : rest }
    },
  /** Out of sight until then; null: back again. `folder`: that of snoozed mails, if it is there. */
  snooze:
    (until: string | null, folder: Id | undefined, inbox: Id | undefined) =>
    ({ keywords, mailboxIds }: Email): Marks => {
      const to = until === null ? inbox : (folder ?? ASLEEP)
      return {
        keywords,
        mailboxIds: to === undefined ? mailboxIds : { [to]: true },
        snoozed: until === null ? null : { until },
      }
    },
  followUp:
    (followUp: FollowUp | null) =>
    ({ mailboxIds, keywords }: Email): Marks => {
      const { $flagged: _, ...rest } = keywords
      const flagged = followUp !== null && followUp.completed === null
      return { mailboxIds, keywords: flagged ? { ...rest, $flagged: true } : rest, followUp }
    },
  inference:
    (inference: 'focused' | 'other') =>
    ({ mailboxIds, keywords }: Email): Marks => ({ mailboxIds, keywords, inference }),
  keyword:
    (keyword: string, on: boolean) =>
    ({ mailboxIds, keywords }: Email): Marks => {
      const { [keyword]: _, ...rest } = keywords
      return { mailboxIds, keywords: on ? { ...rest, [keyword]: true } : rest }
    },
  /** Out of `from` (or out of everything) and into `to`. */
  move:
    (from: Id | undefined, to: Id) =>
    ({ mailboxIds, keywords }: Email): Marks => {
      const rest: Record<Id, true> = from === undefined ? {} : { ...mailboxIds }
      if (from !== undefined) delete rest[from]
      return { mailboxIds: { ...rest, [to]: true }, keywords }
    },
}
