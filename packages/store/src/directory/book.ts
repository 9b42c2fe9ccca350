import type {
  AcceptedDomain,
  Directory,
  Expansion,
  GroupEntry,
  MailboxEntry,
  MailboxId,
  Resolution,
} from '@postrider/domain'
import { addressKey, splitAddress } from './address.ts'
import { expandAddresses } from './expand.ts'
import { AddressList } from './find.ts'
import type { DirectoryNews } from './news.ts'

type Owner = { readonly kind: 'mailbox'; readonly account: string } | { readonly kind: 'group'; readonly id: string }

/** Names every mail domain must have (RFC 5321 §4.5.1, RFC 2142): without a recipient of their own the administrator gets them. */
const ROLE_NAMES = new Set(['postmaster', 'abuse', 'hostmaster'])

/** The directory in memory: everything `Directory` answers, by maps. `open.ts` fills it and keeps it equal to the database. */
export class Book implements Directory {
  organization = ''
  /** Hears every step of this memory, for the copies of other processes. */
  readonly #followers = new Set<(news: DirectoryNews) => void>()
  readonly #domains = new Map<string, AcceptedDomain>()
  readonly #accounts = new Map<string, MailboxEntry>()
  readonly #mailboxes = new Map<MailboxId, MailboxEntry>()
  readonly #groups = new Map<string, GroupEntry>()
  readonly #addresses = new Map<string, Owner>()
  readonly #listeners = new Set<(change: { readonly account?: string }) => void>()
  #administrator: string | undefined
  #list: AddressList | undefined

  domains(): readonly AcceptedDomain[] {
    return [...this.#domains.values()]
  }
  domain(name: string): AcceptedDomain | undefined {
    return this.#domains.get(name)
  }
  defaultDomain(): string {
    for (const domain of this.#domains.values()) if (domain.isDefault) return domain.name
    return ''
  }

  resolve(address: string): Resolution {
    // RFC 5321 §4.5.1: <Postmaster> without a domain is legal.
    const parts = splitAddress(address.includes('@') ? address : `${address}@${this.defaultDomain()}`)
    const domain = parts === undefined ? undefined : this.#domains.get(parts.domain)
    if (parts === undefined || domain === undefined) return { kind: 'outside', relay: false }
    const plus = parts.local.indexOf('+')
    const owner =
      this.#addresses.get(`${parts.local}@${parts.domain}`) ??
      (plus > 0 ? this.#addresses.get(`${parts.local.slice(0, plus)}@${parts.domain}`) : undefined) ??
      this.#roleOwner(parts.local)
    if (owner?.kind === 'mailbox') return { kind: 'mailbox', entry: this.#accounts.get(owner.account)! }
    if (owner?.kind === 'group') return { kind: 'group', entry: this.#groups.get(owner.id)! }
    return domain.type === 'Authoritative' ? { kind: 'unknown' } : { kind: 'outside', relay: true }
  }
  #roleOwner(local: string): Owner | undefined {
    if (!ROLE_NAMES.has(local) || this.#administrator === undefined) return undefined
    return { kind: 'mailbox', account: this.#administrator }
  }
  expand(addresses: readonly string[]): Expansion {
    return expandAddresses(addresses, (address) => this.resolve(address))
  }

  mailbox(id: MailboxId): MailboxEntry | undefined {
    return this.#mailboxes.get(id)
  }
  mailboxes(): Iterable<MailboxEntry> {
    return this.#accounts.values()
  }
  get mailboxCount(): number {
    return this.#accounts.size
  }
  groups(): Iterable<GroupEntry> {
    return this.#groups.values()
  }
  account(account: string): MailboxEntry | undefined {
    return this.#accounts.get(account)
  }
  /** Whoever has exactly this address; `key` from `addressKey`. */
  owner(key: string): MailboxEntry | GroupEntry | undefined {
    const owner = this.#addresses.get(key)
    if (owner === undefined) return undefined
    return owner.kind === 'mailbox' ? this.#accounts.get(owner.account) : this.#groups.get(owner.id)
  }

  find(
    text: string,
    limit: number,
  ): { readonly total: number; readonly entries: readonly (MailboxEntry | GroupEntry)[] } {
    this.#list ??= new AddressList(this.#visible())
    return this.#list.find(text, limit)
  }
  *#visible(): Iterable<MailboxEntry | GroupEntry> {
    for (const entry of this.#accounts.values())
      if (!entry.hiddenFromAddressLists && entry.type !== 'system') yield entry
    for (const entry of this.#groups.values()) if (!entry.hiddenFromAddressLists) yield entry
  }

  maySendAs(account: string, address: string): 'own' | 'sendAs' | 'onBehalf' | 'no' {
    const found = this.resolve(address)
    if (found.kind !== 'mailbox') return 'no'
    if (found.entry.account === account) return 'own'
    if (found.entry.sendAs.includes(account)) return 'sendAs'
    return found.entry.sendOnBehalf.includes(account) ? 'onBehalf' : 'no'
  }

  watch(listener: (change: { readonly account?: string }) => void): () => void {
    // Wrapped, so that the same function may be registered twice.
    const own = (change: { readonly account?: string }): void => listener(change)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }
  /** Calls back for every step, in order, before those who watch are told. */
  follow(follower: (news: DirectoryNews) => void): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }
  /** Tells those who follow. */
  step(news: DirectoryNews): void {
    for (const follower of this.#followers) follower(news)
  }
  /** Tells everybody who watches. */
  changed(account?: string): void {
    this.step({ kind: 'changed', account })
    for (const listener of this.#listeners) listener(account === undefined ? {} : { account })
  }

  // What `open.ts` does after each commit.
  putDomain(domain: AcceptedDomain): void {
    if (domain.isDefault)
      for (const other of this.#domains.values())
        if (other.isDefault) this.#domains.set(other.name, { ...other, isDefault: false })
    this.#domains.set(domain.name, domain)
    this.step({ kind: 'domain', domain })
  }
  dropDomain(name: string): void {
    this.#domains.delete(name)
    this.step({ kind: 'noDomain', name })
  }
  putMailbox(entry: MailboxEntry): void {
    this.#forget(this.#accounts.get(entry.account))
    this.#accounts.set(entry.account, entry)
    this.#mailboxes.set(entry.mailbox, entry)
    const owner: Owner = { kind: 'mailbox', account: entry.account }
    for (const address of [entry.address, ...entry.aliases]) this.#addresses.set(addressKey(address), owner)
    if (entry.isAdministrator) this.#administrator ??= entry.account
    this.#list = undefined
    this.step({ kind: 'mailbox', entry })
  }
  dropMailbox(entry: MailboxEntry): void {
    this.#forget(entry)
    this.#accounts.delete(entry.account)
    this.#mailboxes.delete(entry.mailbox)
    if (this.#administrator === entry.account) this.#administrator = undefined
    this.#list = undefined
    this.step({ kind: 'noMailbox', entry })
  }
  putGroup(entry: GroupEntry): void {
    this.#forget(this.#groups.get(entry.id))
    this.#groups.set(entry.id, entry)
    const owner: Owner = { kind: 'group', id: entry.id }
    for (const address of [entry.address, ...entry.aliases]) this.#addresses.set(addressKey(address), owner)
    this.#list = undefined
    this.step({ kind: 'group', entry })
  }
  dropGroup(entry: GroupEntry): void {
    this.#forget(entry)
    this.#groups.delete(entry.id)
    this.#list = undefined
    this.step({ kind: 'noGroup', entry })
  }
  #forget(entry: MailboxEntry | GroupEntry | undefined): void {
    if (entry === undefined) return
    for (const address of [entry.address, ...entry.aliases]) this.#addresses.delete(addressKey(address))
  }
}
