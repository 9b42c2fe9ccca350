/**
 * MoveItems: [MS-ASCMD] §2.2.1.12. All moves of a request are one commit, together with a note of what went where: a phone that
 * got no answer asks again and is told the same (the source is gone by then).
 */
import {
  type ApplyResult,
  type Folder,
  type FolderId,
  isDomainError,
  type Item,
  type Mid,
  type Operation,
  resultOf,
} from '@postrider/domain'
import { children, type Element, el, text } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { recipientCacheId } from '../folders.ts'
import { parseCollectionId, parseServerId, serverId } from '../ids.ts'
import { stateClient } from '../state/device.ts'
import { Status, StatusError } from '../status.ts'

/** Status: [MS-ASCMD] §2.2.3.177.10. */
const Move = { invalidSource: 1, invalidDestination: 2, success: 3, same: 4, failed: 5, locked: 7 } as const

/** Moves of one request: [MS-ASCMD] §3.1.5.10. */
export const MAX_MOVES = 1_000
/** Moves remembered for a device that asks again. */
const MEMORY = 2_000
const stateKey = 'moved'

interface Wanted {
  readonly source: string
  readonly destination: FolderId | undefined
  /** To the recipient information cache, which takes no item. */
  readonly toCache: boolean
  readonly destinations: number
  readonly from: FolderId | undefined
  readonly mid: Mid | undefined
}

interface Answered {
  status: number
  destination?: string
}

/** SrcMsgId, destination, the item: its id stays when its placement changes. */
type Moved = readonly [source: string, folder: number, item: number]

export const moveItems = command({
  name: 'MoveItems',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'Move:MoveItems',
  statusTag: 'Move:Status',
  async run(context, request) {
    const moves = children(request.document, 'Move:Move')
    if (moves.length === 0 || moves.length > MAX_MOVES) throw new StatusError(Status.InvalidXML)
    const wanted = moves.map(parse)
    const answers = await new Mover(context, wanted).run()
    return document(
      el(
        'Move:MoveItems',
        wanted.map(({ source }, i) => {
          const { status, destination } = answers[i] as Answered
          return el(
            'Move:Response',
            el('Move:SrcMsgId', source),
            el('Move:Status', status),
            destination !== undefined && el('Move:DstMsgId', destination),
          )
        }),
      ),
    )
  },
})

function parse(move: Element): Wanted {
  const source = text(move, 'Move:SrcMsgId')?.trim()
  const from = text(move, 'Move:SrcFldId')?.trim()
  const to = children(move, 'Move:DstFldId')
  if (source === undefined || source === '' || source.length > 64 || from === undefined || to.length === 0) {
    throw new StatusError(Status.InvalidXML)
  }
  const item = parseServerId(source)
  const folder = parseCollectionId(from)
  return {
    source,
    destination: parseCollectionId(text(move, 'Move:DstFldId')?.trim()),
    toCache: text(move, 'Move:DstFldId')?.trim() === recipientCacheId,
    destinations: to.length,
    from: folder,
    mid: item !== undefined && item.folder === folder ? item.mid : undefined,
  }
}

class Mover {
  readonly #context: Context
  readonly #wanted: readonly Wanted[]
  readonly #answers: Answered[]
  readonly #scanned = new Map<FolderId, ReadonlyMap<number, Mid>>()

  constructor(context: Context, wanted: readonly Wanted[]) {
    this.#context = context
    this.#wanted = wanted
    this.#answers = wanted.map(() => ({ status: Move.success }))
  }

  async run(): Promise<readonly Answered[]> {
    const folders = new Map((await this.#context.mailbox.folders()).map((folder) => [folder.id, folder]))
    const items = await this.#items()
    const before = await this.#memory()
    const groups = new Map<string, number[]>()
    const taken = new Set<Mid>()
    for (const [i, move] of this.#wanted.entries()) {
      const answer = await this.#judge(move, folders, items, before, taken)
      this.#answers[i] = answer
      if (answer.status !== Move.success || answer.destination !== undefined) continue
      taken.add(move.mid as Mid)
      const group = `${move.from}/${move.destination}`
      groups.set(group, [...(groups.get(group) ?? []), i])
    }
    await this.#apply([...groups.values()], items, before)
    return this.#answers
  }

  async #items(): Promise<Map<Mid, Item>> {
    const mids = [...new Set(this.#wanted.map((move) => move.mid).filter((mid) => mid !== undefined))]
    if (mids.length === 0) return new Map()
    const items = await this.#context.mailbox.get({ by: { mids }, columns: ['promoted'] })
    return new Map(items.map((item) => [item.mid, item]))
  }

  async #judge(
    move: Wanted,
    folders: ReadonlyMap<FolderId, Folder>,
    items: ReadonlyMap<Mid, Item>,
    before: readonly Moved[],
    taken: ReadonlySet<Mid>,
  ): Promise<Answered> {
    const { from, mid, destination } = move
    // MS-ASCMD_R4222: an item goes to one place.
    if (move.destinations > 1) return { status: Move.failed }
    const item = mid === undefined ? undefined : items.get(mid)
    const source = from === undefined ? undefined : folders.get(from)
    const there = item !== undefined && item.folder === from && !item.associated && !taken.has(item.mid)
    if (!there) {
      return (await this.#movedBefore(move, before)) ?? { status: Move.invalidSource }
    }
    const target = destination === undefined ? undefined : folders.get(destination)
    if (source === undefined) return { status: Move.invalidSource }
    // MS-ASCMD_R4821; 12.1 has neither the cache nor the status.
    if (move.toCache && this.#context.since('14.0')) return { status: Status.InvalidCombinationOfIDs }
    if (
      target === undefined ||
      target.kind !== 'generic' ||
      target.role === 'msgfolderroot' ||
      target.role === 'root'
    ) {
      return { status: Move.invalidDestination }
    }
    if (target.id === source.id) return { status: Move.same }
    return { status: mayHold(target, item) ? Move.success : Move.failed }
  }

  /** Where an earlier request took the item, if it is still there. */
  async #movedBefore({ source, destination }: Wanted, before: readonly Moved[]): Promise<Answered | undefined> {
    const known = before.find(([id, folder]) => id === source && folder === destination)
    if (known === undefined || destination === undefined) return undefined
    let rows = this.#scanned.get(destination)
    if (rows === undefined) {
      const { itemId, mid } = await this.#context.mailbox.scan({ folder: destination, columns: ['itemId', 'mid'] })
      rows = new Map(Array.from(itemId, (id, i) => [id, mid[i] as Mid]))
      this.#scanned.set(destination, rows)
    }
    const mid = rows.get(known[2])
    return mid === undefined ? undefined : { status: Move.success, destination: serverId(destination, mid) }
  }

  /** One commit; a group that the mailbox refuses is taken out and the others tried again. */
  async #apply(groups: number[][], items: ReadonlyMap<Mid, Item>, before: readonly Moved[]): Promise<void> {
    let left = groups
    while (left.length > 0) {
      try {
        this.#learn(left, await this.#context.mailbox.apply(this.#operations(left, items, before)))
        return
      } catch (error) {
        if (!isDomainError(error) || error.operation === undefined || error.operation >= left.length) throw error
        const failed = left[error.operation] as number[]
        const status = error.code === 'folderNotFound' ? Move.invalidDestination : Move.failed
        for (const i of failed) this.#answers[i] = { status }
        left = left.filter((group) => group !== failed)
      }
    }
  }

  #operations(groups: readonly number[][], items: ReadonlyMap<Mid, Item>, before: readonly Moved[]): Operation[] {
    const moved: Moved[] = []
    const moves = groups.map((group): Operation => {
      const first = this.#wanted[group[0] as number] as Wanted
      const mids = group.map((i) => {
        const { mid, source, destination } = this.#wanted[i] as Wanted
        moved.push([source, destination as FolderId, items.get(mid as Mid)?.itemId ?? 0])
        return mid as Mid
      })
      return { op: 'move', from: first.from as FolderId, items: { mids }, to: first.destination as FolderId }
    })
    const value = Buffer.from(JSON.stringify([...moved, ...before].slice(0, MEMORY)))
    return [...moves, { op: 'putState', client: stateClient(this.#context.device.id), key: stateKey, value }]
  }

  #learn(groups: readonly number[][], applied: ApplyResult): void {
    for (const [g, group] of groups.entries()) {
      const result = resultOf(applied, g, 'move')
      const targets = new Map(Array.from(result.sourceMids, (mid, i) => [mid, result.mids[i] as Mid]))
      for (const i of group) {
        const { mid, destination } = this.#wanted[i] as Wanted
        const target = targets.get(mid as Mid)
        this.#answers[i] =
          target === undefined
            ? { status: Move.invalidSource }
            : { status: Move.success, destination: serverId(destination as FolderId, target) }
      }
    }
  }

  async #memory(): Promise<readonly Moved[]> {
    const { mailbox, device } = this.#context
    const entries = await mailbox.state(stateClient(device.id), stateKey)
    const entry = entries.find((one) => one.key === stateKey)
    if (entry === undefined) return []
    try {
      return JSON.parse(Buffer.from(entry.value).toString('utf8')) as Moved[]
    } catch {
      return []
    }
  }
}

/** Mail stays among mail; any folder of the user's takes what its class is for. */
function mayHold(folder: Folder, item: Item): boolean {
  const mail = folder.class === '' || folder.class.startsWith('IPF.Note')
  const isMail = !/^IPM\.(Appointment|Contact|DistList|Task|StickyNote|Activity)/i.test(item.promoted?.class ?? '')
  return folder.role === 'deleteditems' || mail === isMail
}
