import type { Door, MailboxHandle } from './access.ts'
import type { Principal } from './credentials.ts'
import type { Directory } from './directory.ts'
import { DomainError } from './error.ts'
import type { Folder } from './folder.ts'
import type { BlobRef, FolderId, MailboxId, Mid } from './ids.ts'
import type { Item } from './item.ts'
import type { ApplyResult, Operation } from './operations.ts'
import type { ScanColumn, Packed } from './packed.ts'
import { Hierarchies, type Listing, type Overview } from './hierarchies.ts'
import type { ReadyBlock, ReadyRequest } from './ready.ts'
import { ALL_RIGHTS, type Permission, Right } from './rights.ts'
import type { SearchRequest, SearchResult } from './search.ts'
import {
  type Changes,
  type ChangesRequest,
  type GetRequest,
  type Hint,
  type MailboxInfo,
  type MailboxService,
  MAX_BLOB_CHUNK,
  type FolderOriginals,
  type OriginalsRequest,
  type ScanRequest,
  type StateEntry,
  type Subscription,
} from './service.ts'

/** How long a delegate's rights are believed before they are read again, ms. A withdrawn right ends within this. */
export const RIGHTS_MAX_AGE_MS = 10_000

/** The door over a service: see `access.ts` for what it promises. */
export function createDoor(service: MailboxService, directory: Directory): Door {
  const hierarchies = new Hierarchies(service)
  return {
    async open(principal, mailbox) {
      const entry = directory.mailbox(mailbox)
      if (principal.mailbox === mailbox && entry?.account === principal.account)
        return new OwnerHandle(service, principal, mailbox, hierarchies)
      if (entry === undefined) throw new DomainError('accessDenied')
      if (entry.fullAccess.includes(principal.account)) return new OwnerHandle(service, principal, mailbox, hierarchies)
      const handle = new DelegateHandle(service, principal, mailbox, hierarchies)
      if (!(await handle.mayAnything())) throw new DomainError('accessDenied')
      return handle
    },
  }
}

/** Reads an original whole or in part, chunk by chunk: one answer of the service is never larger than MAX_BLOB_CHUNK. */
async function readOriginal(
  service: MailboxService,
  mailbox: MailboxId,
  ref: BlobRef,
  start = 0,
  end = Number.MAX_SAFE_INTEGER,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let at = start
  while (at < end) {
    const chunk = await service.blob(mailbox, ref, at, Math.min(end, at + MAX_BLOB_CHUNK))
    if (chunk.length === 0) break
    chunks.push(chunk)
    at += chunk.length
    if (chunk.length < MAX_BLOB_CHUNK) break
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
}

/** What no handle may do: these belong to the transport and to administration. */
const systemOperations: ReadonlySet<Operation['op']> = new Set<Operation['op']>(['queueChange', 'setQuota', 'enqueue'])

/** The owner's handle: nothing is filtered, nothing is looked up. */
class OwnerHandle implements MailboxHandle {
  readonly mailbox: MailboxId
  readonly principal: Principal
  readonly full: boolean = true
  protected readonly service: MailboxService
  readonly #hierarchies: Hierarchies
  constructor(service: MailboxService, principal: Principal, mailbox: MailboxId, hierarchies: Hierarchies) {
    this.service = service
    this.#hierarchies = hierarchies
    this.principal = principal
    this.mailbox = mailbox
  }
  info(): Promise<MailboxInfo> {
    return this.service.info(this.mailbox)
  }
  async apply(operations: readonly Operation[]): Promise<ApplyResult> {
    const index = operations.findIndex((one) => systemOperations.has(one.op))
    if (index >= 0) throw new DomainError('accessDenied', operations[index]?.op, { operation: index })
    return this.service.apply(this.mailbox, operations)
  }
  stage(bytes: Uint8Array): Promise<BlobRef> {
    return this.service.stage(this.mailbox, bytes)
  }
  folders(): Promise<readonly Folder[]> {
    return this.service.folders(this.mailbox)
  }
  hierarchy(): Promise<readonly Folder[]> {
    return this.#hierarchies.of(this.mailbox)
  }
  overview(): Promise<Overview> {
    return this.#hierarchies.overview(this.mailbox)
  }
  listing(moved?: boolean): Promise<Listing> {
    return this.#hierarchies.listing(this.mailbox, moved)
  }
  remembered(): readonly Folder[] | undefined {
    return this.#hierarchies.remembered(this.mailbox)
  }
  rights(_folder: FolderId): Promise<number> {
    return Promise.resolve(ALL_RIGHTS)
  }
  permissions(): Promise<readonly Permission[]> {
    return this.service.permissions(this.mailbox)
  }
  scan<C extends ScanColumn>(request: ScanRequest<C>): Promise<Packed<C>> {
    return this.service.scan(this.mailbox, request)
  }
  get(request: GetRequest): Promise<readonly Item[]> {
    return this.service.get(this.mailbox, request)
  }
  async original(
    item: { readonly folder: FolderId; readonly original?: BlobRef },
    start?: number,
    end?: number,
  ): Promise<Uint8Array> {
    if (item.original === undefined) throw new DomainError('blobGone', 'the item has no original')
    return readOriginal(this.service, this.mailbox, item.original, start, end)
  }
  originals(request: OriginalsRequest): Promise<FolderOriginals> {
    return this.service.originals(this.mailbox, request)
  }
  changes(request: ChangesRequest): Promise<Changes> {
    return this.service.changes(this.mailbox, request)
  }
  subscribe(listener: (hint: Hint) => void): Promise<Subscription> {
    return this.service.subscribe(this.mailbox, listener)
  }
  search(request: SearchRequest): Promise<SearchResult> {
    return this.service.search(this.mailbox, request)
  }
  state(client: string, keyPrefix?: string): Promise<readonly StateEntry[]> {
    return this.service.state(this.mailbox, client, keyPrefix)
  }
  ready(request: ReadyRequest): Promise<readonly ReadyBlock[]> {
    return this.service.ready(this.mailbox, request)
  }
}

/** A delegate's handle: every call is held against the rights stored for the folder. */
class DelegateHandle extends OwnerHandle {
  override readonly full: boolean = false
  #rights: Map<number, number> = new Map()
  #readAt = Number.NEGATIVE_INFINITY

  async #load(): Promise<Map<number, number>> {
    if (performance.now() - this.#readAt < RIGHTS_MAX_AGE_MS) return this.#rights
    const byFolder = new Map<number, Permission[]>()
    for (const one of await this.service.permissions(this.mailbox)) {
      const list = byFolder.get(one.folder)
      if (list === undefined) byFolder.set(one.folder, [one])
      else list.push(one)
    }
    // [MS-OXCPERM] §3.1.1: a member's own entry replaces the default one, it does not add to it.
    const account = this.principal.account
    this.#rights = new Map(
      [...byFolder].map(([folder, list]) => {
        const own = list.find((p) => p.member === account) ?? list.find((p) => p.member === 'default')
        return [folder, own?.rights ?? 0]
      }),
    )
    this.#readAt = performance.now()
    return this.#rights
  }

  async mayAnything(): Promise<boolean> {
    for (const rights of (await this.#load()).values()) if (rights !== 0) return true
    return false
  }

  override async rights(folder: FolderId): Promise<number> {
    return (await this.#load()).get(folder) ?? 0
  }

  override async permissions(): Promise<readonly Permission[]> {
    const rights = await this.#load()
    return (await super.permissions()).filter((one) => ((rights.get(one.folder) ?? 0) & Right.folderOwner) !== 0)
  }

  async #need(folder: number, right: number): Promise<void> {
    if ((((await this.#load()).get(folder) ?? 0) & right) !== right) throw new DomainError('accessDenied')
  }

  override async apply(operations: readonly Operation[]): Promise<ApplyResult> {
    for (const [index, one] of operations.entries()) {
      try {
        await this.#check(one)
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        throw new DomainError(error.code, one.op, { operation: index })
      }
    }
    return super.apply(operations)
  }

  async #check(one: Operation): Promise<void> {
    switch (one.op) {
      case 'createFolder':
        return typeof one.parent === 'number' ? this.#need(one.parent, Right.createSubfolder) : undefined
      case 'updateFolder':
        if (one.parent !== undefined) await this.#need(one.parent, Right.createSubfolder)
        return this.#need(one.folder, Right.folderOwner)
      case 'deleteFolder':
      case 'setPermission':
        return this.#need(one.folder, Right.folderOwner)
      case 'add':
        return typeof one.folder === 'number' ? this.#need(one.folder, Right.create) : undefined
      case 'copy':
        await this.#need(one.from, Right.readAny)
        return this.#need(one.to, Right.create)
      case 'move':
        await this.#need(one.from, Right.readAny | Right.deleteAny)
        return this.#need(one.to, Right.create)
      case 'remove':
        return this.#need(one.folder, Right.deleteAny)
      case 'flag':
        return this.#need(one.folder, Right.editAny)
      case 'update':
      case 'replace':
        return this.#need(await this.#folderOf(one.mid), Right.editAny)
      case 'putState':
      case 'deleteState':
      case 'once':
        // A delegate's own client state lives in the delegate's own mailbox.
        throw new DomainError('accessDenied')
      default:
        throw new DomainError('accessDenied')
    }
  }

  async #folderOf(mid: Mid): Promise<FolderId> {
    const [item] = await this.service.get(this.mailbox, { by: { mids: [mid] }, columns: [] })
    if (item === undefined) throw new DomainError('itemGone')
    return item.folder
  }

  override async folders(): Promise<readonly Folder[]> {
    return this.#visible(await super.folders())
  }

  override async hierarchy(): Promise<readonly Folder[]> {
    return this.#visible(await super.hierarchy())
  }

  override async overview(): Promise<Overview> {
    const { info, folders } = await super.overview()
    return { info, folders: await this.#visible(folders) }
  }

  override async listing(moved?: boolean): Promise<Listing> {
    const listing = await super.listing(moved)
    return { ...listing, folders: await this.#visible(listing.folders) }
  }

  override remembered(): undefined {
    return undefined
  }

  async #visible(folders: readonly Folder[]): Promise<readonly Folder[]> {
    const rights = await this.#load()
    const visible = Right.folderVisible | Right.readAny | Right.folderOwner
    return folders.filter((folder) => ((rights.get(folder.id) ?? 0) & visible) !== 0)
  }

  override async scan<C extends ScanColumn>(request: ScanRequest<C>): Promise<Packed<C>> {
    await this.#need(request.folder, Right.readAny)
    return super.scan(request)
  }

  override async get(request: GetRequest): Promise<readonly Item[]> {
    const rights = await this.#load()
    return (await super.get(request)).filter((item) => ((rights.get(item.folder) ?? 0) & Right.readAny) !== 0)
  }

  override async original(
    item: { readonly folder: FolderId; readonly original?: BlobRef },
    start?: number,
    end?: number,
  ): Promise<Uint8Array> {
    await this.#need(item.folder, Right.readAny)
    return super.original(item, start, end)
  }

  override async originals(request: OriginalsRequest): Promise<FolderOriginals> {
    await this.#need(request.folder, Right.readAny)
    return super.originals(request)
  }

  override async changes(request: ChangesRequest): Promise<Changes> {
    if (request.folder === undefined) throw new DomainError('accessDenied', 'a delegate reads changes folder by folder')
    await this.#need(request.folder, Right.readAny)
    const rights = await this.#load()
    const changes = await super.changes(request)
    return { ...changes, folders: changes.folders.filter((folder) => (rights.get(folder.id) ?? 0) !== 0) }
  }

  override async search(request: SearchRequest): Promise<SearchResult> {
    for (const folder of request.folders) await this.#need(folder, Right.readAny)
    return super.search(request)
  }

  override state(_client: string, _keyPrefix?: string): Promise<readonly StateEntry[]> {
    return Promise.reject(new DomainError('accessDenied'))
  }

  override ready(_request: ReadyRequest): Promise<readonly ReadyBlock[]> {
    return Promise.reject(new DomainError('accessDenied'))
  }
}
