import type { Agenda, MailboxId, MailboxService } from '@postrider/domain'

const CLIENT = 'agenda'
/** Set when every mailbox has been looked into once. */
const COMPLETE = 'complete'
const nothing = new Uint8Array(0)

/**
 * Which mailboxes hold something for later, as state entries of the system's mailbox. Without one, or where it is another than before, nothing
 * is known and every mailbox is looked into.
 */
export class SystemAgenda implements Agenda {
  readonly #service: Pick<MailboxService, 'state' | 'apply'>
  readonly #system: () => MailboxId | undefined
  #known: { readonly system: MailboxId; readonly mailboxes: Set<MailboxId> } | undefined

  constructor(service: Pick<MailboxService, 'state' | 'apply'>, system: () => MailboxId | undefined) {
    this.#service = service
    this.#system = system
  }

  async mailboxes(): Promise<ReadonlySet<MailboxId> | undefined> {
    const system = this.#system()
    if (system === undefined) return undefined
    const entries = await this.#service.state(system, CLIENT)
    if (!entries.some(({ key }) => key === COMPLETE)) return undefined
    const listed = new Set(entries.flatMap(({ key }) => (/^\d+$/.test(key) ? [Number(key) as MailboxId] : [])))
    this.#known = { system, mailboxes: new Set(listed) }
    return listed
  }

  async add(mailbox: MailboxId): Promise<void> {
    const system = this.#system()
    if (system === undefined) return
    if (this.#known?.system !== system) this.#known = { system, mailboxes: new Set() }
    if (this.#known.mailboxes.has(mailbox)) return
    await this.#service.apply(system, [{ op: 'putState', client: CLIENT, key: String(mailbox), value: nothing }])
    this.#known.mailboxes.add(mailbox)
  }

  async remove(mailbox: MailboxId): Promise<void> {
    const system = this.#system()
    if (system === undefined) return
    this.#known?.mailboxes.delete(mailbox)
    await this.#service.apply(system, [{ op: 'deleteState', client: CLIENT, key: String(mailbox) }])
  }

  async complete(): Promise<void> {
    const system = this.#system()
    if (system !== undefined)
      await this.#service.apply(system, [{ op: 'putState', client: CLIENT, key: COMPLETE, value: nothing }])
  }
}
