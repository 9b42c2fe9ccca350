/**
 * The stored state of one collection on one device: the current key with what it stands for, and the one before with the
 * answer that led from it to the current one ([MS-ASCMD] §3.1.5.9, R5121, R5122). Ids and marks are in the ledger beside it.
 */
import { randomInt } from 'node:crypto'
import type { ChangeNumber, FolderId, MailboxHandle, Mid, Operation, StateEntry } from '@postrider/domain'
import type { ContentOptions, StatePart } from '../content.ts'
import { defaultContent } from '../content.ts'
import { stateClient } from '../state/device.ts'
import { Ledger, type Undo } from './ledger.ts'

/** How far the first, newest-first walk through the folder is. */
export type Walk = 'todo' | { readonly received: number; readonly mid: Mid } | 'done'

/** What a key stands for, beside the ledger. */
export interface SyncPoint {
  /** Everything up to it was looked at in the change feed. */
  readonly cursor: ChangeNumber
  readonly walk: Walk
  /** Items received before it are not on the device; 0 is no limit. */
  readonly cutoff: number
  /** Whole conversations are shown, those of which one mail is inside the filter; or what was shown of them is on its way out. */
  readonly conversations?: 'shown' | 'leaving'
}

/** The Options of a collection, which stay until they are replaced: [MS-ASCMD] §2.2.3.125.6. */
export interface SyncOptions {
  readonly filterType: number
  /** 0 the client wins, 1 the server: [MS-ASCMD] §2.2.3.34. */
  readonly conflict: 0 | 1
  readonly content: ContentOptions
}

export const defaultSyncOptions: SyncOptions = { filterType: 0, conflict: 1, content: defaultContent }

/** One server command of an answer, in what it takes to make it again. */
export type RecipeStep =
  | readonly [op: 'add', mid: number]
  | readonly [op: 'change', mid: number, part: 'all' | readonly StatePart[]]
  | readonly [op: 'delete' | 'softDelete', mid: number]

/** How to make an answer again when its bytes were too many to keep. */
export interface Recipe {
  readonly steps: readonly RecipeStep[]
  /** WBXML of the Responses element, base64; '' without one. */
  readonly responses: string
  readonly more: boolean
}

/** A client's Add that was carried out, to know it again when the request comes changed. */
export type Added = readonly [clientId: string, digest: string, serverId: string]

export interface Previous {
  readonly key: number
  readonly point: SyncPoint
  readonly undo: Undo
  /** Digest of the request that was answered. */
  readonly digest: string
  readonly recipe: Recipe
  readonly added: readonly Added[]
  /** How often the same request came again: a client that cannot take the answer. */
  readonly repeats: number
}

export interface CollectionRecord {
  readonly v: 1
  /** A new one with every key 0. */
  readonly generation: string
  /** The highest number given out in this generation. */
  readonly issued: number
  readonly key: number
  readonly point: SyncPoint
  readonly options: SyncOptions
  /** Tags of the initial Sync's Supported; undefined without one, [] for an empty one: [MS-ASCMD] §2.2.3.179. */
  readonly supported: readonly string[] | undefined
  readonly previous: Previous | undefined
}

/** What was applied for a request whose answer is not stored yet: found again after a crash between the two commits. */
export interface Journal {
  readonly generation: string
  readonly key: number
  readonly digest: string
  /** The folder's cursor before, to look for what was added. */
  readonly since: number
}

/** Everything stored for one collection. */
export interface Stored {
  readonly record: CollectionRecord
  readonly ledger: Ledger
  /** WBXML of the Collection element that was answered to `previous.key`. */
  readonly reply: Uint8Array | undefined
  readonly journal: Journal | undefined
}

const prefix = (folder: FolderId): string => `sync/${folder}/`
const ledgerPrefix = (folder: FolderId): string => `sync/${folder}/l`

/** A record before anything was synced. */
export function newRecord(options: SyncOptions, supported: readonly string[] | undefined): CollectionRecord {
  return {
    v: 1,
    generation: randomInt(36 ** 7, 36 ** 8).toString(36),
    issued: 1,
    key: 1,
    point: { cursor: 0 as ChangeNumber, walk: 'todo', cutoff: 0 },
    options,
    supported,
    previous: undefined,
  }
}

export const keyText = (record: CollectionRecord, key: number = record.key): string => `${record.generation}-${key}`

/** Loads a collection; undefined when it was never synced or its state cannot be read. */
export async function loadCollection(
  mailbox: MailboxHandle,
  deviceId: string,
  folder: FolderId,
): Promise<Stored | undefined> {
  const start = prefix(folder)
  const entries = await mailbox.state(stateClient(deviceId), start)
  const value = (name: string): Uint8Array | undefined => entries.find((entry) => entry.key === start + name)?.value
  const record = parse<CollectionRecord>(value('record'))
  const ledger = Ledger.load(entries, ledgerPrefix(folder))
  if (record?.v !== 1 || ledger === undefined) return undefined
  return { record, ledger, reply: value('reply'), journal: parse<Journal>(value('journal')) }
}

/** The records alone, for Ping and GetItemEstimate: no ledger is read. */
export async function loadRecord(
  mailbox: MailboxHandle,
  deviceId: string,
  folder: FolderId,
): Promise<CollectionRecord | undefined> {
  const key = `${prefix(folder)}record`
  const entries: readonly StateEntry[] = await mailbox.state(stateClient(deviceId), key)
  const record = parse<CollectionRecord>(entries.find((entry) => entry.key === key)?.value)
  return record?.v === 1 ? record : undefined
}

/** The operations that store a record; `reply` undefined takes a stored one away. */
export function putRecord(
  deviceId: string,
  folder: FolderId,
  record: CollectionRecord,
  reply?: Uint8Array,
): Operation[] {
  const client = stateClient(deviceId)
  const key = prefix(folder)
  return [
    { op: 'putState', client, key: `${key}record`, value: Buffer.from(JSON.stringify(record)) },
    reply === undefined
      ? { op: 'deleteState', client, key: `${key}reply` }
      : { op: 'putState', client, key: `${key}reply`, value: reply },
  ]
}

export const putJournal = (deviceId: string, folder: FolderId, journal: Journal): Operation => ({
  op: 'putState',
  client: stateClient(deviceId),
  key: `${prefix(folder)}journal`,
  value: Buffer.from(JSON.stringify(journal)),
})

export const putLedger = (deviceId: string, folder: FolderId, ledger: Ledger): Operation[] =>
  ledger.operations(stateClient(deviceId), ledgerPrefix(folder))

/** Forgets a collection: key 0, and folders that are gone. */
export const forgetCollection = (deviceId: string, folder: FolderId): Operation => ({
  op: 'deleteState',
  client: stateClient(deviceId),
  prefix: prefix(folder),
})

function parse<T>(value: Uint8Array | undefined): T | undefined {
  if (value === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as T
  } catch {
    return undefined
  }
}
