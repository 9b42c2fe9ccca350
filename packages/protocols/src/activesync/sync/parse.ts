/** A Sync request as a value: [MS-ASCMD] §2.2.1.21. Wrong ones throw SyncError (Status under Sync) or StatusError (101…). */
import { createHash } from 'node:crypto'
import { child, children, type Element, el, encodeWbxml, flag, has, integer, text } from '@postrider/wire/wbxml'
import { type ContentOptions, parseContentOptions } from '../content.ts'
import { Status, StatusError } from '../status.ts'
import type { EasVersion } from '../version.ts'
import { defaultSyncOptions, type SyncOptions } from './record.ts'
import { SyncError, SyncStatus, syncLimits } from './status.ts'

/** One command of a client. */
export type ClientCommand =
  | { readonly kind: 'Add'; readonly clientId: string; readonly class: string | undefined; readonly element: Element }
  | { readonly kind: 'Change'; readonly serverId: string; readonly element: Element }
  | { readonly kind: 'Delete' | 'Fetch'; readonly serverId: string; readonly element: Element }

export interface CollectionRequest {
  readonly syncKey: string
  readonly collectionId: string
  readonly getChanges: boolean
  readonly deletesAsMoves: boolean
  readonly windowSize: number
  /** Undefined leaves it as it was. */
  readonly conversationMode: boolean | undefined
  /** The new options; undefined leaves the stored ones. */
  readonly options: SyncOptions | undefined
  readonly supported: readonly string[] | undefined
  readonly commands: readonly ClientCommand[]
}

export interface SyncRequest {
  readonly collections: readonly CollectionRequest[]
  /** Seconds to wait for a change; undefined answers at once. */
  readonly waitSeconds: number | undefined
  /** WindowSize over all collections; undefined is no limit of its own. */
  readonly windowSize: number | undefined
  readonly partial: boolean
}

/** Range of Wait in minutes: [MS-ASCMD] §2.2.3.198; of HeartbeatInterval in seconds come from the settings. */
const waitRange = [1, 59] as const

/** What the server allows. */
export interface SyncBounds {
  readonly minHeartbeatInterval: number
  readonly maxHeartbeatInterval: number
  readonly maxFolders: number
}

/** Children of Sync and Collection that may be there; others are passed over. */
export function parseSync(root: Element, bounds: SyncBounds, version: EasVersion): SyncRequest {
  const waitSeconds = parseWait(root, bounds)
  const list = child(root, 'AirSync:Collections')
  const partial = has(root, 'AirSync:Partial')
  const window = integer(root, 'AirSync:WindowSize')
  if (list === undefined && !partial) throw new SyncError(SyncStatus.protocolError)
  // MS-ASCMD_R3642: Partial alone says nothing.
  if (partial && children(root).length === 1) throw new SyncError(SyncStatus.protocolError)
  const collections = children(list, 'AirSync:Collection').map((element) => parseCollection(element, version))
  if (!partial && collections.length === 0) throw new SyncError(SyncStatus.protocolError)
  if (collections.length > bounds.maxFolders) throw new SyncError(SyncStatus.tooManyCollections, bounds.maxFolders)
  const commands = collections.reduce((sum, collection) => sum + collection.commands.length, 0)
  if (commands > syncLimits.commands) throw new SyncError(SyncStatus.protocolError)
  const ids = new Set(collections.map((collection) => collection.collectionId))
  if (ids.size !== collections.length) throw new SyncError(SyncStatus.protocolError)
  return { collections, waitSeconds, windowSize: window === undefined ? undefined : windowOf(window), partial }
}

function parseWait(root: Element, bounds: SyncBounds): number | undefined {
  const wait = integer(root, 'AirSync:Wait')
  const heartbeat = integer(root, 'AirSync:HeartbeatInterval')
  // MS-ASCMD_R3162, R4748: never both.
  if (wait !== undefined && heartbeat !== undefined) throw new SyncError(SyncStatus.protocolError)
  if (wait !== undefined) {
    const [least, most] = waitRange
    if (!(wait >= least)) throw new SyncError(SyncStatus.invalidWait, least)
    if (wait > most) throw new SyncError(SyncStatus.invalidWait, most)
    return wait * 60
  }
  if (heartbeat === undefined) return undefined
  const { minHeartbeatInterval: least, maxHeartbeatInterval: most } = bounds
  if (!(heartbeat >= least)) throw new SyncError(SyncStatus.invalidWait, least)
  if (heartbeat > most) throw new SyncError(SyncStatus.invalidWait, most)
  return heartbeat
}

/** MS-ASCMD_R4768: 0 and more than 512 are 512. */
function windowOf(value: number): number {
  if (!(value >= 0)) throw new StatusError(Status.InvalidXML, 'WindowSize')
  return value === 0 || value > syncLimits.window ? syncLimits.window : value
}

function parseCollection(element: Element, version: EasVersion): CollectionRequest {
  const syncKey = text(element, 'AirSync:SyncKey')?.trim()
  const collectionId = text(element, 'AirSync:CollectionId')?.trim()
  // MS-ASCMD_R4545: no CollectionId is 4; a missing key is the same.
  if (syncKey === undefined || syncKey === '' || collectionId === undefined || collectionId === '') {
    throw new SyncError(SyncStatus.protocolError)
  }
  if (syncKey.length > 64 || collectionId.length > 64) throw new SyncError(SyncStatus.protocolError)
  const initial = syncKey === '0'
  const getChanges = flag(element, 'AirSync:GetChanges')
  for (const tag of ['AirSync:GetChanges', 'AirSync:DeletesAsMoves', 'AirSync:ConversationMode'] as const) {
    if (has(element, tag) && flag(element, tag) === undefined) throw new SyncError(SyncStatus.protocolError)
  }
  const commands = children(child(element, 'AirSync:Commands')).map(parseCommand)
  // MS-ASCMD_R3128, R5838: nothing can be asked for or sent before there is a key.
  if (initial && (getChanges === true || commands.length > 0)) throw new SyncError(SyncStatus.protocolError)
  const supported = child(element, 'AirSync:Supported')
  const window = integer(element, 'AirSync:WindowSize')
  return {
    syncKey,
    collectionId,
    getChanges: getChanges ?? !initial,
    deletesAsMoves: flag(element, 'AirSync:DeletesAsMoves') ?? true,
    windowSize: window === undefined ? syncLimits.defaultWindow : windowOf(window),
    conversationMode: flag(element, 'AirSync:ConversationMode'),
    options: parseOptions(children(element, 'AirSync:Options'), version),
    supported: supported === undefined ? undefined : children(supported).map((entry) => entry.tag),
    commands,
  }
}

function parseCommand(element: Element): ClientCommand {
  const serverId = text(element, 'AirSync:ServerId')?.trim()
  switch (element.tag) {
    case 'AirSync:Add': {
      const clientId = text(element, 'AirSync:ClientId')?.trim()
      if (clientId === undefined || clientId === '' || clientId.length > 64)
        throw new SyncError(SyncStatus.protocolError)
      if (!has(element, 'AirSync:ApplicationData')) throw new SyncError(SyncStatus.protocolError)
      return { kind: 'Add', clientId, class: text(element, 'AirSync:Class')?.trim(), element }
    }
    case 'AirSync:Change':
      // A draft may be sent as it is: email2:Send without ApplicationData.
      if (!has(element, 'AirSync:ApplicationData') && !has(element, 'Email2:Send')) {
        throw new SyncError(SyncStatus.protocolError)
      }
      return { kind: 'Change', serverId: required(serverId), element }
    case 'AirSync:Delete':
      return { kind: 'Delete', serverId: required(serverId), element }
    case 'AirSync:Fetch':
      return { kind: 'Fetch', serverId: required(serverId), element }
    default:
      throw new SyncError(SyncStatus.protocolError)
  }
}

function required(serverId: string | undefined): string {
  if (serverId === undefined || serverId === '' || serverId.length > 64) throw new SyncError(SyncStatus.protocolError)
  return serverId
}

/** Options: at most one without SMS and one for SMS, which is taken and not used ([MS-ASCMD] §2.2.3.125.6, §2.2.3.27.6). */
function parseOptions(elements: readonly Element[], version: EasVersion): SyncOptions | undefined {
  if (elements.length === 0) return undefined
  const classes = elements.map((options) => text(options, 'AirSync:Class')?.trim() ?? '')
  // MS-ASCMD_R930, R935: the same class twice, or a pair that is not Email and SMS.
  if (elements.length > 2) throw new SyncError(SyncStatus.protocolError)
  if (elements.length === 2 && !(classes.includes('SMS') && new Set(classes).size === 2)) {
    throw new SyncError(SyncStatus.protocolError)
  }
  for (const name of classes) {
    if (name !== '' && !itemClassNames.has(name)) throw new SyncError(SyncStatus.protocolError)
  }
  const main = elements.find((_, index) => classes[index] !== 'SMS')
  if (main === undefined) return { ...defaultSyncOptions, filterType: 0 }
  return {
    filterType: parseFilterType(main),
    conflict: parseConflict(main),
    content: contentOf(main, version),
  }
}

const itemClassNames: ReadonlySet<string> = new Set(['Email', 'SMS', 'Calendar', 'Contacts', 'Tasks', 'Notes'])

function parseFilterType(options: Element): number {
  const value = integer(options, 'AirSync:FilterType') ?? 0
  // Beyond the schema's range the request itself is invalid; what a class does not know is 4, in filter.ts.
  if (!(value >= 0 && value <= 8)) throw new StatusError(Status.InvalidXML, 'FilterType')
  return value
}

function parseConflict(options: Element): 0 | 1 {
  const value = integer(options, 'AirSync:Conflict') ?? 1
  if (value !== 0 && value !== 1) throw new StatusError(Status.InvalidXML, 'Conflict')
  return value
}

function contentOf(options: Element, version: EasVersion): ContentOptions {
  const parsed = parseContentOptions(options, version)
  if (parsed.ok) return parsed.options
  if ('status' in parsed) throw new StatusError(parsed.status)
  // MS-ASAIRS_R348 to R351; everything else about these elements is 6: R347, R10014, R10027 to R10029.
  if (parsed.listed === true) throw new SyncError(SyncStatus.protocolError)
  if (parsed.listed === false) throw new SyncError(SyncStatus.conversionError)
  throw new StatusError(Status.InvalidXML, parsed.element)
}

/** A short name for what a collection's request asks, its key left out: equal requests are the same request sent again. */
export function digestOf(request: CollectionRequest): string {
  const { syncKey: _, commands, ...rest } = request
  const hash = createHash('sha256').update(JSON.stringify(rest))
  if (commands.length > 0) {
    hash.update(encodeWbxml(el('AirSync:Commands', ...commands.map((command) => command.element))))
  }
  return hash.digest('base64url').slice(0, 22)
}

/** The digest of one Add's content. */
export const digestOfAdd = (element: Element): string =>
  createHash('sha256').update(encodeWbxml(element)).digest('base64url').slice(0, 16)
