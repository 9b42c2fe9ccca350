/**
 * Pictures and attachments of the mails that are kept, up to a size together: the newest mails have them first. The service worker gives
 * them when the server is away.
 */
import type { JmapClient } from '../jmap/client.ts'
import type { BodyPart, Id } from '../jmap/types.ts'
import { blobKey } from './kept.ts'
import type { Vault } from './vault.ts'

/** Bytes of one file and of all together. */
const MOST_FILE = 2 * 1024 * 1024
const MOST_ALL = 64 * 1024 * 1024
const INDEX = 'blobs'

interface KeptBlob {
  readonly mail: Id
  readonly size: number
  readonly receivedAt: string
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

  /** Fetches what these mails have and is not here; older files make room. Rejects when the server is away. */
  async keep(mails: readonly WithFiles[]): Promise<void> {
    const index = await this.#index()
    for (const { id, receivedAt, attachments } of mails)
      for (const { blobId, size, name, type } of attachments) {
        if (blobId === null || size > MOST_FILE || Object.hasOwn(index, blobId)) continue
        const leaving = roomFor(index, size, receivedAt)
        if (leaving === undefined) continue
        const response = await this.#client.request(this.#client.downloadUrl(blobId, name ?? 'file', type))
        await this.#vault.put('files', [[blobKey(blobId), await response.arrayBuffer()]])
        for (const one of leaving) delete index[one]
        index[blobId] = { mail: id, size, receivedAt }
        await this.#vault.remove('files', leaving.map(blobKey))
        await this.#vault.put('meta', [[INDEX, index]])
      }
  }

  /** Those of mails that are no longer kept; of all when no ids are given. */
  async drop(mails?: readonly Id[]): Promise<void> {
    const index = await this.#index()
    const gone = Object.entries(index).filter(([, { mail }]) => mails === undefined || mails.includes(mail))
    if (gone.length === 0) return
    for (const [blobId] of gone) delete index[blobId]
    await this.#vault.put('meta', [[INDEX, index]])
    await this.#vault.remove(
      'files',
      gone.map(([blobId]) => blobKey(blobId)),
    )
  }

  async #index(): Promise<Index> {
    return { ...(await this.#vault.get<Index>('meta', INDEX)) }
  }
}

/** The files of older mails that have to go; undefined when there are not enough of them. */
export function roomFor(index: Readonly<Index>, size: number, receivedAt: string): readonly Id[] | undefined {
  let free = MOST_ALL - Object.values(index).reduce((sum, one) => sum + one.size, 0)
  const older = Object.entries(index)
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
