/** What every part of the transport works with, and the small questions they all ask the mailbox service. */
import {
  type Clock,
  type Directory,
  DomainError,
  type FolderId,
  type FolderRole,
  type Logger,
  type MailboxId,
  type MailboxService,
  MAX_BLOB_CHUNK,
  type Meter,
  type QueueEntry,
} from '@postrider/domain'
import type { DeliveryWishes } from './queue/arrange.ts'
import type { TransportSettings } from './settings.ts'

export interface TransportCore {
  readonly service: MailboxService
  readonly directory: Directory
  readonly settings: TransportSettings
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  readonly folders: FolderIds
  /** What mailboxes want done with arriving mail. */
  readonly wishes: DeliveryWishes
  /** Where queue rows go that belong to no mailbox: relayed mail. */
  systemMailbox(): MailboxId | undefined
}

/** Mailboxes whose folder ids are remembered. */
const MAX_REMEMBERED = 20_000

/** Ids of distinguished folders; they never change while the mailbox lives. */
export class FolderIds {
  readonly #service: Pick<MailboxService, 'folders'>
  readonly #known = new Map<MailboxId, Map<FolderRole, FolderId>>()

  constructor(service: Pick<MailboxService, 'folders'>) {
    this.#service = service
  }

  async find(mailbox: MailboxId, role: FolderRole): Promise<FolderId> {
    let roles = this.#known.get(mailbox)
    if (roles === undefined) {
      roles = new Map()
      for (const folder of await this.#service.folders(mailbox))
        if (folder.role !== undefined) roles.set(folder.role, folder.id)
      if (this.#known.size >= MAX_REMEMBERED)
        for (const oldest of this.#known.keys()) {
          this.#known.delete(oldest)
          break
        }
      this.#known.set(mailbox, roles)
    }
    const id = roles.get(role)
    if (id === undefined) throw new DomainError('folderNotFound', role)
    return id
  }

  forget(mailbox: MailboxId): void {
    this.#known.delete(mailbox)
  }
}

/** The bytes of a queued message, whole. */
export async function queuedMessage(service: MailboxService, entry: QueueEntry): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for (let at = 0; ; ) {
    const chunk = await service.blob(entry.mailbox, entry.original, at, at + MAX_BLOB_CHUNK)
    chunks.push(chunk)
    at += chunk.length
    if (chunk.length < MAX_BLOB_CHUNK) break
  }
  return Buffer.concat(chunks)
}

/** The domain of an address, lower case; empty when it has none. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? '' : address.slice(at + 1).toLowerCase()
}
