import type { ProtocolName } from './credentials.ts'
import type { MailboxId } from './ids.ts'
import { type Phrase, SpokenError } from './text/phrase.ts'

export type DomainType = 'Authoritative' | 'InternalRelay' | 'ExternalRelay'
export interface AcceptedDomain {
  readonly name: string
  readonly type: DomainType
  readonly isDefault: boolean
}

/** One mailbox-enabled recipient. */
export interface MailboxEntry {
  readonly account: string
  readonly mailbox: MailboxId
  /** Primary SMTP address, lower case domain. */
  readonly address: string
  /** Further addresses it receives. */
  readonly aliases: readonly string[]
  readonly displayName: string
  readonly givenName: string
  readonly surname: string
  readonly title: string
  readonly department: string
  readonly company: string
  readonly office: string
  readonly phone: string
  readonly mobilePhone: string
  readonly type: 'user' | 'shared' | 'room' | 'equipment' | 'system'
  readonly enabled: boolean
  readonly hiddenFromAddressLists: boolean
  readonly language: 'en' | 'fr'
  /** Mailbox database it lives in, and how often it has moved: domain/epoch.ts. */
  readonly database: string
  readonly epoch: number
  /** Bytes, undefined unlimited: ProhibitSendReceiveQuota. */
  readonly quota: number | undefined
  readonly protocols: Readonly<Record<ProtocolName, boolean>>
  /** Accounts with FullAccess / SendAs / SendOnBehalf. */
  readonly fullAccess: readonly string[]
  readonly sendAs: readonly string[]
  readonly sendOnBehalf: readonly string[]
  readonly forwardTo: string | undefined
  readonly deliverAndForward: boolean
  /** R40: the built-in Administrator mailbox is refused by POP and IMAP. */
  readonly isAdministrator: boolean
  readonly mobileDevicePolicy: string | undefined
  readonly created: number
}

export interface GroupEntry {
  readonly id: string
  readonly address: string
  readonly aliases: readonly string[]
  readonly displayName: string
  /** Addresses: mailboxes, other groups, outside addresses. */
  readonly members: readonly string[]
  readonly hiddenFromAddressLists: boolean
  /** Only senders inside may write to it (RequireSenderAuthenticationEnabled). */
  readonly requireSenderAuthentication: boolean
}

export type Resolution =
  | { readonly kind: 'mailbox'; readonly entry: MailboxEntry }
  | { readonly kind: 'group'; readonly entry: GroupEntry }
  /** Our domain, but nobody of that name: 550 5.1.1 (InternalRelay domains never answer this). */
  | { readonly kind: 'unknown' }
  /** Not our domain, or a relay domain without such a recipient. */
  | { readonly kind: 'outside'; readonly relay: boolean }

/** A delivery list after aliases, groups (nested, cycles cut, depth 32) and forwarding: every mailbox and address once. */
export interface Expansion {
  readonly mailboxes: readonly MailboxEntry[]
  readonly outside: readonly string[]
  readonly unknown: readonly string[]
}

/**
 * The directory as every process reads it: a cached copy, so reads are synchronous; writes are durable and asynchronous and reach
 * all copies. Addresses compare without case; a '+detail' of the local part is ignored when the plain address exists.
 */
export interface Directory {
  readonly organization: string
  domains(): readonly AcceptedDomain[]
  resolve(address: string): Resolution
  expand(addresses: readonly string[]): Expansion
  mailbox(id: MailboxId): MailboxEntry | undefined
  mailboxes(): Iterable<MailboxEntry>
  groups(): Iterable<GroupEntry>
  account(account: string): MailboxEntry | undefined
  /** Ambiguous name resolution over visible recipients: display name, given name, surname, alias, address: prefix of any word. Sorted by display name, then address. */
  find(
    text: string,
    limit: number,
  ): { readonly total: number; readonly entries: readonly (MailboxEntry | GroupEntry)[] }
  /** May this account send with this address in From? Its own addresses, SendAs, SendOnBehalf. */
  maySendAs(account: string, address: string): 'own' | 'sendAs' | 'onBehalf' | 'no'
  /** Calls back after a change that reached this copy. */
  watch(listener: (change: { readonly account?: string }) => void): () => void
}

/** What administration writes. Every method rejects with DirectoryError (in words an administrator can act on). */
export interface DirectoryWriter extends Directory {
  addDomain(name: string, type: DomainType): Promise<void>
  removeDomain(name: string): Promise<void>
  setDefaultDomain(name: string): Promise<void>
  addMailbox(mailbox: NewMailboxEntry): Promise<MailboxEntry>
  updateMailbox(account: string, change: MailboxChange): Promise<MailboxEntry>
  removeMailbox(account: string): Promise<void>
  addGroup(group: { address: string; displayName?: string; members?: readonly string[] }): Promise<GroupEntry>
  updateGroup(address: string, change: Partial<Omit<GroupEntry, 'id'>>): Promise<GroupEntry>
  removeGroup(address: string): Promise<void>
  /** Computes hash and SCRAM keys, stores them, drops cached verdicts and live sessions. */
  setPassword(account: string, password: string): Promise<void>
  addAppPassword(
    account: string,
    name: string,
    protocols: readonly ProtocolName[],
  ): Promise<{ readonly id: string; readonly password: string }>
  removeAppPassword(account: string, id: string): Promise<void>
  appPasswords(account: string): readonly {
    readonly id: string
    readonly name: string
    readonly protocols: readonly ProtocolName[]
    readonly created: number
    readonly lastUsed: number | undefined
  }[]
  /** A named value of the organisation (settings), JSON. */
  setting(name: string): unknown
  setSetting(name: string, value: unknown): Promise<void>
}

export interface NewMailboxEntry {
  readonly address: string
  readonly displayName?: string
  readonly password?: string
  readonly type?: MailboxEntry['type']
  readonly language?: 'en' | 'fr'
  readonly aliases?: readonly string[]
  readonly quota?: number
  readonly isAdministrator?: boolean
  /** Where it is to live; default: the directory's node chooses the one of its databases with fewest. */
  readonly database?: string
}
export type MailboxChange = Partial<
  Omit<
    MailboxEntry,
    'account' | 'mailbox' | 'created' | 'database' | 'epoch' | 'isAdministrator' | 'protocols' | 'quota'
  >
> & { readonly protocols?: Partial<Record<ProtocolName, boolean>>; readonly quota?: number | null }

/** `message` is what the administrator reads (already in words, English); `code` is stable for scripts. */
export class DirectoryError extends SpokenError {
  override readonly name = 'DirectoryError'
  readonly code: 'exists' | 'notFound' | 'invalid' | 'inUse'
  constructor(code: DirectoryError['code'], phrase: Phrase) {
    super(phrase)
    this.code = code
  }
}
