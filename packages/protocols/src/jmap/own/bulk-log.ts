/**
 * What acts on many mails did, so that it can be undone after a restart and from another process: in the mailbox, written with the act
 * itself. Client `jmap-bulk`: `list` names the acts, `<act>/<n>` has the mails of one transaction, by what takes it back.
 */
import type { ItemId, MailboxHandle, Operation } from '@postrider/domain'
import { isObject, type JsonObject } from '../core/json.ts'
import { BULK_LIFE_MS, MAX_BULKS } from '../limits.ts'

const CLIENT = 'jmap-bulk'
const LIST = 'list'

export interface BulkAct {
  readonly id: string
  readonly made: number
  /** Mails with a higher id are not for it. */
  readonly highest: number
  readonly patch: JsonObject
  readonly chunks: number
}

/** Mails of one transaction: what takes the act back, and for which. */
export type BulkChunk = readonly (readonly [inverse: JsonObject, ids: readonly ItemId[]])[]

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const jsonOf = (value: Uint8Array | undefined): unknown =>
  value === undefined ? undefined : (JSON.parse(Buffer.from(value).toString()) as unknown)

/** The acts that can still be undone, the oldest first. */
export async function readActs(handle: MailboxHandle, now: number): Promise<readonly BulkAct[]> {
  const list = jsonOf((await handle.state(CLIENT, LIST)).find(({ key }) => key === LIST)?.value)
  if (!Array.isArray(list)) return []
  return (list as readonly unknown[]).filter(
    (one): one is BulkAct => isObject(one as never) && (one as BulkAct).made > now - BULK_LIFE_MS,
  )
}

const putList = (acts: readonly BulkAct[]): Operation => ({
  op: 'putState',
  client: CLIENT,
  key: LIST,
  value: bytesOf(acts),
})

/** The operations that note one more transaction of an act; older acts go when there are too many. */
export function noteChunk(acts: readonly BulkAct[], act: BulkAct, chunk: BulkChunk): readonly Operation[] {
  const others = acts.filter((one) => one.id !== act.id)
  const kept = others.slice(-(MAX_BULKS - 1))
  return [
    putList([...kept, { ...act, chunks: act.chunks + 1 }]),
    ...others
      .filter((one) => !kept.includes(one))
      .map((one): Operation => ({ op: 'deleteState', client: CLIENT, prefix: `${one.id}/` })),
    { op: 'putState', client: CLIENT, key: `${act.id}/${act.chunks}`, value: bytesOf(chunk) },
  ]
}

/** The transactions of an act that were not undone yet. */
export async function readChunks(
  handle: MailboxHandle,
  id: string,
): Promise<readonly { readonly key: string; readonly chunk: BulkChunk }[]> {
  const entries = await handle.state(CLIENT, `${id}/`)
  return entries.map(({ key, value }) => ({ key, chunk: jsonOf(value) as BulkChunk }))
}

export const forgetChunk = (key: string): Operation => ({ op: 'deleteState', client: CLIENT, key })
export const forgetAct = (acts: readonly BulkAct[], id: string): Operation =>
  putList(acts.filter((one) => one.id !== id))
