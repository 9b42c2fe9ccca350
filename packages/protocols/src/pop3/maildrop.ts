/**
 * The maildrop: the Inbox as it was at login (RFC 1939 §5). Nothing is locked: what others do meanwhile is found out when a message is asked
 * for. R14: mail of the Inbox only; items without an original (appointments, notes) are no mail.
 */
import { type FolderId, type Item, type MailboxHandle, type Mid, type Operation, Flag } from '@postrider/domain'

/** One message of the snapshot. Numbers count from 1 (index + 1). */
export interface DropMessage {
  readonly mid: Mid
  readonly size: number
  /** UIDL: the same for ever, in every session; see `uidOf`. */
  readonly uid: string
  deleted: boolean
  retrieved: boolean
}

/** Items removed or marked in one transaction. */
const MAX_BATCH = 5000

export class Maildrop {
  readonly #handle: MailboxHandle
  readonly #inbox: FolderId
  readonly messages: readonly DropMessage[]

  private constructor(handle: MailboxHandle, inbox: FolderId, messages: readonly DropMessage[]) {
    this.#handle = handle
    this.#inbox = inbox
    this.messages = messages
  }

  /** Takes the snapshot. Rejects with DomainError. */
  static async open(handle: MailboxHandle, order: 'Ascending' | 'Descending'): Promise<Maildrop> {
    const inbox = (await handle.folders()).find((folder) => folder.role === 'inbox')!
    const [{ guid }, rows] = await Promise.all([
      handle.info(),
      handle.scan({ folder: inbox.id, columns: ['mid', 'itemId', 'size'] }),
    ])
    const messages: DropMessage[] = []
    const seen = new Set<string>()
    for (let i = 0; i < rows.count; i++) {
      const size = rows.size[i]!
      if (size === 0) continue
      const mid = rows.mid[i]! as Mid
      let uid = uidOf(guid, rows.itemId[i]!)
      // RFC 1939 §7 forbids two alike; a second placement of one item is told apart by its own id.
      if (seen.has(uid)) uid = `${uid}-${mid.toString(36)}`
      seen.add(uid)
      messages.push({ mid, size, uid, deleted: false, retrieved: false })
    }
    if (order === 'Descending') messages.reverse()
    return new Maildrop(handle, inbox.id, messages)
  }

  /** The message with a number of this session, undefined when there is none. */
  at(number: number): DropMessage | undefined {
    return this.messages[number - 1]
  }

  /** Count and octets of what is not marked as deleted. */
  status(): { count: number; octets: number } {
    let count = 0
    let octets = 0
    for (const message of this.messages)
      if (!message.deleted) {
        count++
        octets += message.size
      }
    return { count, octets }
  }

  /** The item behind a message; undefined when it is no longer in the Inbox. */
  async item(message: DropMessage): Promise<Item | undefined> {
    const [item] = await this.#handle.get({ by: { mids: [message.mid] }, columns: ['original'] })
    return item?.folder === this.#inbox && item.original !== undefined ? item : undefined
  }

  /** Bytes of the original. */
  read(item: Item, start: number, end: number): Promise<Uint8Array> {
    return this.#handle.original(item, start, end)
  }

  /** RSET. */
  unmark(): void {
    for (const message of this.messages) message.deleted = false
  }

  /** The UPDATE state: removes what was marked (R34), and shows what was fetched as read. Rejects with DomainError. */
  async update(): Promise<void> {
    const gone = this.messages.filter((one) => one.deleted).map((one) => one.mid)
    const read = this.messages.filter((one) => one.retrieved && !one.deleted).map((one) => one.mid)
    const folder = this.#inbox
    for (let at = 0; at < gone.length; at += MAX_BATCH)
      await this.#apply({ op: 'remove', folder, items: { mids: gone.slice(at, at + MAX_BATCH) } })
    for (let at = 0; at < read.length; at += MAX_BATCH)
      await this.#apply({ op: 'flag', folder, items: { mids: read.slice(at, at + MAX_BATCH) }, set: Flag.seen })
  }

  async #apply(operation: Operation): Promise<void> {
    await this.#handle.apply([operation])
  }
}

/** Mailbox GUID (its first half is plenty) and item id: neither is ever reused, neither changes with moves or other sessions. */
function uidOf(guid: string, itemId: number): string {
  return `${guid.slice(0, 16)}${itemId.toString(16).padStart(12, '0')}`
}
