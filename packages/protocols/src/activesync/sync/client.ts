/**
 * What a client writes in one collection: Add, Change, Delete, Fetch. Everything of a request goes into one `apply` with the
 * journal of it; a command that fails is taken out and answered with its status, and the others are done. Drafts that are
 * sent go through the submitter, each in a commit of its own, made idempotent by its once key.
 */
import {
  type ApplyResult,
  type Folder,
  isDomainError,
  type Item,
  type Mid,
  type Operation,
  type PropertyBag,
  resultOf,
} from '@postrider/domain'
import { type Child, child, type Element, el, has } from '@postrider/wire/wbxml'
import { submitStatus } from '../compose/status.ts'
import { type ContentOptions, isRefusal, type ItemClass, type ItemWrite } from '../content.ts'
import type { Context } from '../context.ts'
import { parseServerId, serverId } from '../ids.ts'
import { markOf, partsOf } from './changes.ts'
import { type ClientCommand, digestOfAdd } from './parse.ts'
import { type Added, type Journal, keyText, putJournal, type Stored, type SyncOptions } from './record.ts'
import { renderItem } from './render.ts'
import { SyncStatus } from './status.ts'

/** Where an added item keeps which command made it: a provider-defined property, [MS-OXPROPS] §1.3.3 (0x6600 to 0x67FF). */
const tagClientCommand = 0x67f0_001f

/** How long the guard of a request's commands is remembered: longer than any client repeats a request. */
const guardKeepMs = 7 * 24 * 60 * 60 * 1000

export interface ClientInput {
  readonly context: Context
  readonly folder: Folder
  readonly folders: readonly Folder[]
  readonly itemClass: ItemClass | undefined
  readonly options: SyncOptions
  readonly deletesAsMoves: boolean
  readonly stored: Stored
  /** The key the client showed. */
  readonly key: number
  readonly digest: string
  readonly commands: readonly ClientCommand[]
  /** Adds that an answer that was lost has carried out already. */
  readonly added: readonly Added[]
}

export interface ClientOutcome {
  /** Children of Responses. */
  readonly responses: readonly Element[]
  readonly added: readonly Added[]
}

/** One command on its way. */
interface Task {
  readonly command: ClientCommand
  status: number
  write?: ItemWrite
  operations: readonly Operation[]
  /** The item before, for Change, Delete and Fetch. */
  item?: Item
  mid?: Mid
  data?: readonly Child[]
  /** Already done in an answer that was lost. */
  done?: boolean
}

export async function clientChanges(input: ClientInput): Promise<ClientOutcome> {
  if (input.commands.length === 0) return { responses: [], added: [] }
  return new Writer(input).run()
}

class Writer {
  readonly #in: ClientInput
  readonly #tasks: Task[]
  /** The same commands were applied before, and their answer was never stored: what changed since is their own doing. */
  readonly #repeated: boolean

  constructor(input: ClientInput) {
    this.#in = input
    const { journal, record } = input.stored
    this.#repeated =
      journal?.generation === record.generation && journal.key === input.key && journal.digest === input.digest
    this.#tasks = input.commands.map((command) => ({ command, status: SyncStatus.success, operations: [] }))
  }

  async run(): Promise<ClientOutcome> {
    await this.#read()
    for (const task of this.#tasks) await this.#plan(task)
    await this.#apply()
    for (const task of this.#tasks) await this.#fetch(task)
    await this.#learn()
    return { responses: this.#responses(), added: this.#added() }
  }

  /** The items that are named, in one call. */
  async #read(): Promise<void> {
    const { context, folder, itemClass } = this.#in
    const wanted = new Map<Mid, Task[]>()
    for (const task of this.#tasks) {
      if (task.command.kind === 'Add') continue
      const id = parseServerId(task.command.serverId)
      if (id === undefined || id.folder !== folder.id) continue
      task.mid = id.mid
      wanted.set(id.mid, [...(wanted.get(id.mid) ?? []), task])
    }
    if (wanted.size === 0) return
    const columns = itemClass?.columns ?? []
    for (const item of await context.mailbox.get({ by: { mids: [...wanted.keys()] }, columns })) {
      if (item.folder !== folder.id || item.associated) continue
      for (const task of wanted.get(item.mid) ?? []) task.item = item
    }
  }

  async #plan(task: Task): Promise<void> {
    const { itemClass } = this.#in
    switch (task.command.kind) {
      case 'Add':
        return this.#planAdd(task, task.command.clientId)
      case 'Change':
        if (task.item === undefined) task.status = SyncStatus.objectNotFound
        else if (itemClass === undefined) task.status = SyncStatus.conversionError
        else await this.#planChange(task, itemClass, task.item, task.command.serverId)
        return
      case 'Delete':
        // An item that is gone is deleted: the client has what it wants (R6414).
        if (task.item !== undefined) task.operations = [this.#deletion(task.item)]
        return
      case 'Fetch':
        if (task.item === undefined) task.status = SyncStatus.objectNotFound
    }
  }

  async #planAdd(task: Task, clientId: string): Promise<void> {
    const { context, folder, itemClass, added } = this.#in
    const digest = digestOfAdd(task.command.element)
    const before = added.find(([id, content]) => id === clientId && content === digest)
    if (before !== undefined) {
      const mid = parseServerId(before[2])?.mid
      if (mid !== undefined) task.mid = mid
      task.done = true
      return
    }
    const data = child(task.command.element, 'AirSync:ApplicationData')
    // A folder whose class this server does not keep yet: nothing can be added.
    if (itemClass === undefined || data === undefined) {
      task.status = SyncStatus.conversionError
      return
    }
    const write = await itemClass.add(context, folder, { data, send: this.#send(task), once: this.#once(clientId) })
    if (isRefusal(write)) {
      task.status = write.status
      return
    }
    task.write = write
    task.operations = write.operations.map((operation) =>
      operation.op === 'add' ? mark(operation, this.#once(clientId)) : operation,
    )
  }

  async #planChange(task: Task, itemClass: ItemClass, item: Item, id: string): Promise<void> {
    const { context, folder, options, stored } = this.#in
    const data = child(task.command.element, 'AirSync:ApplicationData') ?? el('AirSync:ApplicationData')
    const before = stored.ledger.get(item.mid)
    if (before !== undefined && options.conflict === 1 && !this.#repeated && conflicts(itemClass, before, item, data)) {
      // The server's item stays; it goes to the client as a Change, since the ledger has its old mark (R2069).
      task.status = SyncStatus.conflict
      return
    }
    const write = await itemClass.change(context, folder, item, { data, send: this.#send(task), once: this.#once(id) })
    if (isRefusal(write)) {
      task.status = write.status
      return
    }
    task.write = write
    task.operations = write.operations
  }

  #send(task: Task): boolean {
    return this.#in.context.since('16.0') && has(task.command.element, 'Email2:Send')
  }

  /** One string per command of this key, the same when the request comes again. */
  #once(id: string): string {
    const { context, folder, stored, key } = this.#in
    return `${context.device.id}/${folder.id}/${keyText(stored.record, key)}/${id}`
  }

  #deletion(item: Item): Operation {
    const { folder, folders, deletesAsMoves } = this.#in
    const bin = folders.find((candidate) => candidate.role === 'deleteditems')
    const items = { mids: [item.mid] }
    if (!deletesAsMoves || bin === undefined || bin.id === folder.id) return { op: 'remove', folder: folder.id, items }
    return { op: 'move', from: folder.id, items, to: bin.id }
  }

  /** Sends drafts first, each for itself, then all else in one commit; a command that fails is taken out and the rest tried again. */
  async #apply(): Promise<void> {
    for (const task of this.#tasks) if (task.write?.submission !== undefined) await this.#submit(task, task.write)
    for (;;) {
      const tasks = this.#tasks.filter((task) => task.status === SyncStatus.success && task.operations.length > 0)
      if (tasks.length === 0) return
      const { operations, owners } = this.#batch(tasks)
      try {
        await this.#committed(tasks, owners, await this.#in.context.mailbox.apply(operations))
        return
      } catch (error) {
        if (!isDomainError(error)) throw error
        if (error.code === 'duplicate') return await this.#recover(tasks)
        const owner = error.operation === undefined ? undefined : owners[error.operation]
        const status = itemStatus(error.code)
        if (owner === undefined || status === undefined) throw error
        this.#in.context.log.info({ code: error.code, command: owner.command.kind }, 'a command of a Sync failed')
        owner.status = status
      }
    }
  }

  #batch(tasks: readonly Task[]): { operations: Operation[]; owners: (Task | undefined)[] } {
    const { context, folder, stored, key, digest } = this.#in
    const journal: Journal = {
      generation: stored.record.generation,
      key,
      digest,
      since: stored.record.point.cursor,
    }
    // The guard: of two processes that do the same request at once, one finds it done.
    const guard = `eas/c/${context.device.id}/${folder.id}/${keyText(stored.record, key)}/${digest}`
    const operations: Operation[] = [
      { op: 'once', key: guard, keepMs: guardKeepMs },
      putJournal(context.device.id, folder.id, journal),
    ]
    const owners: (Task | undefined)[] = [undefined, undefined]
    for (const task of tasks) {
      const base = operations.length
      for (const operation of task.operations) {
        operations.push(rebase(operation, base))
        owners.push(task)
      }
    }
    return { operations, owners }
  }

  async #committed(tasks: readonly Task[], owners: readonly (Task | undefined)[], applied: ApplyResult): Promise<void> {
    for (const task of tasks) {
      const base = owners.indexOf(task)
      const results = applied.results.slice(base, base + task.operations.length)
      if (task.command.kind === 'Add') {
        const index = task.operations.findIndex((operation) => operation.op === 'add')
        if (index >= 0 && !task.write?.leaves) task.mid = resultOf(applied, base + index, 'add').mid
      }
      task.data = await task.write?.respond?.(results)
    }
  }

  async #submit(task: Task, write: ItemWrite): Promise<void> {
    const { submission } = write
    if (submission === undefined) return
    const result = await this.#in.context.deps.submitter.submit({ ...submission, also: task.operations })
    const operations = task.operations
    task.operations = []
    if (!result.ok) {
      task.status = result.reason === 'duplicate' ? SyncStatus.success : submitStatus(result.reason)
      return
    }
    const index = operations.findIndex((operation) => operation.op === 'add')
    const added = result.also[index]
    if (added?.op === 'add' && !write.leaves) task.mid = added.mid
    task.data = await write.respond?.(result.also)
  }

  /** The same commands were applied before and their answer was never stored: finds what they added. */
  async #recover(tasks: readonly Task[]): Promise<void> {
    const { context, folder, stored, key } = this.#in
    const { journal } = stored
    context.log.warn({ folder: folder.id, key }, 'the commands of a Sync were done before, their answer was not stored')
    if (journal === undefined || !this.#repeated) return
    const rows = await context.mailbox.scan({
      folder: folder.id,
      columns: ['mid'],
      changedSince: journal.since as Item['change'],
    })
    const made = new Map<string, Mid>()
    const mids = Array.from(rows.mid) as Mid[]
    for (let at = 0; at < mids.length; at += 500) {
      const items = await context.mailbox.get({ by: { mids: mids.slice(at, at + 500) }, columns: ['props'] })
      for (const item of items) {
        const name = item.props?.get(tagClientCommand)
        if (typeof name === 'string') made.set(name, item.mid)
      }
    }
    for (const task of tasks) {
      if (task.command.kind !== 'Add' || task.write?.leaves) continue
      const mid = made.get(this.#once(task.command.clientId))
      if (mid !== undefined) task.mid = mid
    }
  }

  async #fetch(task: Task): Promise<void> {
    const { context, itemClass, options } = this.#in
    if (task.command.kind !== 'Fetch' || task.item === undefined) return
    if (itemClass === undefined) {
      task.status = SyncStatus.objectNotFound
      return
    }
    // The item is wanted whole because it came cut (R2955).
    const data = await renderItem(context, itemClass, task.item, whole(options.content), 'all')
    if (data === undefined) task.status = SyncStatus.serverError
    else task.data = data
  }

  /** Brings the ledger to what the device now has, so that its own changes do not come back to it. */
  async #learn(): Promise<void> {
    const { context, itemClass, stored } = this.#in
    const { ledger } = stored
    const touched: { mid: Mid; before: Item | undefined }[] = []
    for (const { command, status, mid, item, write } of this.#tasks) {
      if (status !== SyncStatus.success || mid === undefined) continue
      if (command.kind === 'Delete') ledger.delete(mid)
      else if (command.kind !== 'Fetch' && !write?.leaves) touched.push({ mid, before: item })
    }
    if (touched.length === 0 || itemClass === undefined) return
    const mids = touched.map(({ mid }) => mid)
    const items = await context.mailbox.get({ by: { mids }, columns: itemClass.columns })
    const byMid = new Map(items.map((item) => [item.mid, item]))
    for (const { mid, before } of touched) {
      const item = byMid.get(mid)
      if (item === undefined || item.folder !== this.#in.folder.id) continue
      // Something of the server's was pending on the item: the ledger keeps the old mark, and the client hears of it.
      if (before !== undefined && ledger.get(mid) !== markOf(itemClass, before)) continue
      ledger.set(mid, markOf(itemClass, item))
    }
  }

  /** Answers for Adds and Fetches, and for what failed or has something to say (R759). */
  #responses(): Element[] {
    const { folder } = this.#in
    const responses: Element[] = []
    for (const { command, status, mid, data } of this.#tasks) {
      const ok = status === SyncStatus.success
      const said = el('AirSync:Status', status)
      const content = data !== undefined && data.length > 0 && el('AirSync:ApplicationData', ...data)
      if (command.kind === 'Add') {
        const id = ok && mid !== undefined && el('AirSync:ServerId', serverId(folder.id, mid))
        responses.push(el('AirSync:Add', el('AirSync:ClientId', command.clientId), id, said, ok && content))
      } else if (command.kind === 'Fetch') {
        responses.push(el('AirSync:Fetch', el('AirSync:ServerId', command.serverId), said, ok && content))
      } else if (!ok || content) {
        responses.push(el(`AirSync:${command.kind}`, el('AirSync:ServerId', command.serverId), said, ok && content))
      }
    }
    return responses
  }

  #added(): Added[] {
    const added: Added[] = []
    for (const { command, status, mid } of this.#tasks) {
      if (command.kind !== 'Add' || status !== SyncStatus.success) continue
      const id = mid === undefined ? '' : serverId(this.#in.folder.id, mid)
      added.push([command.clientId, digestOfAdd(command.element), id])
    }
    return added
  }
}

/** Whether the client changes what the server has changed since the client last heard of the item. */
function conflicts(itemClass: ItemClass, before: number, item: Item, data: Element): boolean {
  const theirs = partsOf(itemClass, before, markOf(itemClass, item))
  if (theirs === 'all') return true
  for (const content of data.children) {
    if (typeof content === 'string' || content instanceof Uint8Array) continue
    const part = partOfTag[content.tag]
    if (part === undefined ? theirs.length > 0 : (theirs as readonly string[]).includes(part)) return true
  }
  return false
}

const partOfTag: Readonly<Record<string, string>> = {
  'Email:Read': 'read',
  'Email:Flag': 'flag',
  'Email:Categories': 'categories',
}

/** What a failed operation means for its command; undefined for what is the server's trouble and not the command's. */
function itemStatus(code: string): number | undefined {
  if (code === 'itemGone' || code === 'folderNotFound' || code === 'blobGone') return SyncStatus.objectNotFound
  if (code === 'overQuota') return SyncStatus.cannotComplete
  if (code === 'tooLarge' || code === 'invalid' || code === 'tooMany') return SyncStatus.conversionError
  if (code === 'conflict') return SyncStatus.conflict
  if (code === 'accessDenied') return SyncStatus.conversionError
  return undefined
}

const whole = (content: ContentOptions): ContentOptions => ({
  ...content,
  mimeTruncation: undefined,
  bodyPreferences: content.bodyPreferences.map((preference) => ({
    ...preference,
    truncationSize: undefined,
    allOrNone: false,
  })),
})

/** Notes on an added item which command made it. */
function mark(operation: Extract<Operation, { op: 'add' }>, name: string): Operation {
  const props: PropertyBag = new Map([...operation.item.props, [tagClientCommand, name]])
  return { ...operation, item: { ...operation.item, props } }
}

/** Moves references to earlier operations of the same list to where that list now begins. */
function rebase(operation: Operation, base: number): Operation {
  const move = <T>(value: T): T => {
    if (typeof value !== 'object' || value === null || !('operation' in value)) return value
    return { operation: Number(value.operation) + base } as T
  }
  switch (operation.op) {
    case 'createFolder':
      return { ...operation, parent: move(operation.parent) }
    case 'add':
      return { ...operation, folder: move(operation.folder) }
    case 'enqueue':
      return { ...operation, original: move(operation.original) }
    default:
      return operation
  }
}
