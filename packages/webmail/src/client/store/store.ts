/**
 * Mailboxes, conversations and mails, each once, as signals; lists of their ids; the changes not yet with the server on top. Whatever the
 * server says goes in through `put…`, whatever the user does through `change` (acts.ts).
 */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Invocation } from '../../start.ts'
import type { JmapClient } from '../jmap/client.ts'
import type { Answer, MethodName, QueryAnswer } from '../jmap/methods.ts'
import type { Category, Email, Id, Identity, Mailbox } from '../jmap/types.ts'
import { keyOf, ListQuery, type QuerySpec, type RowSink } from './query.ts'

/** What an act changes of a mail; what is left out stays. */
export type Marks = Pick<Email, 'mailboxIds' | 'keywords' | 'categories' | 'followUp' | 'snoozed' | 'inference'>

const LISTS_KEPT = 12

export class Store implements RowSink {
  readonly client: JmapClient
  readonly mailboxes: Signal<ReadonlyMap<Id, Mailbox>> = signal(new Map())
  readonly identities: Signal<readonly Identity[]> = signal([])
  readonly categories: Signal<readonly Category[]> = signal([])
  readonly byRole: ReadonlySignal<ReadonlyMap<string, Mailbox>> = computed(
    () => new Map([...this.mailboxes.value.values()].flatMap((one) => (one.role === null ? [] : [[one.role, one]]))),
  )
  readonly #emails = new Map<Id, Signal<Email | undefined>>()
  readonly #threads = new Map<Id, Signal<readonly Id[]>>()
  readonly #lists = new Map<string, ListQuery>()
  emailState: string | undefined
  mailboxState: string | undefined
  /** Marks set here that the server has not confirmed. */
  readonly pending = new Map<Id, Marks>()
  /** The list on the screen; the others are brought up to date when they are looked at again. */
  active: ListQuery | undefined
  /** Told of types of records that changed on the server. */
  onRecords: (types: readonly string[]) => void = () => {}
  /** Told of every mail that came (push), for notices and the like. */
  onArrived: (emails: readonly Email[]) => void = () => {}

  constructor(client: JmapClient) {
    this.client = client
  }

  email(id: Id): Signal<Email | undefined> {
    let found = this.#emails.get(id)
    if (found === undefined) {
      found = signal(undefined)
      this.#emails.set(id, found)
    }
    return found
  }
  thread(id: Id): Signal<readonly Id[]> {
    let found = this.#threads.get(id)
    if (found === undefined) {
      found = signal([])
      this.#threads.set(id, found)
    }
    return found
  }
  list(spec: QuerySpec): ListQuery {
    const key = keyOf(spec)
    const list = this.#lists.get(key) ?? new ListQuery(this, spec)
    // The last used stay.
    this.#lists.delete(key)
    this.#lists.set(key, list)
    for (const old of this.#lists.keys()) {
      if (this.#lists.size <= LISTS_KEPT) break
      this.#lists.delete(old)
    }
    return list
  }
  lists(): Iterable<ListQuery> {
    return this.#lists.values()
  }

  putMailboxes(list: readonly Mailbox[], state: string | undefined): void {
    this.mailboxes.value = new Map(list.map((one) => [one.id, one]))
    if (state !== undefined) this.mailboxState = state
  }
  putEmails(list: readonly Email[], state: string | undefined): void {
    for (const email of list) {
      const marks = this.pending.get(email.id)
      const known = this.email(email.id)
      known.value = { ...known.peek(), ...email, ...marks }
    }
    this.emailState ??= state
  }
  putThreads(list: readonly { readonly id: Id; readonly emailIds: readonly Id[] }[]): void {
    for (const { id, emailIds } of list) {
      const known = this.thread(id)
      if (known.peek().join() !== emailIds.join()) known.value = emailIds
    }
  }
  drop(ids: readonly Id[]): void {
    for (const id of ids) this.email(id).value = undefined
  }
  /** Known mails. */
  *loaded(): Generator<Email> {
    for (const one of this.#emails.values()) {
      const email = one.peek()
      if (email !== undefined) yield email
    }
  }

  /** Answers that came with the page. */
  takeStart(responses: readonly Invocation[], spec: (inbox: Id) => QuerySpec): void {
    const pick = <N extends MethodName>(name: N, id: string): Answer<N> | undefined =>
      responses.find((one) => one[0] === name && one[2] === id)?.[1] as unknown as Answer<N> | undefined
    const mailboxes = pick('Mailbox/get', 'mailboxes')
    if (mailboxes === undefined) return
    this.putMailboxes(mailboxes.list, mailboxes.state)
    for (const [name, args] of responses)
      if (name === 'Email/get' && Array.isArray(args.list))
        this.putEmails(
          (args.list as Email[]).filter((one) => one.receivedAt !== undefined),
          args.state as string,
        )
    this.putThreads(pick('Thread/get', 'threads')?.list ?? [])
    this.identities.value = pick('Identity/get', 'identities')?.list ?? []
    this.categories.value = pick('Category/get', 'categories')?.list ?? []
    const inbox = this.byRole.peek().get('inbox')
    const query: QueryAnswer | undefined = pick('Email/query', 'query')
    if (inbox !== undefined && query !== undefined) this.list(spec(inbox.id)).take(query)
  }
}
