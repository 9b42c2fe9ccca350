/**
 * Whose folders a user was given. Rights lie with their folders, in the owner's mailbox; so that nobody has to ask every mailbox, the user's own
 * holds a note of each owner: written before the right, taken away after the last one. A note is a place to look, never authority: the
 * door decides.
 */
import { DomainError, type MailboxEntry, type MailboxId, type Principal } from '@postrider/domain'
import { principalOf } from '../core/accounts.ts'
import type { Jmap } from '../service.ts'

const KIND = 'given'
/** What is told to all when a list changes. */
const TYPE = 'Given'
/** How long a list is believed without asking: as long as the door believes rights. */
const MAX_AGE_MS = 10_000
/** Lists remembered. */
const MAX_LISTS = 10_000

interface Note {
  /** The owner's account. */
  readonly owner: string
}

export class Given {
  readonly #jmap: Jmap
  readonly #lists = new Map<MailboxId, { readonly read: number; readonly owners: Promise<readonly MailboxEntry[]> }>()

  constructor(jmap: Jmap) {
    this.#jmap = jmap
    jmap.listen((mailbox, type) => {
      if (type === TYPE) this.#lists.delete(mailbox)
    })
  }

  /** The mailboxes listed for a user: the own one first, those with FullAccess, and those somebody gave a folder of. */
  async listed(principal: Principal): Promise<readonly MailboxEntry[]> {
    const { directory } = this.#jmap.parts
    const own = directory.mailbox(principal.mailbox)
    const out = new Set(own === undefined ? [] : [own])
    for (const entry of directory.mailboxes())
      if (entry.mailbox !== principal.mailbox && entry.fullAccess.includes(principal.account)) out.add(entry)
    for (const entry of await this.#owners(principal)) out.add(entry)
    return [...out]
  }

  #owners(principal: Principal): Promise<readonly MailboxEntry[]> {
    const known = this.#lists.get(principal.mailbox)
    const now = performance.now()
    if (known !== undefined && now - known.read < MAX_AGE_MS) return known.owners
    if (this.#lists.size >= MAX_LISTS) this.#lists.clear()
    const owners = this.#look(principal)
    this.#lists.set(principal.mailbox, { read: now, owners })
    return owners
  }

  async #look(principal: Principal): Promise<readonly MailboxEntry[]> {
    const { directory, door, log } = this.#jmap.parts
    try {
      const own = await door.open(principal, principal.mailbox)
      const { records } = await this.#jmap.records.read<Note>(own, KIND)
      const owners = records.flatMap(({ value }) => directory.account(value.owner) ?? [])
      const open = await Promise.all(owners.map((one) => this.#opens(principal, one.mailbox)))
      return owners.filter((_, i) => open[i])
    } catch (error) {
      // The session is worth more than its list.
      log.warn({ account: principal.account, err: error }, 'whose folders a user was given could not be read')
      return []
    }
  }

  async #opens(principal: Principal, mailbox: MailboxId): Promise<boolean> {
    try {
      await this.#jmap.parts.door.open(principal, mailbox)
      return true
    } catch (error) {
      if (error instanceof DomainError) return false
      throw error
    }
  }

  /** Whether somebody has any right in a mailbox. */
  async has(owner: MailboxEntry, member: MailboxEntry): Promise<boolean> {
    return this.#opens(principalOf(member), owner.mailbox)
  }

  /**
   * Does work that changes what `member` has of `owner`'s folders, with the note kept true around it. `gives`: it gives a right;
   * `rest` answers whether any is left afterwards.
   */
  async around<T>(
    owner: MailboxEntry,
    member: MailboxEntry,
    gives: boolean,
    work: () => Promise<T>,
    rest: () => Promise<boolean>,
  ): Promise<T> {
    const handle = await this.#jmap.openAs(member)
    const { records } = this.#jmap
    const write = (wanted: boolean): Promise<unknown> =>
      records.write<Note, void>(handle, KIND, ({ kept, add, remove }) => {
        const found = kept.records.filter(({ value }) => value.owner === owner.account)
        if (wanted && found.length === 0) add({ owner: owner.account })
        if (!wanted) for (const { id } of found) remove(id)
      })
    return records.inTurn(member.mailbox, `${KIND} by ${owner.account}`, async () => {
      if (gives) await write(true)
      try {
        return await work()
      } finally {
        if (!gives && !(await rest())) await write(false)
        this.#lists.delete(member.mailbox)
        this.#jmap.changed(member.mailbox, TYPE)
      }
    })
  }
}
