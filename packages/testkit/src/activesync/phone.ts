/**
 * A phone: it provisions, keeps folders and items as the server tells it, waits with a heartbeat that adapts, and sends a
 * request again, byte for byte, when the answer got lost. Every answer is kept for the schema check.
 */
import {
  type Child,
  child,
  children,
  type Element,
  el,
  has,
  integer,
  type ProtocolVersion,
  type Tag,
  text,
  versionIndex,
} from '@postrider/wire/wbxml'
import { Mirror } from './mirror.ts'
import { type Call, exchange, LostReply, type PhoneSettings, type Reply } from './transport.ts'

export interface PhoneFolder {
  readonly serverId: string
  readonly parentId: string
  readonly name: string
  readonly type: number
}

/** What one Sync of one collection brought. */
export interface Synced {
  readonly http: number
  /** Status under Collection, or under Sync when the request failed as a whole; undefined for an empty answer. */
  readonly status: number | undefined
  readonly more: boolean
  /** Children of Responses. */
  readonly responses: readonly Element[]
  /** Children of Commands. */
  readonly commands: readonly Element[]
  readonly document: Element | undefined
}

export interface SyncOptions {
  readonly windowSize?: number
  readonly getChanges?: boolean
  readonly deletesAsMoves?: boolean
  readonly conversationMode?: boolean
  /** The whole Options element. */
  readonly options?: Element
  /** Children of Commands. */
  readonly commands?: readonly Element[]
  readonly waitMinutes?: number
  readonly heartbeatSeconds?: number
  readonly signal?: AbortSignal
  /** Another key than the one the phone has. */
  readonly syncKey?: string
  readonly supported?: readonly Tag[]
}

export interface Rung {
  readonly http: number
  readonly status: number | undefined
  readonly folders: readonly string[]
  readonly document: Element | undefined
}

/** Bounds of the adaptive heartbeat, seconds. */
const heartbeatSteps = [60, 480, 720, 960, 1680] as const

export class Phone {
  readonly settings: PhoneSettings
  readonly version: ProtocolVersion
  readonly mirror = new Mirror()
  /** Folders by ServerId. */
  readonly folders = new Map<string, PhoneFolder>()
  /** Every document that was answered, for {@link validate}. */
  readonly answers: Element[] = []
  /** The final policy key; undefined sends none. */
  policyKey: number | undefined = 0
  folderKey = '0'
  readonly #keys = new Map<string, string>()
  #lose = 0
  #heartbeat = 0

  constructor(settings: PhoneSettings) {
    this.settings = settings
    this.version = settings.version ?? '16.1'
  }

  /** True when the phone's version is this one or newer. */
  since(version: ProtocolVersion): boolean {
    return versionIndex(this.version) >= versionIndex(version)
  }

  /** The next `count` answers get lost; the phone sends those requests again. */
  loseReplies(count = 1): void {
    this.#lose = count
  }

  /** Sends a call; while replies are being lost, again and again the same. */
  async call(call: Call): Promise<Reply> {
    const full: Call = 'policyKey' in call ? call : { ...call, policyKey: this.policyKey }
    while (this.#lose > 0) {
      this.#lose--
      try {
        await exchange(this.settings, { ...full, loseReply: true })
      } catch (error) {
        if (!(error instanceof LostReply)) throw error
      }
    }
    const reply = await exchange(this.settings, full)
    if (reply.document !== undefined) this.answers.push(reply.document)
    return reply
  }

  options(): Promise<Reply> {
    return exchange(this.settings, { command: 'OPTIONS' }, 'OPTIONS')
  }

  /** Both phases; afterwards {@link policyKey} is the final key. Answers both replies. */
  async provision(applied: 1 | 2 | 3 | 4 = 1): Promise<readonly Reply[]> {
    const information = el(
      'Settings:DeviceInformation',
      el('Settings:Set', el('Settings:Model', 'Phone One'), el('Settings:OS', 'PhoneOS 1.0')),
    )
    const policy = (...more: Child[]): Element =>
      el('Provision:Policies', el('Provision:Policy', el('Provision:PolicyType', 'MS-EAS-Provisioning-WBXML'), ...more))
    this.policyKey = 0
    const first = await this.call({
      command: 'Provision',
      body: el('Provision:Provision', this.since('14.1') && information, policy()),
    })
    const temporary = keyIn(first)
    if (temporary === undefined) return [first]
    const second = await this.call({
      command: 'Provision',
      policyKey: temporary,
      body: el('Provision:Provision', policy(el('Provision:PolicyKey', temporary), el('Provision:Status', applied))),
    })
    const final = keyIn(second)
    if (final !== undefined) this.policyKey = final
    return [first, second]
  }

  /** Brings the folders up to date. */
  async folderSync(syncKey = this.folderKey): Promise<Reply> {
    const reply = await this.call({
      command: 'FolderSync',
      body: el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', syncKey)),
    })
    const root = reply.document
    if (text(root, 'FolderHierarchy:Status') !== '1') return reply
    if (syncKey === '0') this.folders.clear()
    this.folderKey = text(root, 'FolderHierarchy:SyncKey') ?? '0'
    const changes = child(root, 'FolderHierarchy:Changes')
    for (const folder of children(changes, 'FolderHierarchy:Delete')) {
      this.folders.delete(text(folder, 'FolderHierarchy:ServerId') ?? '')
    }
    for (const tag of ['FolderHierarchy:Update', 'FolderHierarchy:Add'] as const) {
      for (const folder of children(changes, tag)) {
        const serverId = text(folder, 'FolderHierarchy:ServerId') ?? ''
        this.folders.set(serverId, {
          serverId,
          parentId: text(folder, 'FolderHierarchy:ParentId') ?? '',
          name: text(folder, 'FolderHierarchy:DisplayName') ?? '',
          type: integer(folder, 'FolderHierarchy:Type') ?? 0,
        })
      }
    }
    return reply
  }

  /** The ServerId of the folder of a type (2 Inbox, 3 Drafts, 4 Deleted Items, 5 Sent Items…). */
  folderOfType(type: number): string {
    for (const folder of this.folders.values()) if (folder.type === type) return folder.serverId
    throw new Error(`no folder of type ${type}`)
  }

  /** The key the phone has for a collection. */
  syncKey(collectionId: string): string {
    return this.#keys.get(collectionId) ?? '0'
  }

  setSyncKey(collectionId: string, key: string): void {
    this.#keys.set(collectionId, key)
  }

  /** One Sync request with one collection; takes in what it brings. */
  async sync(collectionId: string, options: SyncOptions = {}): Promise<Synced> {
    const [result] = await this.syncMany([{ collectionId, ...options }], options)
    return result!
  }

  /** One Sync request with several collections. */
  async syncMany(
    collections: readonly (SyncOptions & { readonly collectionId: string })[],
    options: Pick<SyncOptions, 'waitMinutes' | 'heartbeatSeconds' | 'signal' | 'windowSize'> & {
      readonly partial?: boolean
    } = {},
  ): Promise<Synced[]> {
    const { waitMinutes, heartbeatSeconds } = options
    const body = el(
      'AirSync:Sync',
      collections.length > 0 &&
        el('AirSync:Collections', ...collections.map((collection) => this.#collection(collection))),
      waitMinutes !== undefined && el('AirSync:Wait', waitMinutes),
      heartbeatSeconds !== undefined && el('AirSync:HeartbeatInterval', heartbeatSeconds),
      collections.length !== 1 && options.windowSize !== undefined && el('AirSync:WindowSize', options.windowSize),
      options.partial && el('AirSync:Partial'),
    )
    const reply = await this.call({ command: 'Sync', body, ...signalOf(options.signal) })
    const ids = collections.map((collection) => collection.collectionId)
    return this.#take(reply, ids)
  }

  /** A Sync without a body: the last request again. */
  async syncEmpty(ids: readonly string[], signal?: AbortSignal): Promise<Synced[]> {
    return this.#take(await this.call({ command: 'Sync', ...signalOf(signal) }), ids)
  }

  /** Primes a collection when it has no key, then syncs until nothing more is available. Answers the rounds it took. */
  async syncAll(collectionId: string, options: SyncOptions = {}): Promise<number> {
    for (let round = 1; ; round++) {
      const priming = this.syncKey(collectionId) === '0'
      const { commands: _, ...first } = options
      const result = await this.sync(collectionId, priming ? first : options)
      if (result.status !== undefined && result.status !== 1) throw new Error(`Sync status ${result.status}`)
      if (!priming && !result.more) return round
      if (round > 1000) throw new Error('the sync does not end')
    }
  }

  #collection(collection: SyncOptions & { readonly collectionId: string }): Element {
    const { collectionId, windowSize, getChanges, deletesAsMoves, options, commands, supported } = collection
    const { conversationMode } = collection
    const key = collection.syncKey ?? this.syncKey(collectionId)
    return el(
      'AirSync:Collection',
      el('AirSync:SyncKey', key),
      el('AirSync:CollectionId', collectionId),
      supported !== undefined && el('AirSync:Supported', ...supported.map((tag) => el(tag))),
      deletesAsMoves !== undefined && el('AirSync:DeletesAsMoves', Number(deletesAsMoves)),
      getChanges !== undefined && el('AirSync:GetChanges', Number(getChanges)),
      windowSize !== undefined && el('AirSync:WindowSize', windowSize),
      conversationMode !== undefined && el('AirSync:ConversationMode', Number(conversationMode)),
      options,
      commands !== undefined && commands.length > 0 && el('AirSync:Commands', ...commands),
    )
  }

  #take(reply: Reply, ids: readonly string[]): Synced[] {
    const root = reply.document
    const answered = new Map<string, Element>()
    for (const collection of children(child(root, 'AirSync:Collections'), 'AirSync:Collection')) {
      answered.set(text(collection, 'AirSync:CollectionId') ?? '', collection)
    }
    for (const [id, collection] of answered) this.#takeCollection(id, collection)
    return ids.map((id) => {
      const collection = answered.get(id)
      return {
        http: reply.http,
        status: integer(collection, 'AirSync:Status') ?? integer(root, 'AirSync:Status'),
        more: has(collection, 'AirSync:MoreAvailable'),
        responses: children(child(collection, 'AirSync:Responses')),
        commands: children(child(collection, 'AirSync:Commands')),
        document: root,
      }
    })
  }

  #takeCollection(id: string, collection: Element): void {
    if (text(collection, 'AirSync:Status') === '3') {
      // The state is lost: everything anew, as [MS-ASCMD] §3.1.5.9 has it.
      this.#keys.delete(id)
      this.mirror.collections.delete(id)
      return
    }
    if (text(collection, 'AirSync:Status') !== '1') return
    this.#keys.set(id, text(collection, 'AirSync:SyncKey') ?? '0')
    this.mirror.apply(id, child(collection, 'AirSync:Commands'))
  }

  /** Waits for new items. Without folders the server uses those of the last Ping. */
  async ping(heartbeatSeconds?: number, folders?: readonly string[], signal?: AbortSignal): Promise<Rung> {
    const list = folders?.map((id) => el('Ping:Folder', el('Ping:Id', id), el('Ping:Class', 'Email')))
    const body =
      heartbeatSeconds === undefined && list === undefined
        ? undefined
        : el(
            'Ping:Ping',
            heartbeatSeconds !== undefined && el('Ping:HeartbeatInterval', heartbeatSeconds),
            list !== undefined && el('Ping:Folders', ...list),
          )
    const reply = await this.call({ command: 'Ping', body, ...signalOf(signal) })
    return {
      http: reply.http,
      status: integer(reply.document, 'Ping:Status'),
      folders: children(child(reply.document, 'Ping:Folders'), 'Ping:Folder').map((folder) =>
        String(folder.children[0]),
      ),
      document: reply.document,
    }
  }

  /** The heartbeat a phone would use next: longer after one that lasted, shorter after one that was cut. */
  adaptHeartbeat(lasted: boolean): number {
    const last = heartbeatSteps.length - 1
    this.#heartbeat = lasted ? Math.min(last, this.#heartbeat + 1) : Math.max(0, this.#heartbeat - 1)
    return heartbeatSteps[this.#heartbeat]!
  }

  /** Sends a mail: ComposeMail from 14.0, MIME in 12.1. */
  async sendMail(mime: string | Uint8Array, clientId: string, saveInSent = true): Promise<Reply> {
    const bytes = typeof mime === 'string' ? Buffer.from(mime) : mime
    if (!this.since('14.0')) {
      return this.call({
        command: 'SendMail',
        body: bytes,
        contentType: 'message/rfc822',
        parameters: { SaveInSent: saveInSent },
      })
    }
    return this.call({
      command: 'SendMail',
      body: el(
        'ComposeMail:SendMail',
        el('ComposeMail:ClientId', clientId),
        saveInSent && el('ComposeMail:SaveInSentItems'),
        el('ComposeMail:Mime', bytes),
      ),
    })
  }
}

const signalOf = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal === undefined ? {} : { signal })

function keyIn(reply: Reply): number | undefined {
  const policy = child(child(reply.document, 'Provision:Policies'), 'Provision:Policy')
  return integer(policy, 'Provision:PolicyKey')
}

/** A Change of a mail's state, as phones send it. */
export const changeOf = (serverId: string, ...properties: Element[]): Element =>
  el('AirSync:Change', el('AirSync:ServerId', serverId), el('AirSync:ApplicationData', ...properties))

export const deleteOf = (serverId: string): Element => el('AirSync:Delete', el('AirSync:ServerId', serverId))
