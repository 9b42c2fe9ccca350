/**
 * Wakes snoozed mails: at its time a mail is moved back to where it was, unread, at the top of the list. What waits is written in the mailbox
 * (an index of times, and the mails themselves in the Snoozed folder), so it survives restarts and any client may move a mail out before.
 */
import {
  type DomainError,
  Flag,
  isDomainError,
  type Item,
  type ItemId,
  itemColumns,
  type MailboxEntry,
  type MailboxHandle,
  type NewItem,
  type Operation,
  type Timed,
  timed,
} from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Jmap } from '../service.ts'
import type { View } from '../view/view.ts'
import { SNOOZE_STATE, SNOOZED_USE, snoozedFolder, wakeOperations } from './extras.ts'

const AGAIN_MS = 60_000
/** A far time is looked at again at least so often. */
const LONGEST_MS = 24 * 60 * 60 * 1_000

type Owner = Pick<MailboxEntry, 'mailbox' | 'account'>

export class Snoozer {
  readonly #jmap: Jmap
  readonly #waiting = new Map<string, Timed>()
  #stopped = false

  constructor(jmap: Jmap) {
    this.#jmap = jmap
  }

  stop(): void {
    this.#stopped = true
    for (const entry of this.#waiting.values()) this.#jmap.parts.wheel.remove(entry)
    this.#waiting.clear()
  }

  /** Takes up what waits in one mailbox; answers how many. */
  async takeUp(entry: MailboxEntry, handle: MailboxHandle): Promise<number> {
    const entries = await handle.state(SNOOZE_STATE)
    for (const { key, value } of entries) this.wait(entry, Number(key) as ItemId, Number(Buffer.from(value).toString()))
    return entries.length
  }

  wait(owner: Owner, id: ItemId, until: number): void {
    if (this.#stopped || this.#jmap.leavesToAnother(owner.mailbox)) return
    const { wheel, clock } = this.#jmap.parts
    const key = `${owner.mailbox}/${id}`
    this.forget(owner, id)
    const left = until - clock.now()
    const waiting = timed(() => {
      this.#waiting.delete(key)
      if (left > LONGEST_MS) this.wait(owner, id, until)
      else void this.#due(owner, id)
    })
    this.#waiting.set(key, waiting)
    wheel.add(waiting, Math.max(0, Math.min(left, LONGEST_MS)))
  }

  forget({ mailbox }: Pick<Owner, 'mailbox'>, id: ItemId): void {
    const key = `${mailbox}/${id}`
    const known = this.#waiting.get(key)
    if (known === undefined) return
    this.#jmap.parts.wheel.remove(known)
    this.#waiting.delete(key)
  }

  async #due(owner: Owner, id: ItemId): Promise<void> {
    const { log, clock } = this.#jmap.parts
    try {
      await this.#wake(owner, id)
    } catch (error) {
      log.error({ account: owner.account, item: id, err: error }, 'a snoozed mail did not come back: tried again')
      this.wait(owner, id, clock.now() + AGAIN_MS)
    }
  }

  async #wake(owner: Owner, id: ItemId): Promise<void> {
    const { directory, clock } = this.#jmap.parts
    const entry = directory.account(owner.account)
    if (entry === undefined) return
    const handle = await this.#jmap.openAs(entry)
    const notes = await handle.state(SNOOZE_STATE, String(id))
    const note = notes.find(({ key }) => key === String(id))
    if (note === undefined) return
    const until = Number(Buffer.from(note.value).toString())
    // Snoozed anew meanwhile, from another process.
    if (until > clock.now() + 1_000) return this.wait(owner, id, until)
    const view = await this.#jmap.views.of(handle)
    const mail = view.mail(id)
    const folder = snoozedFolder(view)
    const place = mail?.places.find((one) => one.folder === folder?.id)
    const done: Operation = { op: 'deleteState', client: SNOOZE_STATE, key: String(id) }
    const [item] = place === undefined ? [] : await handle.get({ by: { mids: [place.mid] }, columns: itemColumns })
    if (mail === undefined || place === undefined || item === undefined) {
      // Somebody took it out of the folder or deleted it: nothing comes back.
      await handle.apply([done])
      return
    }
    await handle.apply([
      {
        op: 'replace',
        mid: place.mid,
        item: { ...sameItem(item), received: clock.now(), flags: item.flags & ~Flag.seen },
      },
      ...wakeOperations(view, mail, item.props, place),
      done,
    ])
  }
}

/** The item as it is, to be written again with another date. */
function sameItem(item: Item): NewItem {
  const { flags, keywords, received, associated, size, index, promoted, props, recipients, attachments, original } =
    item
  if (index === undefined || promoted === undefined || props === undefined)
    throw new TypeError(`item ${item.itemId} was not read whole`)
  return {
    flags,
    keywords,
    received,
    associated,
    size,
    index,
    promoted,
    props,
    recipients: recipients ?? [],
    attachments: attachments ?? [],
    original: original === undefined ? undefined : { ref: original },
  }
}

/** Makes the folder of snoozed mails where there is none. */
export async function needSnoozedFolder(jmap: Jmap, { handle, entry }: Account, view: View): Promise<View> {
  if (snoozedFolder(view) !== undefined) return view
  const top = view.allFolders.find((one) => one.role === 'msgfolderroot')
  if (top === undefined) return view
  const base = entry.language === 'fr' ? 'Mis en attente' : 'Snoozed'
  for (const name of [base, `${base} (Postrider)`]) {
    try {
      await handle.apply([
        { op: 'createFolder', parent: top.id, name, class: 'IPF.Note', specialUse: SNOOZED_USE, subscribed: true },
      ])
      break
    } catch (error) {
      // Of that name already: theirs, or made at the same moment; then it is seen by its use.
      if (!isDomainError(error, 'folderExists')) throw error as DomainError
    }
    if (snoozedFolder(await jmap.views.of(handle)) !== undefined) break
  }
  return jmap.views.of(handle)
}
