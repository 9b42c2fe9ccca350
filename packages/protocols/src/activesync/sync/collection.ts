/**
 * One collection of one Sync request, from the key it shows to the element that answers it. The keys ([MS-ASCMD] §3.1.5.9):
 *
 * | shown key | what happens |
 * |---|---|
 * | 0 | a new state is primed; nothing is sent |
 * | the current one | the last answer arrived; go on from here |
 * | the one before, same request | the answer was lost: the stored one again, byte for byte where it was kept |
 * | the one before, another request | the answer was lost: back to the state before it, then go on; Adds done are not done twice |
 * | any other | Status 3 |
 */
import { type ChangeNumber, type Folder, isDomainError, type Item, type Mid, type Operation } from '@postrider/domain'
import { children, decodeWbxml, type Element, el, encodeWbxml } from '@postrider/wire/wbxml'
import { itemClassOf } from '../classes.ts'
import type { ItemClass } from '../content.ts'
import type { Context } from '../context.ts'
import { classNameOf, findFolder, recipientCacheId } from '../folders.ts'
import { parseCollectionId } from '../ids.ts'
import { type Budget, type ServerChanges, serverChanges } from './changes.ts'
import { clientChanges } from './client.ts'
import { withoutBody } from './conversations.ts'
import { filterAllowed } from './filter.ts'
import { type CollectionRequest, digestOf } from './parse.ts'
import {
  type CollectionRecord,
  defaultSyncOptions,
  forgetCollection,
  keyText,
  loadCollection,
  newRecord,
  type Previous,
  putLedger,
  putRecord,
  type Recipe,
  type Stored,
  type SyncOptions,
} from './record.ts'
import { renderSteps } from './render.ts'
import { SyncError, SyncStatus, syncLimits } from './status.ts'

/** How often one answer may be asked for before the client is thought to stumble over it. */
const repeatsBeforeSingle = 3
/** How often a single item may be asked for before it is left out. */
const repeatsBeforeSkip = 8

/** How long the guard of a new key is remembered: it only decides between processes at the same request. */
const guardKeepMs = 60 * 60 * 1000

export interface CollectionAnswer {
  /** The Collection element; undefined when there is nothing to say. */
  readonly element: Element | undefined
  /** To be applied, with those of the other collections, before the answer leaves. */
  readonly operations: readonly Operation[]
  /** For a wait: what to look at. Undefined when the collection cannot be waited for. */
  readonly watch: Watch | undefined
}

/** What a waiting Sync or Ping needs to know of a collection. */
export interface Watch {
  readonly folder: Folder
  readonly cursor: ChangeNumber
  readonly cutoff: number
}

const failed = (request: CollectionRequest, status: number, key = request.syncKey): CollectionAnswer => ({
  element: el(
    'AirSync:Collection',
    el('AirSync:SyncKey', key),
    el('AirSync:CollectionId', request.collectionId),
    el('AirSync:Status', status),
  ),
  operations: [],
  watch: undefined,
})

/** Handles one collection. `budget` is what is left of the request's window; it is counted down. */
export async function syncCollection(
  context: Context,
  folders: readonly Folder[],
  request: CollectionRequest,
  budget: Budget,
): Promise<CollectionAnswer> {
  const folder = findFolder(folders, request.collectionId)
  if (folder === undefined) {
    const status = context.quirks.ignoresStatus12 ? SyncStatus.invalidSyncKey : SyncStatus.hierarchyChanged
    const gone = parseCollectionId(request.collectionId)
    const operations = gone === undefined ? [] : [forgetCollection(context.device.id, gone)]
    return { ...failed(request, status, '0'), operations }
  }
  const filterType = request.options?.filterType ?? 0
  // What the request should not have asked is 4 under Sync, for all of it: MS-ASCMD_R3080; R2117: a conversation is mail; R756.
  if (!filterAllowed(classNameOf(folder), filterType)) throw new SyncError(SyncStatus.protocolError)
  if (request.conversationMode && classNameOf(folder) !== 'Email') throw new SyncError(SyncStatus.protocolError)
  const adds = request.commands.some(({ kind }) => kind === 'Add')
  if (adds && request.collectionId === recipientCacheId) throw new SyncError(SyncStatus.protocolError)
  return new Turn(context, folders, folder, request, budget).run()
}

class Turn {
  readonly #context: Context
  readonly #folders: readonly Folder[]
  readonly #folder: Folder
  readonly #request: CollectionRequest
  readonly #budget: Budget
  readonly #itemClass: ItemClass | undefined
  readonly #digest: string

  constructor(
    context: Context,
    folders: readonly Folder[],
    folder: Folder,
    request: CollectionRequest,
    budget: Budget,
  ) {
    this.#context = context
    this.#folders = folders
    this.#folder = folder
    this.#request = request
    this.#budget = budget
    this.#itemClass = itemClassOf(folder)
    this.#digest = digestOf(request)
  }

  async run(): Promise<CollectionAnswer> {
    const { mailbox, device } = this.#context
    const stored = await loadCollection(mailbox, device.id, this.#folder.id)
    const { syncKey } = this.#request
    if (syncKey === '0') return this.#prime(stored)
    if (stored === undefined) return failed(this.#request, SyncStatus.invalidSyncKey, '0')
    const { record } = stored
    if (syncKey === keyText(record)) return this.#goOn(stored, undefined)
    if (record.previous !== undefined && syncKey === keyText(record, record.previous.key)) {
      return this.#repeat(stored, record.previous)
    }
    return failed(this.#request, SyncStatus.invalidSyncKey, '0')
  }

  /** Key 0: a new generation. A second key 0 before anything was sent is the first one again, its answer lost. */
  #prime(stored: Stored | undefined): CollectionAnswer {
    const { device } = this.#context
    const options = this.#request.options ?? defaultSyncOptions
    const fresh = stored !== undefined && stored.record.issued === 1 && stored.record.previous === undefined
    const record: CollectionRecord =
      fresh && JSON.stringify(stored.record.supported) === JSON.stringify(this.#request.supported)
        ? { ...stored.record, options }
        : newRecord(options, this.#request.supported)
    return {
      element: this.#collection(keyText(record), [], [], false),
      operations: [forgetCollection(device.id, this.#folder.id), ...putRecord(device.id, this.#folder.id, record)],
      watch: undefined,
    }
  }

  /** The answer to the key before was lost. */
  async #repeat(stored: Stored, previous: Previous): Promise<CollectionAnswer> {
    const { record } = stored
    if (previous.digest !== this.#digest) return this.#goOn(this.#rollBack(stored, previous), previous)
    const repeats = previous.repeats + 1
    this.#context.deps.meter.count('activesync_replayed_answers_total')
    if (repeats > repeatsBeforeSingle && previous.recipe.steps.length > 0) {
      return this.#isolate(stored, previous, repeats)
    }
    const element = (await this.#storedReply(stored)) ?? (await this.#remake(record, previous))
    return {
      element,
      operations: putRecord(
        this.#context.device.id,
        this.#folder.id,
        { ...record, previous: { ...previous, repeats } },
        stored.reply,
      ),
      watch: undefined,
    }
  }

  async #storedReply(stored: Stored): Promise<Element | undefined> {
    if (stored.reply === undefined) return undefined
    const decoded = decodeWbxml(stored.reply)
    return decoded.ok ? decoded.document.root : undefined
  }

  async #remake(record: CollectionRecord, { recipe }: Previous): Promise<Element> {
    const { content } = record.options
    const { cutoff } = record.point
    const contentOf = (item: Item) => (item.received < cutoff ? withoutBody(content) : content)
    const commands =
      this.#itemClass === undefined
        ? []
        : await renderSteps(this.#context, this.#folder, this.#itemClass, contentOf, recipe.steps)
    return this.#collection(keyText(record), readResponses(recipe), commands, recipe.more)
  }

  /**
   * The same answer was asked for again and again: the client stumbles over it, or the way is too bad for its size. One
   * command is sent alone; when even that one comes back every time, its item is left out and reported.
   */
  async #isolate(stored: Stored, previous: Previous, repeats: number): Promise<CollectionAnswer> {
    const avoid = new Set<Mid>()
    const { steps } = previous.recipe
    const first = steps[0]
    if (steps.length === 1 && first !== undefined && repeats > repeatsBeforeSkip) {
      avoid.add(first[1] as Mid)
      this.#context.log.error({ folder: this.#folder.id, mid: first[1] }, 'the device cannot take an item; left out')
      this.#context.deps.meter.count('activesync_poison_items_total')
    } else if (steps.length === 1) {
      const element = (await this.#storedReply(stored)) ?? (await this.#remake(stored.record, previous))
      const record = { ...stored.record, previous: { ...previous, repeats } }
      const { device } = this.#context
      return { element, operations: putRecord(device.id, this.#folder.id, record, stored.reply), watch: undefined }
    }
    this.#budget.commands = Math.min(this.#budget.commands, 1)
    return this.#goOn(this.#rollBack(stored, previous), previous, avoid)
  }

  /** The state the key before stood for. */
  #rollBack(stored: Stored, previous: Previous): Stored {
    const { record, ledger } = stored
    ledger.rollBack(previous.undo)
    return { ...stored, record: { ...record, key: previous.key, point: previous.point, previous: undefined } }
  }

  /** From the shown key to the next one. */
  async #goOn(
    stored: Stored,
    lost: Previous | undefined,
    avoid: ReadonlySet<Mid> = new Set(),
  ): Promise<CollectionAnswer> {
    const { record, ledger } = stored
    const options = this.#request.options ?? record.options
    ledger.begin()
    const client = await clientChanges({
      context: this.#context,
      folder: this.#folder,
      folders: this.#folders,
      itemClass: this.#itemClass,
      options,
      deletesAsMoves: this.#request.deletesAsMoves,
      stored,
      key: record.key,
      digest: this.#digest,
      commands: this.#request.commands,
      added: lost?.added ?? [],
    })
    const server = await this.#server(stored, options, avoid)
    const primed = record.point.walk !== 'todo' || server.point.walk === 'todo'
    const said = client.responses.length > 0 || server.steps.length > 0 || this.#request.commands.length > 0
    if (!said && primed && lost === undefined) return this.#nothing(stored, options, server)
    const next = record.issued + 1
    const text = keyText(record, next)
    const element = this.#collection(text, client.responses, server.elements, server.more)
    const bytes = encodeWbxml(element)
    const kept = bytes.length <= syncLimits.keptReply
    const recipe: Recipe = {
      steps: server.steps,
      responses: kept ? '' : writeResponses(client.responses),
      more: server.more,
    }
    const following: CollectionRecord = {
      ...record,
      issued: next,
      key: next,
      point: server.point,
      options,
      previous: {
        key: record.key,
        point: record.point,
        undo: ledger.undo(),
        digest: this.#digest,
        recipe,
        added: client.added,
        repeats: 0,
      },
    }
    const { device } = this.#context
    return {
      element,
      operations: [
        { op: 'once', key: `eas/s/${device.id}/${this.#folder.id}/${text}`, keepMs: guardKeepMs },
        ...putRecord(device.id, this.#folder.id, following, kept ? bytes : undefined),
        ...putLedger(device.id, this.#folder.id, ledger),
      ],
      watch: this.#watch(server),
    }
  }

  async #server(stored: Stored, options: SyncOptions, avoid: ReadonlySet<Mid>): Promise<ServerChanges> {
    const { point } = stored.record
    if (!this.#request.getChanges) return { elements: [], steps: [], point, more: false }
    if (this.#itemClass === undefined) {
      const { change } = await this.#context.mailbox.info()
      return { elements: [], steps: [], point: { cursor: change, walk: 'done', cutoff: 0 }, more: false }
    }
    const own: Budget = {
      commands: Math.min(this.#budget.commands, this.#request.windowSize),
      bytes: this.#budget.bytes,
    }
    const before = own.commands
    const changes = await serverChanges({
      context: this.#context,
      folder: this.#folder,
      itemClass: this.#itemClass,
      options,
      conversations: this.#request.conversationMode ?? point.conversations === 'shown',
      point,
      ledger: stored.ledger,
      budget: own,
      avoid,
    })
    this.#budget.commands -= before - own.commands
    this.#budget.bytes = own.bytes
    return changes
  }

  /** Nothing to say: no new key. The cursor still moves, so that a Ping does not ring for what was looked at. */
  #nothing(stored: Stored, options: SyncOptions, server: ServerChanges): CollectionAnswer {
    const { record, ledger } = stored
    const { device } = this.#context
    const moved =
      server.point.cursor !== record.point.cursor ||
      server.point.cutoff !== record.point.cutoff ||
      server.point.conversations !== record.point.conversations
    const changed = moved || ledger.dirty || JSON.stringify(options) !== JSON.stringify(record.options)
    const operations = changed
      ? [
          ...putRecord(device.id, this.#folder.id, { ...record, options, point: server.point, previous: undefined }),
          ...putLedger(device.id, this.#folder.id, ledger),
        ]
      : []
    // The request's window went to other collections: the key stays, and the client is told that there is more (R4779).
    const element = server.more ? this.#collection(keyText(record), [], [], true) : undefined
    return { element, operations, watch: this.#watch(server) }
  }

  #watch(server: ServerChanges): Watch {
    return { folder: this.#folder, cursor: server.point.cursor, cutoff: server.point.cutoff }
  }

  #collection(key: string, responses: readonly Element[], commands: readonly Element[], more: boolean): Element {
    return el(
      'AirSync:Collection',
      el('AirSync:SyncKey', key),
      el('AirSync:CollectionId', this.#request.collectionId),
      el('AirSync:Status', SyncStatus.success),
      responses.length > 0 && el('AirSync:Responses', ...responses),
      more && el('AirSync:MoreAvailable'),
      commands.length > 0 && el('AirSync:Commands', ...commands),
    )
  }
}

const writeResponses = (responses: readonly Element[]): string =>
  responses.length === 0 ? '' : encodeWbxml(el('AirSync:Responses', ...responses)).toString('base64')

function readResponses(recipe: Recipe): Element[] {
  if (recipe.responses === '') return []
  const decoded = decodeWbxml(Buffer.from(recipe.responses, 'base64'))
  return decoded.ok ? children(decoded.document.root) : []
}

/** True when a commit lost against the same commit of another process: what it wanted is stored, and the request is to be run again. */
export const lostRace = (error: unknown): boolean => isDomainError(error, 'duplicate')
