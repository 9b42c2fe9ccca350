/** Keeps the mail of the last days on the device, quietly: in small steps, when nothing else is to do, following the server's changes. */
import { mailboxProperties, rowProperties } from '../../start.ts'
import type { JmapClient } from '../jmap/client.ts'
import { JmapError } from '../jmap/client.ts'
import type { Email, EmailContent, Filter, Id, Mailbox } from '../jmap/types.ts'
import { type Contents, contentProperties, partProperties } from '../mail/contents.ts'
import { KeptBlobs } from './blobs.ts'
import type { KeptBody, KeptMailboxes } from './kept.ts'
import type { Vault } from './vault.ts'

/** Mails kept at most. */
const MOST = 500
const STEP = 20
const MOST_TEXT = 256 * 1024
const MOST_CHANGES = 500
const DAY_MS = 86_400_000

type Full = Email & EmailContent

export class Keeper {
  readonly #vault: Vault
  readonly #client: JmapClient
  readonly #contents: Contents
  readonly #days: () => number
  readonly #blobs: KeptBlobs
  #running: Promise<void> | undefined

  constructor(vault: Vault, client: JmapClient, contents: Contents, days: () => number) {
    this.#vault = vault
    this.#client = client
    this.#contents = contents
    this.#days = days
    this.#blobs = new KeptBlobs(vault, client)
  }

  /** Brings what is kept up to date. One run at a time; fails quietly: the next run goes on. */
  run(): Promise<void> {
    this.#running ??= this.#run()
      .catch(() => {})
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async #run(): Promise<void> {
    if (this.#days() === 0) {
      await this.#blobs.drop()
      return this.#vault.clear('meta', 'rows', 'bodies', 'threads')
    }
    const before = await this.#vault.get<KeptMailboxes>('meta', 'mailboxes')
    try {
      if (before === undefined) await this.#everything()
      else await this.#changes(before)
    } catch (error) {
      if (!(error instanceof JmapError) || error.type !== 'cannotCalculateChanges') throw error
      await this.#everything()
    }
    // Last: mail can be read without them.
    await this.#blobs.fetch()
  }

  async #frame(): Promise<{
    readonly mailboxes: readonly Mailbox[]
    readonly identities: KeptMailboxes['identities']
  }> {
    const mailboxes = this.#client.call('Mailbox/get', { ids: null, properties: mailboxProperties })
    const identities = this.#client.call('Identity/get', { ids: null })
    return { mailboxes: (await mailboxes).list, identities: (await identities).list }
  }

  #window(mailboxes: readonly Mailbox[]): { readonly after: string; readonly without: readonly Id[] } {
    const without = mailboxes.filter(({ role }) => role === 'junk' || role === 'trash').map(({ id }) => id)
    return { after: new Date(Date.now() - this.#days() * DAY_MS).toISOString().replace(/\.\d+Z$/, 'Z'), without }
  }

  async #everything(): Promise<void> {
    const { mailboxes, identities } = await this.#frame()
    const { state } = await this.#client.call('Email/get', { ids: [], properties: ['id'] })
    const { after, without } = this.#window(mailboxes)
    const filter: Filter = without.length === 0 ? { after } : { after, inMailboxOtherThan: without }
    const { ids } = await this.#client.call('Email/query', {
      filter,
      sort: [{ property: 'receivedAt', isAscending: false }],
      position: 0,
      limit: MOST,
    })
    const wanted = new Set(ids)
    await this.#drop((await this.#vault.ids('rows')).filter((id) => !wanted.has(id)))
    const here = new Set(await this.#vault.ids('bodies'))
    await this.#take(ids.filter((id) => !here.has(id)))
    await this.#vault.put('meta', [['mailboxes', { mailboxes, identities, state } satisfies KeptMailboxes]])
  }

  async #changes({ state: since }: KeptMailboxes): Promise<void> {
    const { mailboxes, identities } = await this.#frame()
    const { after, without } = this.#window(mailboxes)
    let state = since
    for (let more = true; more; ) {
      const changed = await this.#client.call('Email/changes', { sinceState: state, maxChanges: MOST_CHANGES })
      await this.#drop(changed.destroyed)
      await this.#take(
        [...changed.created, ...changed.updated],
        (one) => one.receivedAt >= after && Object.keys(one.mailboxIds).some((id) => !without.includes(id)),
      )
      state = changed.newState
      more = changed.hasMoreChanges
      await this.#vault.put('meta', [['mailboxes', { mailboxes, identities, state } satisfies KeptMailboxes]])
    }
    const rows = await this.#vault.all<Email>('rows')
    const old = rows
      .sort((a, b) => (a.receivedAt < b.receivedAt ? 1 : -1))
      .filter((one, at) => at >= MOST || one.receivedAt < after)
    await this.#drop(old.map(({ id }) => id))
  }

  async #take(ids: readonly Id[], wanted: (one: Full) => boolean = () => true): Promise<void> {
    for (let at = 0; at < ids.length; at += STEP) {
      await idle()
      const { list } = await this.#client.call('Email/get', {
        ids: ids.slice(at, at + STEP),
        properties: [...new Set([...rowProperties, ...contentProperties])],
        bodyProperties: partProperties,
        fetchTextBodyValues: true,
        maxBodyValueBytes: MOST_TEXT,
      })
      const threads = await this.#client.call('Thread/get', { ids: [...new Set(list.map((one) => one.threadId))] })
      await this.#drop(list.filter((one) => !wanted(one)).map(({ id }) => id))
      const kept = list.filter(wanted)
      const bodies: [Id, KeptBody][] = []
      for (const one of kept)
        bodies.push([one.id, { content: contentOf(one), html: await this.#contents.html(one.id, false) }])
      await this.#vault.put('bodies', bodies)
      await this.#vault.put(
        'threads',
        threads.list.map((one) => [one.id, one]),
      )
      await this.#vault.put(
        'rows',
        kept.map((one) => [one.id, rowOf(one)]),
      )
      await this.#blobs.want(kept)
    }
  }

  async #drop(ids: readonly Id[]): Promise<void> {
    if (ids.length === 0) return
    await this.#vault.remove('rows', ids)
    await this.#vault.remove('bodies', ids)
    await this.#blobs.drop(ids)
  }
}

const pick = (one: Full, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, one[name as keyof Full]]))
const rowOf = (one: Full): Email => pick(one, rowProperties) as unknown as Email
const contentOf = (one: Full): EmailContent => pick(one, contentProperties) as unknown as EmailContent

const idle = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof requestIdleCallback === 'function') requestIdleCallback(() => resolve(), { timeout: 1_000 })
    else setTimeout(resolve, 20)
  })
