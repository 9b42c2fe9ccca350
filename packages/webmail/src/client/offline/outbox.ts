/**
 * Mails written while the server cannot be reached. Each lies on the device, durably, with its files, until the server has it; it goes out
 * once, whatever is cut off in between: its Message-ID was chosen when it was written, what the server already has of it is looked up before
 * anything is made, and it is made only if nothing changed since that look (`ifInState`, RFC 8620 §5.3).
 */
import { type Signal, signal } from '@preact/signals'
import { type JmapClient, JmapError, OfflineError } from '../jmap/client.ts'
import type { Id } from '../jmap/types.ts'
import type { Vault } from './vault.ts'

/** Everything needed to make and send it; a value of JSON. */
export interface Waiting {
  readonly id: string
  /** When it was written, ms. */
  readonly at: number
  /** `<…>` is added by the server: RFC 8621 §4.1.2.3. */
  readonly messageId: string
  /** Email/set's create; its blobs may be local. */
  readonly email: Readonly<Record<string, unknown>>
  readonly identityId: Id
  readonly envelope: Readonly<Record<string, unknown>>
  /** What the mail looks like once it is sent. */
  readonly moved: Readonly<Record<string, unknown>>
  readonly answers?: { readonly id: Id; readonly keyword: string }
  /** To open it again in the composer. */
  readonly beginning: unknown
  readonly problem?: string
}

const LOCAL = /^local-[\da-f-]{36}$/
const MAX_TURNS = 5
const DAY_MS = 86_400_000
export const isLocal = (blobId: Id): boolean => LOCAL.test(blobId)

export class Outbox {
  readonly #vault: Vault
  readonly #client: JmapClient
  readonly #sent: (one: Waiting) => void
  readonly #waits: () => void
  readonly #refused: (one: Waiting, problem: string) => void
  readonly count: Signal<number> = signal(0)
  /** Rises with everything that changes in it. */
  readonly version: Signal<number> = signal(0)
  #running: Promise<void> | undefined

  constructor(
    vault: Vault,
    client: JmapClient,
    told: {
      readonly sent: (one: Waiting) => void
      readonly refused: (one: Waiting, problem: string) => void
      /** Something waits: to be sent without a page, too. */
      readonly waits?: () => void
    },
  ) {
    this.#vault = vault
    this.#client = client
    this.#sent = told.sent
    this.#refused = told.refused
    this.#waits = told.waits ?? ((): void => {})
    void this.#recount()
  }

  /** Durable when it resolves. */
  async put(one: Waiting): Promise<void> {
    await this.#vault.put('outbox', [[one.id, one]])
    await this.#recount()
    this.#waits()
  }
  /** Looks again: somebody else sent some of it. */
  refresh(): Promise<void> {
    return this.#recount()
  }
  async list(): Promise<Waiting[]> {
    return (await this.#vault.all<Waiting>('outbox')).sort((a, b) => a.at - b.at)
  }
  /** Tries one again that was refused; without an id everything that waits. */
  async retry(id?: string): Promise<void> {
    const all = await this.list()
    const again = all.filter((one) => one.problem !== undefined && (id === undefined || one.id === id))
    await this.#vault.put(
      'outbox',
      again.map(({ problem: _, ...one }) => [one.id, one]),
    )
    await this.#recount()
    await this.flush()
  }
  /** Away with one and its files. */
  async drop(id: string): Promise<void> {
    const one = (await this.list()).find((each) => each.id === id)
    await this.take(id)
    if (one !== undefined) await this.forgetFiles(filesOf(one).map(({ blobId }) => blobId))
  }
  /** Takes one out, to be written on. */
  async take(id: string): Promise<void> {
    await this.#vault.remove('outbox', [id])
    await this.#recount()
  }

  /** Keeps a file until it can be uploaded; its id stands for a blob. */
  async keepFile(file: Blob): Promise<Id> {
    const id = `local-${crypto.randomUUID()}`
    await this.#vault.put('files', [[id, await file.arrayBuffer()]])
    return id
  }
  /** The blob the server has for a local one. */
  async uploaded(blobId: Id, type: string): Promise<Id> {
    if (!isLocal(blobId)) return blobId
    const bytes = await this.#vault.bytes(blobId)
    if (bytes === undefined) throw new JmapError('blobNotFound')
    const response = await this.#client.request(this.#client.uploadUrl, {
      method: 'POST',
      body: bytes,
      headers: { 'Content-Type': type },
    })
    return ((await response.json()) as { readonly blobId: Id }).blobId
  }
  forgetFiles(blobIds: readonly Id[]): Promise<void> {
    return this.#vault.remove('files', blobIds.filter(isLocal))
  }

  /** Sends what waits. One tab does it; a call while it runs waits for the same run. */
  flush(): Promise<void> {
    this.#running ??= this.#locked().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #locked(): Promise<void> {
    if (navigator.locks === undefined) return this.#all()
    await navigator.locks.request('postrider-outbox', () => this.#all())
  }

  async #all(): Promise<void> {
    for (const one of await this.list()) {
      if (one.problem !== undefined) continue
      try {
        await this.#one(one)
        await this.#vault.remove('outbox', [one.id])
        await this.forgetFiles(filesOf(one).map(({ blobId }) => blobId))
        this.#sent(one)
      } catch (error) {
        if (error instanceof OfflineError || (error instanceof JmapError && error.type === 'signedOut')) break
        // The server will not have it as it is: it stays, and its writer is asked.
        const problem = error instanceof Error ? error.message : String(error)
        await this.#vault.put('outbox', [[one.id, { ...one, problem }]])
        this.#refused(one, problem)
      }
    }
    await this.#recount()
  }

  async #one(one: Waiting): Promise<void> {
    const attachments = await Promise.all(
      filesOf(one).map(async (file) => ({ ...file, blobId: await this.uploaded(file.blobId, file.type) })),
    )
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const { emailState, found, submissionState, gone } = await this.#look(one)
      if (gone) return
      try {
        const email = { ...one.email, ...(attachments.length > 0 ? { attachments } : {}), messageId: [one.messageId] }
        const made = await this.#client.call('Email/set', {
          ifInState: emailState,
          create: { mail: email },
          destroy: found,
        })
        const id = made.created?.mail?.id
        if (id === undefined)
          throw new JmapError(made.notCreated?.mail?.type ?? 'serverFail', made.notCreated?.mail?.description ?? '')
        const sent = await this.#client.call('EmailSubmission/set', {
          ifInState: submissionState,
          create: { send: { identityId: one.identityId, emailId: id, envelope: one.envelope } },
          onSuccessUpdateEmail: { '#send': one.moved },
        })
        if (sent.created?.send === undefined) {
          const { type = 'serverFail', description = '' } = sent.notCreated?.send ?? {}
          throw new JmapError(type, description ?? '')
        }
        return
      } catch (error) {
        if (!(error instanceof JmapError) || error.type !== 'stateMismatch') throw error
      }
    }
    throw new OfflineError()
  }

  /** What the server has of it: drafts of it, and whether it was given to be sent. */
  async #look({ messageId, at }: Waiting): Promise<{
    readonly emailState: string
    readonly submissionState: string
    readonly found: readonly Id[]
    readonly gone: boolean
  }> {
    const submissions = this.#client.call('EmailSubmission/get', { ids: [] })
    const state = this.#client.call('Email/get', { ids: [], properties: ['id'] })
    const after = new Date(at - DAY_MS).toISOString().replace(/\.\d+Z$/, 'Z')
    const query = this.#client.call('Email/query', {
      filter: { operator: 'AND', conditions: [{ after }, { header: ['Message-ID', messageId] }] },
      sort: [],
    })
    const [{ state: submissionState }, { state: emailState }, { ids: found }] = [
      await submissions,
      await state,
      await query,
    ]
    if (found.length === 0) return { emailState, submissionState, found, gone: false }
    const { ids } = await this.#client.call('EmailSubmission/query', { filter: { emailIds: found } })
    const { list } = await this.#client.call('EmailSubmission/get', { ids, properties: ['id', 'undoStatus'] })
    return { emailState, submissionState, found, gone: list.some(({ undoStatus }) => undoStatus !== 'canceled') }
  }

  async #recount(): Promise<void> {
    this.count.value = (await this.#vault.ids('outbox').catch(() => [])).length
    this.version.value++
  }
}

interface WaitingFile {
  readonly blobId: Id
  readonly type: string
}
const filesOf = ({ email }: Waiting): readonly WaitingFile[] => (email.attachments ?? []) as readonly WaitingFile[]
