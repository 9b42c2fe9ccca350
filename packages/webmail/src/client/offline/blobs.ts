/**
 * Pictures and attachments of the mails that are kept, up to a size together: the newest mails have them first. The service worker gives
 * them when the server is away.
 */
import { type JmapClient, JmapError, OfflineError } from '../jmap/client.ts'
import type { BodyPart, Id } from '../jmap/types.ts'
import { blobKey } from './kept.ts'
import type { Vault } from './vault.ts'

/** Bytes of one file and of all together. */
const MOST_FILE = 2 * 1024 * 1024
const MOST_ALL = 64 * 1024 * 1024
/** Its own list, among the files: what is here, and what is still to be fetched. */
const INDEX = 'index'

interface KeptBlob {
  readonly mail: Id
  readonly size: number
  readonly receivedAt: string
  readonly name: string
  readonly type: string
  readonly here: boolean
}
type Index = Record<Id, KeptBlob>

interface WithFiles {
  readonly id: Id
  readonly receivedAt: string
  readonly attachments: readonly BodyPart[]
}

export class KeptBlobs {
  readonly #vault: Vault
  readonly #client: JmapClient

  constructor(vault: Vault, client: JmapClient) {
    this.#vault = vault
    this.#client = client
  }

  /** Notes what these mails have; it is fetched when everything else is here. */
  async want(mails: readonly WithFiles[]): Promise<void> {
    const index = await this.#index()
    const before = Object.keys(index).length
    for (const { id, receivedAt, attachments } of mails)
      for (const { blobId, size, name, type } of attachments)
        if (blobId !== null && size <= MOST_FILE && !Object.hasOwn(index, blobId))
          index[blobId] = { mail: id, size, receivedAt, name: name ?? 'file', type, here: false }
    if (Object.keys(index).length > before) await this.#keep(index)
  }

  /** Fetches what is wanted and not here, the newest first; older files make room. Rejects when the server is away. */
  async fetch(): Promise<void> {
    const index = await this.#index()
    const wanted = Object.entries(index)
      .filter(([, one]) => !one.here)
      .sort(([, a], [, b]) => (a.receivedAt < b.receivedAt ? 1 : -1))
    for (const [blobId, one] of wanted) {
      const leaving = roomFor(index, one.size, one.receivedAt)
      if (leaving === undefined) delete index[blobId]
      else {
        const bytes = await this.#bytes(blobId, one)
        if (bytes === undefined) {
          delete index[blobId]
          await this.#keep(index)
          continue
        }
        await this.#vault.put('files', [[blobKey(blobId), bytes]])
        for (const old of leaving) delete index[old]
        await this.#vault.remove('files', leaving.map(blobKey))
        index[blobId] = { ...one, here: true }
      }
      await this.#keep(index)
    }
  }

  /** Those of mails that are no longer kept; of all when no ids are given. */
  async drop(mails?: readonly Id[]): Promise<void> {
    const index = await this.#index()
    const gone = Object.entries(index).filter(([, { mail }]) => mails === undefined || mails.includes(mail))
    if (gone.length === 0) return
    for (const [blobId] of gone) delete index[blobId]
    await this.#keep(index)
    await this.#vault.remove(
      'files',
      gone.map(([blobId]) => blobKey(blobId)),
    )
  }

  /** Undefined: the server has it no more. */
  async #bytes(blobId: Id, { name, type }: KeptBlob): Promise<ArrayBuffer | undefined> {
    try {
      const response = await this.#client.request(this.#client.downloadUrl(blobId, name, type))
      return await response.arrayBuffer()
    } catch (error) {
      if (error instanceof JmapError && !(error instanceof OfflineError) && error.type !== 'signedOut') return undefined
      throw error
    }
  }

  async #index(): Promise<Index> {
    return { ...(await this.#vault.get<Index>('files', INDEX)) }
  }
  #keep(index: Index): Promise<void> {
    return this.#vault.put('files', [[INDEX, index]])
  }
}

/** The files of older mails that have to go; undefined when there are not enough of them. */
export function roomFor(index: Readonly<Index>, size: number, receivedAt: string): readonly Id[] | undefined {
  const here = Object.entries(index).filter(([, one]) => one.here)
  let free = MOST_ALL - here.reduce((sum, [, one]) => sum + one.size, 0)
  const older = here
    .filter(([, one]) => one.receivedAt < receivedAt)
    .sort(([, a], [, b]) => (a.receivedAt < b.receivedAt ? -1 : 1))
  const leaving: Id[] = []
  for (const [blobId, one] of older) {
    if (free >= size) break
    leaving.push(blobId)
    free += one.size
  }
  return free >= size ? leaving : undefined
}
