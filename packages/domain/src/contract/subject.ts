import assert from 'node:assert/strict'
import { type DomainCode, DomainError } from '../error.ts'
import type { Folder, FolderRole } from '../folder.ts'
import type { FolderId, MailboxId } from '../ids.ts'
import type { Item, ItemColumn, NewItem } from '../item.ts'
import { type ApplyResult, type Operation, type ResultOf, resultOf } from '../operations.ts'
import { allColumns, type Column, type Packed } from '../packed.ts'
import type { Clock } from '../ports.ts'
import type { MailboxInfo, MailboxInit, MailboxService } from '../service.ts'

/** What the suite needs from whoever brings a service. */
export interface OpenedService {
  readonly service: MailboxService
  close(): Promise<void>
  /** Drops all tombstones of a mailbox, as age does. Without it the resync tests are left out. */
  forgetTombstones?(mailbox: MailboxId): Promise<void>
}
export type OpenService = (options: { readonly clock: TestClock }) => Promise<OpenedService>

/** A clock that stands still until it is told to go on. `shared` holds its time, a double, for a service in another thread. */
export class TestClock implements Clock {
  readonly shared = new SharedArrayBuffer(8)
  readonly #ms = new Float64Array(this.shared)
  constructor() {
    this.#ms[0] = Date.UTC(2026, 10, 21, 12)
  }
  now(): number {
    return this.#ms[0] as number
  }
  monotonic(): number {
    return this.now()
  }
  advance(ms: number): void {
    this.#ms[0] = this.now() + ms
  }
}

const utf8 = new TextEncoder()
export const bytesOf = (text: string): Uint8Array => utf8.encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** An item with a small original. `size` follows the original unless given. */
export function newItem(given: Partial<NewItem> & { text?: string } = {}): NewItem {
  const { text = 'Subject: hello\r\n\r\nbody\r\n', ...rest } = given
  const bytes = bytesOf(text)
  return {
    flags: 0,
    keywords: [],
    received: Date.UTC(2026, 0, 1),
    associated: false,
    size: bytes.length,
    original: { bytes },
    index: new Uint8Array(0),
    promoted: {
      class: 'IPM.Note',
      subject: 'hello',
      fromAddress: 'bob@example.com',
      fromName: 'Bob',
      displayTo: 'Alice',
      displayCc: '',
      sent: Date.UTC(2026, 0, 1),
      messageId: '<1@example.com>',
      preview: 'body',
      hasAttachments: false,
      importance: 1,
      conversation: '00112233445566778899aabbccddeeff',
    },
    props: new Map(),
    recipients: [],
    attachments: [],
    ...rest,
  }
}

/** One row of packed columns as an object. */
export type RowOf<C extends Column> = { readonly [K in C]: number } & { readonly words: readonly string[] }

export function rowsOf<C extends Column>(packed: Packed<C>, columns: readonly C[]): RowOf<C>[] {
  return Array.from({ length: packed.count }, (_, i) => {
    const row: Record<string, unknown> = { words: [] }
    for (const column of columns) row[column] = packed[column][i]
    if ('keywords' in row) row.words = packed.keywordSets[row.keywords as number]
    return row as RowOf<C>
  })
}

export type FullRow = RowOf<Column>
export type AddResult = ResultOf<'add'>

/** One mailbox under test, with short names for what tests do all the time. */
export class Box {
  readonly service: MailboxService
  readonly id: MailboxId
  readonly #roles: ReadonlyMap<FolderRole, FolderId>

  constructor(service: MailboxService, id: MailboxId, folders: readonly Folder[]) {
    this.service = service
    this.id = id
    this.#roles = new Map(folders.flatMap(({ id, role }) => (role === undefined ? [] : [[role, id]])))
  }

  role(role: FolderRole): FolderId {
    const id = this.#roles.get(role)
    assert.ok(id !== undefined, `the mailbox has a folder ${role}`)
    return id
  }
  get inbox(): FolderId {
    return this.role('inbox')
  }
  get trash(): FolderId {
    return this.role('deleteditems')
  }
  get top(): FolderId {
    return this.role('msgfolderroot')
  }

  apply(...operations: Operation[]): Promise<ApplyResult> {
    return this.service.apply(this.id, operations)
  }

  /** Runs one operation and answers its result. */
  async one<O extends Operation>(operation: O): Promise<ResultOf<O['op']>> {
    return resultOf<O['op']>(await this.apply(operation), 0, operation.op)
  }

  add(folder: FolderId = this.inbox, given: Parameters<typeof newItem>[0] = {}): Promise<AddResult> {
    return this.one({ op: 'add', folder, item: newItem(given) })
  }

  /** Adds `count` items in one call. */
  async fill(
    count: number,
    folder: FolderId = this.inbox,
    given: Parameters<typeof newItem>[0] = {},
  ): Promise<AddResult[]> {
    const operations = Array.from({ length: count }, (): Operation => ({ op: 'add', folder, item: newItem(given) }))
    return (await this.apply(...operations)).results as AddResult[]
  }

  async createFolder(name: string, parent: FolderId = this.top): Promise<FolderId> {
    return (await this.one({ op: 'createFolder', parent, name, class: 'IPF.Note' })).folder
  }

  async folder(id: FolderId): Promise<Folder> {
    const found = (await this.service.folders(this.id)).find((folder) => folder.id === id)
    assert.ok(found !== undefined, `folder ${id} exists`)
    return found
  }

  info(): Promise<MailboxInfo> {
    return this.service.info(this.id)
  }

  /** All rows of a folder, hidden ones too. */
  async rows(folder: FolderId = this.inbox): Promise<FullRow[]> {
    const packed = await this.service.scan(this.id, { folder, columns: allColumns, associated: true })
    return rowsOf(packed, allColumns)
  }

  async uids(folder: FolderId = this.inbox): Promise<number[]> {
    return (await this.rows(folder)).map((row) => row.uid)
  }

  async item(mid: number, columns: readonly ItemColumn[] = []): Promise<Item> {
    const [item] = await this.service.get(this.id, { by: { mids: [mid as Item['mid']] }, columns })
    assert.ok(item !== undefined, `item ${mid} exists`)
    return item
  }
}

/** A service that was opened for one topic; every test takes mailboxes of its own. */
export class Subject {
  readonly clock: TestClock
  readonly service: MailboxService
  readonly forgetTombstones: OpenedService['forgetTombstones']
  readonly #close: () => Promise<void>
  #mailboxes = 0

  constructor(opened: OpenedService, clock: TestClock) {
    this.clock = clock
    this.service = opened.service
    this.forgetTombstones = opened.forgetTombstones?.bind(opened)
    this.#close = () => opened.close()
  }

  async box(init: Partial<MailboxInit> = {}): Promise<Box> {
    const id = ++this.#mailboxes as MailboxId
    await this.service.create(id, { language: 'en', quota: undefined, database: 'first', ...init })
    return new Box(this.service, id, await this.service.folders(id))
  }

  close(): Promise<void> {
    return this.#close()
  }
}

/** The promise rejects with this code, and (for `apply`) names this operation. */
export async function rejects(promise: Promise<unknown>, code: DomainCode, operation?: number): Promise<void> {
  const error = await promise.then(
    () => assert.fail(`should reject with ${code}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof DomainError)) throw error
  assert.equal(error.code, code)
  if (operation !== undefined) assert.equal(error.operation, operation)
}

/** Waits until `check` holds; hints come when they come. */
export async function eventually(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.fail(`did not happen: ${what}`)
}

export const numbers = (array: ArrayLike<number>): number[] => Array.from(array)
