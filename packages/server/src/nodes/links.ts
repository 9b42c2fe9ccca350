import { databaseOwner, type Logger, type MailboxService } from '@postrider/domain'
import { Caller, connectTls } from '@postrider/link'
import { type NodeIdentity, type NodeRecord, NODES, nodeSetting } from './identity.ts'

/** A node that is away is looked for this often, ms; less often the longer it takes. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000
/** How long calls wait for a connection that was just lost. */
const PATIENCE_MS = 3_000

type Settings = { setting(name: string): unknown }

/** The way to the mailboxes of one other node, found again when it was lost. Calls are `unavailable` meanwhile. */
class NodeLink {
  readonly #name: string
  readonly #identity: NodeIdentity
  readonly #settings: Settings
  readonly #log: Logger
  readonly #caller: Caller
  #retryMs = FIRST_RETRY_MS
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #away = false
  #lostAt = performance.now()
  readonly #waiting = new Set<() => void>()
  readonly service: MailboxService

  constructor(name: string, identity: NodeIdentity, settings: Settings, log: Logger) {
    this.#name = name
    this.#identity = identity
    this.#settings = settings
    this.#log = log
    this.#caller = new Caller({ log, closed: () => this.#lost() })
    this.service = this.#patient()
    void this.#connect()
  }
  /** The mailboxes there. A call waits a moment for a connection that has just been lost, or is not there yet. */
  #patient(): MailboxService {
    const { service } = this.#caller
    const wait = (name: keyof MailboxService): unknown => {
      const method = service[name] as (...args: readonly unknown[]) => Promise<unknown>
      return async (...args: readonly unknown[]) => {
        if (!this.#caller.connected) await this.#soon()
        return method(...args)
      }
    }
    return Object.fromEntries(
      (Object.keys(service) as (keyof MailboxService)[]).map((name) => [name, wait(name)]),
    ) as unknown as MailboxService
  }
  async #soon(): Promise<void> {
    const left = this.#lostAt + PATIENCE_MS - performance.now()
    if (left <= 0 || this.#closed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const timer = setTimeout(resolve, left)
    await promise
    clearTimeout(timer)
    this.#waiting.delete(resolve)
  }

  async #connect(): Promise<void> {
    try {
      const node = recordOf(this.#settings, this.#identity, this.#name)
      if (node === undefined) throw new Error('the directory does not know it')
      const channel = await connectTls({
        own: this.#identity.certificate,
        host: node.host,
        port: node.port,
        purpose: 'postrider-mailboxes/1',
        peer: node,
      })
      if (this.#closed) return channel.close()
      this.#caller.attach(channel)
      for (const go of this.#waiting) go()
      if (this.#away) this.#log.info({ node: this.#name }, 'another node is there again')
      this.#away = false
      // Not at once: who takes the connection and drops it again must not be asked without a pause.
      this.#timer = setTimeout(() => {
        this.#retryMs = FIRST_RETRY_MS
      }, LAST_RETRY_MS).unref()
    } catch (error) {
      this.#again(error)
    }
  }
  #lost(): void {
    this.#lostAt = performance.now()
    this.#again(new Error('the connection was lost'))
  }
  #again(error: unknown): void {
    if (this.#closed) return
    if (!this.#away) this.#log.warn({ node: this.#name, err: error }, 'another node is away')
    this.#away = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#connect(), this.#retryMs)
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
  }
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#caller.close()
  }
}

/** A node as the directory has it; of the directory's own what this node was told when it joined, until there is more. */
function recordOf(
  settings: Settings,
  { head }: NodeIdentity,
  name: string,
): (Pick<NodeRecord, 'name' | 'host' | 'port'> & { readonly fingerprint?: string }) | undefined {
  const known = settings.setting(nodeSetting(name)) as NodeRecord | undefined
  return known ?? (head?.name === name ? head : undefined)
}

/** The mailboxes of all other nodes. */
export class NodeLinks {
  readonly #identity: NodeIdentity
  readonly #directory: Settings
  readonly #log: Logger
  readonly #links = new Map<string, NodeLink>()
  #closed = false

  constructor(identity: NodeIdentity, directory: Settings, log: Logger) {
    this.#identity = identity
    this.#directory = directory
    this.#log = log
  }

  /** The service of the node that owns a database; undefined when that is this one, or nobody. */
  ownerOf(database: string): MailboxService | undefined {
    const owner = databaseOwner(this.#directory, database).node
    const name = owner === '' ? (this.#identity.head?.name ?? this.#identity.name) : owner
    if (name === this.#identity.name || this.#closed) return undefined
    let link = this.#links.get(name)
    if (link === undefined) {
      link = new NodeLink(name, this.#identity, this.#directory, this.#log)
      this.#links.set(name, link)
    }
    return link.service
  }

  /** Of every other node that has databases: for lists of everything. */
  *others(directory: {
    settingsNamed(prefix: string): readonly (readonly [string, unknown])[]
  }): Iterable<MailboxService> {
    for (const [, value] of directory.settingsNamed(NODES)) {
      const [database] = (value as NodeRecord).databases
      const service = database === undefined ? undefined : this.ownerOf(database)
      if (service !== undefined) yield service
    }
  }

  close(): void {
    this.#closed = true
    for (const link of this.#links.values()) link.close()
  }
}
