import { randomBytes } from 'node:crypto'
import {
  type AcceptedDomain,
  type Clock,
  DirectoryError,
  type DirectoryWriter,
  type DomainType,
  type GroupEntry,
  type MailboxChange,
  type MailboxEntry,
  movedError,
  type NewMailboxEntry,
  type ProtocolName,
  systemClock,
} from '@postrider/domain'
import { AppPasswords } from './app-passwords.ts'
import { addressKey, domainKey, domainValid } from './address.ts'
import { Book } from './book.ts'
import type { DirectoryNews, NodeNews, SharedDirectory } from './news.ts'
import { checkedAddress, checkedAliases, checkGroup, checkMailbox, mailboxDefaults, protocolsOf } from './entry.ts'
import { Assignment } from './assignment.ts'
import { credentialOf } from './credential.ts'
import { defaultHashCost, type HashCost } from './password.ts'
import { type PendingMailbox, type StoredAppPassword, type StoredCredential, Tables } from './tables.ts'

export interface DirectoryOptions {
  /** Path of the database, or ':memory:'. */
  readonly file: string
  readonly clock?: Clock
  /** Names of the mailbox databases; a new mailbox goes to the one with fewest. */
  readonly databases?: readonly string[]
  /** Cost of password hashes; tests take a small one. */
  readonly hashCost?: HashCost
}

const ORGANIZATION = 'organization'
const SECRET = '.secret'
const DEFAULT_ORGANIZATION = 'First Organization'

/**
 * The directory: all entries in memory (`Book`), every change first committed to the database, then to memory, then told to those who
 * watch. What it adds to `DirectoryWriter` is for the authenticator (credentials) and for `server` (pending mailboxes, backup).
 */
export class DirectoryStore extends Book implements SharedDirectory {
  readonly #tables: Tables
  readonly #clock: Clock
  readonly #assignment: Assignment
  readonly #cost: HashCost
  readonly #credentials: Map<string, StoredCredential>
  readonly #apps: AppPasswords
  readonly #settings: Map<string, unknown>
  /** Made once per installation: made-up SCRAM salts must not change when the program restarts. */
  secret: Uint8Array
  /** While a copy is made: what has been named. */
  #named: Set<string> | undefined

  constructor(options: DirectoryOptions) {
    super()
    this.#clock = options.clock ?? systemClock
    this.#cost = options.hashCost ?? defaultHashCost
    this.#tables = new Tables(options.file)
    const loaded = this.#tables.load()
    this.#assignment = new Assignment(options.databases ?? ['mailboxes-1'], loaded.pending)
    for (const domain of loaded.domains) this.putDomain(domain)
    for (const entry of loaded.mailboxes) {
      // Before it had a switch of its own, JMAP went with the web's.
      const stored: Partial<MailboxEntry['protocols']> = entry.protocols ?? {}
      const usual = protocolsOf(entry.isAdministrator ?? false)
      const protocols = { ...usual, jmap: stored.web ?? usual.jmap, ...stored }
      this.putMailbox({ ...mailboxDefaults, ...entry, protocols })
      this.#assignment.count(entry.database, 1)
    }
    for (const group of loaded.groups) this.putGroup(group)
    this.#apps = new AppPasswords(this.#tables, this.#clock, loaded.appPasswords)
    this.#credentials = new Map(loaded.credentials)
    this.#settings = new Map(loaded.settings)
    this.organization = String(this.#settings.get(ORGANIZATION) ?? DEFAULT_ORGANIZATION)
    this.secret = this.#ownSecret()
  }
  #ownSecret(): Uint8Array {
    const stored = this.#settings.get(SECRET)
    if (typeof stored === 'string') return Buffer.from(stored, 'hex')
    const secret = randomBytes(32)
    this.#tables.transaction(() => this.#tables.putSetting(SECRET, secret.toString('hex')))
    this.#settings.set(SECRET, secret.toString('hex'))
    return secret
  }

  close(): void {
    this.#tables.close()
  }
  /** Everything there is, as the steps that make a copy of it. */
  *steps(): Iterable<DirectoryNews> {
    yield { kind: 'start', secret: this.secret }
    yield { kind: 'organization', name: this.organization }
    for (const domain of this.domains()) yield { kind: 'domain', domain }
    for (const entry of this.mailboxes()) yield { kind: 'mailbox', entry }
    for (const entry of this.groups()) yield { kind: 'group', entry }
    for (const [account, { version }] of this.#credentials) yield { kind: 'version', account, version }
    for (const account of this.#apps.accounts()) yield { kind: 'apps', account, apps: this.#apps.shown(account) }
    for (const [name, value] of this.#settings) if (name !== SECRET) yield { kind: 'setting', name, value }
  }
  /** Everything there is, for the copy of another node. */
  *nodeSteps(): Iterable<NodeNews> {
    for (const step of this.steps()) yield* this.forNodes(step)
    yield { kind: 'complete' }
  }
  /** A step, with what another node needs to let people in by itself. */
  forNodes(step: DirectoryNews): readonly NodeNews[] {
    if (step.kind === 'version') {
      const credential = this.#credentials.get(step.account)
      return credential === undefined ? [] : [{ kind: 'credential', account: step.account, credential }]
    }
    if (step.kind === 'apps')
      return [{ kind: 'appSecrets', account: step.account, apps: this.#apps.stored(step.account) }]
    return [step]
  }
  /** In a copy: repeats one step of the node that holds the directory. Nothing of it is written to a file here. */
  take(news: NodeNews): void {
    if (news.kind === 'start') {
      this.secret = news.secret
      this.#named = new Set()
    } else if (news.kind === 'complete') this.#dropUnnamed()
    else if (news.kind === 'organization') {
      this.organization = news.name
      this.step(news)
    } else if (news.kind === 'domain') {
      this.#named?.add(`domain ${news.domain.name}`)
      this.putDomain(news.domain)
    } else if (news.kind === 'noDomain') this.dropDomain(news.name)
    else if (news.kind === 'mailbox') {
      this.#named?.add(`mailbox ${news.entry.account}`)
      this.putMailbox({ ...mailboxDefaults, ...news.entry })
    } else if (news.kind === 'noMailbox') this.#dropCopied(news.entry)
    else if (news.kind === 'group') {
      this.#named?.add(`group ${news.entry.id}`)
      this.putGroup(news.entry)
    } else if (news.kind === 'noGroup') this.dropGroup(news.entry)
    else if (news.kind === 'credential') this.#keepCredential(news.account, news.credential)
    else if (news.kind === 'appSecrets') {
      this.#apps.replace(news.account, news.apps)
      this.#tellApps(news.account)
    } else if (news.kind === 'setting') {
      this.#named?.add(`setting ${news.name}`)
      if (news.value === undefined) this.#settings.delete(news.name)
      else this.#settings.set(news.name, news.value)
      this.step(news)
    } else if (news.kind === 'changed') this.changed(news.account)
  }
  #dropCopied(entry: MailboxEntry): void {
    this.#credentials.delete(entry.account)
    this.#apps.forget(entry.account)
    const known = this.account(entry.account)
    if (known !== undefined) this.dropMailbox(known)
  }
  #dropUnnamed(): void {
    const named = this.#named
    this.#named = undefined
    if (named === undefined) return
    for (const { name } of [...this.domains()]) if (!named.has(`domain ${name}`)) this.dropDomain(name)
    for (const entry of [...this.mailboxes()]) if (!named.has(`mailbox ${entry.account}`)) this.#dropCopied(entry)
    for (const entry of [...this.groups()]) if (!named.has(`group ${entry.id}`)) this.dropGroup(entry)
    for (const name of [...this.#settings.keys()])
      if (name !== SECRET && !named.has(`setting ${name}`)) this.take({ kind: 'setting', name, value: undefined })
    this.changed()
  }
  /** What is wrong with its file, one line each: for `store check`. */
  damage(): string[] {
    return this.#tables.damage()
  }
  /** A consistent copy of the whole directory in a new file, for backup and upgrades. */
  copyTo(file: string): void {
    this.#tables.copyTo(file)
  }

  // Domains

  async addDomain(name: string, type: DomainType): Promise<void> {
    const key = domainKey(name)
    if (!domainValid(key))
      throw new DirectoryError('invalid', {
        en: `'${name}' is not a domain name.`,
        fr: `« ${name} » n’est pas un nom de domaine.`,
      })
    if (!['Authoritative', 'InternalRelay', 'ExternalRelay'].includes(type))
      throw new DirectoryError('invalid', {
        en: 'The type must be Authoritative, InternalRelay or ExternalRelay.',
        fr: 'Le type doit être Authoritative, InternalRelay ou ExternalRelay.',
      })
    if (this.domain(key) !== undefined)
      throw new DirectoryError('exists', {
        en: `The domain ${key} is already accepted.`,
        fr: `Le domaine ${key} est déjà accepté.`,
      })
    this.#storeDomain({ name: key, type, isDefault: this.domains().length === 0 })
  }
  async removeDomain(name: string): Promise<void> {
    const domain = this.#domainNamed(name)
    const user = this.#inDomain(domain.name)
    if (user !== undefined)
      throw new DirectoryError('inUse', {
        en: `${user} still has an address in ${domain.name}. Change or remove it first.`,
        fr: `${user} a encore une adresse dans ${domain.name}. Changez-la ou ôtez-la d’abord.`,
      })
    if (domain.isDefault && this.domains().length > 1)
      throw new DirectoryError('inUse', {
        en: `${domain.name} is the default domain. Make another one the default first.`,
        fr: `${domain.name} est le domaine par défaut. Donnez d’abord ce rôle à un autre.`,
      })
    this.#tables.transaction(() => this.#tables.dropDomain(domain.name))
    this.dropDomain(domain.name)
    this.changed()
  }
  async setDefaultDomain(name: string): Promise<void> {
    this.#storeDomain({ ...this.#domainNamed(name), isDefault: true })
  }
  #storeDomain(domain: AcceptedDomain): void {
    this.#tables.transaction(() => this.#tables.putDomain(domain))
    this.putDomain(domain)
    this.changed()
  }
  #domainNamed(name: string): AcceptedDomain {
    const domain = this.domain(domainKey(name))
    if (domain === undefined)
      throw new DirectoryError('notFound', {
        en: `There is no accepted domain ${name}.`,
        fr: `Il n’y a pas de domaine accepté ${name}.`,
      })
    return domain
  }
  #inDomain(domain: string): string | undefined {
    for (const entries of [this.mailboxes(), this.groups()])
      for (const entry of entries)
        for (const address of [entry.address, ...entry.aliases])
          if (addressKey(address).endsWith(`@${domain}`)) return entry.address
    return undefined
  }

  // Mailboxes

  /** The entry that an account id or one of its addresses names. */
  identity(account: string): MailboxEntry {
    const entry = this.account(account) ?? this.owner(addressKey(account))
    if (entry === undefined || !('account' in entry))
      throw new DirectoryError('notFound', {
        en: `There is no mailbox ${account}. \`postrider user list\` shows all.`,
        fr: `Il n’y a pas de boîte ${account}. \`postrider user list\` les montre toutes.`,
      })
    return entry
  }

  async addMailbox(wanted: NewMailboxEntry): Promise<MailboxEntry> {
    this.#checkNew(wanted)
    const credential = wanted.password === undefined ? undefined : await credentialOf(wanted.password, 1, this.#cost)
    // Again after the wait: somebody else may have taken the address.
    const { address, aliases } = this.#checkNew(wanted)
    const entry = this.#tables.transaction(() => {
      const mailbox = this.#tables.newMailboxId()
      const added: MailboxEntry = {
        ...mailboxDefaults,
        account: `a${mailbox}-${randomBytes(4).toString('hex')}`,
        mailbox,
        address,
        aliases,
        displayName: wanted.displayName ?? address.slice(0, address.lastIndexOf('@')),
        type: wanted.type ?? 'user',
        language: wanted.language ?? 'en',
        database: wanted.database ?? this.#assignment.leastFilled(),
        quota: wanted.quota,
        isAdministrator: wanted.isAdministrator ?? false,
        protocols: protocolsOf(wanted.isAdministrator ?? false),
        created: this.#clock.now(),
      }
      checkMailbox(added)
      this.#tables.putMailbox(added)
      if (credential !== undefined) this.#tables.putCredential(added.account, credential)
      this.#tables.putPending({ mailbox, work: 'create', database: added.database })
      return added
    })
    if (credential !== undefined) this.#keepCredential(entry.account, credential)
    this.#assignment.await({ mailbox: entry.mailbox, work: 'create', database: entry.database })
    this.#assignment.count(entry.database, 1)
    this.putMailbox(entry)
    this.changed(entry.account)
    return entry
  }
  #checkNew(wanted: NewMailboxEntry): { address: string; aliases: string[] } {
    const address = checkedAddress(wanted.address)
    const aliases = checkedAliases(wanted.aliases ?? [], address)
    for (const each of [address, ...aliases]) this.#checkFree(each, undefined)
    return { address, aliases }
  }
  /** The address must be of one of our domains and nobody else's. */
  #checkFree(address: string, self: MailboxEntry | GroupEntry | undefined): void {
    const key = addressKey(address)
    const domain = key.slice(key.lastIndexOf('@') + 1)
    if (this.domain(domain) === undefined)
      throw new DirectoryError('invalid', {
        en: `${domain} is not an accepted domain. Add it first: postrider domain add ${domain}`,
        fr: `${domain} n’est pas un domaine accepté. Ajoutez-le d’abord : postrider domain add ${domain}`,
      })
    const owner = this.owner(key)
    if (owner !== undefined && owner !== self)
      throw new DirectoryError('exists', {
        en: `The address ${address} belongs to ${owner.displayName} (${owner.address}) already.`,
        fr: `L’adresse ${address} appartient déjà à ${owner.displayName} (${owner.address}).`,
      })
  }

  async updateMailbox(account: string, change: MailboxChange): Promise<MailboxEntry> {
    const old = this.identity(account)
    const { protocols, quota, address: newAddress, aliases: newAliases, ...rest } = change
    const address = newAddress === undefined ? old.address : checkedAddress(newAddress)
    // The old primary address goes on receiving, as Exchange does it, unless the aliases are given as well.
    const kept = newAliases ?? (newAddress === undefined ? old.aliases : [...old.aliases, old.address])
    const aliases = checkedAliases(kept, address)
    for (const each of [address, ...aliases]) this.#checkFree(each, old)
    const accounts = (named: readonly string[]): string[] => [
      ...new Set(named.map((name) => this.identity(name).account)),
    ]
    const entry: MailboxEntry = {
      ...old,
      ...rest,
      address,
      aliases,
      fullAccess: accounts(rest.fullAccess ?? old.fullAccess),
      sendAs: accounts(rest.sendAs ?? old.sendAs),
      sendOnBehalf: accounts(rest.sendOnBehalf ?? old.sendOnBehalf),
      protocols: { ...old.protocols, ...protocols },
      quota: quota === undefined ? old.quota : (quota ?? undefined),
    }
    checkMailbox(entry)
    const waiting = this.#assignment.awaited(old.mailbox)
    const pending: PendingMailbox | undefined =
      entry.quota === old.quota || waiting?.work === 'create'
        ? undefined
        : { mailbox: entry.mailbox, work: 'quota', database: entry.database }
    this.#store([entry], [], pending)
    return entry
  }

  /**
   * The mailbox lives in another database from now on: the moment in which a move is decided. Notes beside it, in the same transaction, what the
   * setting `name` says of the move. Throws DomainError `moved` when the epoch is not the next one: somebody else has moved it.
   */
  rehome(
    account: string,
    to: { readonly database: string; readonly epoch: number },
    name: string,
    value: unknown,
  ): void {
    const old = this.identity(account)
    if (to.epoch !== old.epoch + 1) throw movedError(old.epoch)
    const entry: MailboxEntry = { ...old, ...to }
    const waiting = this.#assignment.awaited(old.mailbox)
    const pending = waiting === undefined ? undefined : { ...waiting, database: to.database }
    this.#tables.transaction(() => {
      this.#tables.putMailbox(entry)
      this.#tables.putSetting(name, value)
      if (pending !== undefined) this.#tables.putPending(pending)
    })
    if (pending !== undefined) this.#assignment.await(pending)
    this.#assignment.count(old.database, -1)
    this.#assignment.count(to.database, 1)
    this.#settings.set(name, structuredClone(value))
    this.putMailbox(entry)
    this.step({ kind: 'setting', name, value: this.#settings.get(name) })
    this.changed(entry.account)
  }
  /** All settings whose names begin like this. */
  settingsNamed(prefix: string): readonly (readonly [string, unknown])[] {
    return [...this.#settings].filter(([name]) => name.startsWith(prefix))
  }

  async removeMailbox(account: string): Promise<void> {
    const entry = this.identity(account)
    if (entry.isAdministrator && [...this.mailboxes()].filter((one) => one.isAdministrator).length === 1)
      throw new DirectoryError('inUse', {
        en: `${entry.address} is the only administrator and cannot be removed.`,
        fr: `${entry.address} est le seul administrateur et ne peut pas être supprimé.`,
      })
    const named = (list: readonly string[]): boolean => list.includes(entry.account)
    const without = (list: readonly string[]): string[] => list.filter((one) => one !== entry.account)
    const others = [...this.mailboxes()]
      .filter((one) => one !== entry && (named(one.fullAccess) || named(one.sendAs) || named(one.sendOnBehalf)))
      .map((one) => ({
        ...one,
        fullAccess: without(one.fullAccess),
        sendAs: without(one.sendAs),
        sendOnBehalf: without(one.sendOnBehalf),
      }))
    const groups = this.#groupsWithout([entry.address, ...entry.aliases])
    const pending: PendingMailbox = { mailbox: entry.mailbox, work: 'destroy', database: entry.database }
    this.#tables.transaction(() => {
      this.#tables.dropMailbox(entry)
      this.#tables.putPending(pending)
      for (const other of others) this.#tables.putMailbox(other)
      for (const group of groups) this.#tables.putGroup(group)
    })
    this.#credentials.delete(entry.account)
    this.#apps.forget(entry.account)
    this.#assignment.await(pending)
    this.#assignment.count(entry.database, -1)
    this.dropMailbox(entry)
    for (const other of others) this.putMailbox(other)
    for (const group of groups) this.putGroup(group)
    this.changed(entry.account)
  }

  // Groups

  async addGroup(wanted: { address: string; displayName?: string; members?: readonly string[] }): Promise<GroupEntry> {
    const address = checkedAddress(wanted.address)
    this.#checkFree(address, undefined)
    const body = {
      address,
      aliases: [],
      displayName: wanted.displayName ?? address.slice(0, address.lastIndexOf('@')),
      members: this.#checkedMembers(wanted.members ?? []),
      hiddenFromAddressLists: false,
      requireSenderAuthentication: false,
    }
    const entry = this.#tables.transaction(() => {
      const added: GroupEntry = { id: this.#tables.newGroupId(), ...body }
      checkGroup(added)
      this.#tables.putGroup(added)
      return added
    })
    this.putGroup(entry)
    this.changed()
    return entry
  }
  async updateGroup(address: string, change: Partial<Omit<GroupEntry, 'id'>>): Promise<GroupEntry> {
    const old = this.#group(address)
    const primary = change.address === undefined ? old.address : checkedAddress(change.address)
    const aliases = checkedAliases(change.aliases ?? old.aliases, primary)
    for (const each of [primary, ...aliases]) this.#checkFree(each, old)
    const members = change.members === undefined ? old.members : this.#checkedMembers(change.members)
    const entry: GroupEntry = { ...old, ...change, id: old.id, address: primary, aliases, members }
    checkGroup(entry)
    this.#store([], [entry])
    return entry
  }
  async removeGroup(address: string): Promise<void> {
    const entry = this.#group(address)
    const groups = this.#groupsWithout([entry.address, ...entry.aliases]).filter((group) => group.id !== entry.id)
    this.#tables.transaction(() => {
      this.#tables.dropGroup(entry)
      for (const group of groups) this.#tables.putGroup(group)
    })
    this.dropGroup(entry)
    for (const group of groups) this.putGroup(group)
    this.changed()
  }
  #group(address: string): GroupEntry {
    const entry = this.owner(addressKey(address))
    if (entry === undefined || !('members' in entry))
      throw new DirectoryError('notFound', {
        en: `There is no group ${address}. \`postrider group list\` shows all.`,
        fr: `Il n’y a pas de groupe ${address}. \`postrider group list\` les montre tous.`,
      })
    return entry
  }
  #checkedMembers(members: readonly string[]): string[] {
    const checked = new Map<string, string>()
    for (const member of members) {
      const address = checkedAddress(member)
      if (this.resolve(address).kind === 'unknown')
        throw new DirectoryError('notFound', {
          en: `Nobody here has the address ${address}.`,
          fr: `Personne ici n’a l’adresse ${address}.`,
        })
      checked.set(addressKey(address), address)
    }
    return [...checked.values()]
  }
  #groupsWithout(addresses: readonly string[]): GroupEntry[] {
    const gone = new Set(addresses.map(addressKey))
    return [...this.groups()]
      .filter((group) => group.members.some((member) => gone.has(addressKey(member))))
      .map((group) => ({ ...group, members: group.members.filter((member) => !gone.has(addressKey(member))) }))
  }
  #store(mailboxes: readonly MailboxEntry[], groups: readonly GroupEntry[], pending?: PendingMailbox): void {
    this.#tables.transaction(() => {
      if (pending !== undefined) this.#tables.putPending(pending)
      for (const entry of mailboxes) this.#tables.putMailbox(entry)
      for (const entry of groups) this.#tables.putGroup(entry)
    })
    if (pending !== undefined) this.#assignment.await(pending)
    for (const entry of mailboxes) this.putMailbox(entry)
    for (const entry of groups) this.putGroup(entry)
    if (groups.length > 0) this.changed()
    for (const entry of mailboxes) this.changed(entry.account)
  }

  // Credentials

  async setPassword(account: string, password: string): Promise<void> {
    const { account: id } = this.identity(account)
    const version = (this.#credentials.get(id)?.version ?? 0) + 1
    const credential = await credentialOf(password, version, this.#cost)
    this.identity(id)
    this.#tables.transaction(() => this.#tables.putCredential(id, credential))
    this.#keepCredential(id, credential)
    this.changed(id)
  }
  #keepCredential(account: string, credential: StoredCredential): void {
    this.#credentials.set(account, credential)
    this.step({ kind: 'version', account, version: credential.version })
  }
  /** What the authenticator compares with. */
  credential(account: string): StoredCredential | undefined {
    return this.#credentials.get(account)
  }
  /** Stores a hash of today's cost for a password that was just verified; nothing else changes. */
  rehashed(account: string, version: number, hash: string): void {
    const old = this.#credentials.get(account)
    if (old === undefined || old.version !== version) return
    const credential = { ...old, hash }
    this.#tables.transaction(() => this.#tables.putCredential(account, credential))
    this.#credentials.set(account, credential)
  }

  async addAppPassword(
    account: string,
    name: string,
    protocols: readonly ProtocolName[],
  ): Promise<{ readonly id: string; readonly password: string }> {
    const { account: id } = this.identity(account)
    const made = this.#apps.add(id, name, protocols)
    this.#tellApps(id)
    this.changed(id)
    return made
  }
  async removeAppPassword(account: string, id: string): Promise<void> {
    const { account: owner, address } = this.identity(account)
    if (!this.#apps.remove(owner, id))
      throw new DirectoryError('notFound', {
        en: `${address} has no app password ${id}.`,
        fr: `${address} n’a pas de mot de passe d’application ${id}.`,
      })
    this.#tellApps(owner)
    this.changed(owner)
  }
  appPasswords(account: string): ReturnType<DirectoryWriter['appPasswords']> {
    return this.#apps.shown(this.identity(account).account)
  }
  #tellApps(account: string): void {
    this.step({ kind: 'apps', account, apps: this.#apps.shown(account) })
  }
  appPassword(account: string, id: string): StoredAppPassword | undefined {
    return this.#apps.find(account, id)
  }
  /** The app password of this account with this digest. */
  appPasswordByDigest(account: string, digest: string): StoredAppPassword | undefined {
    return this.#apps.byDigest(account, digest)
  }
  /** Notes the use of an app password, to the hour. */
  appPasswordUsed(account: string, id: string): void {
    if (this.#apps.used(account, id)) this.#tellApps(account)
  }

  // Settings

  setting(name: string): unknown {
    return this.#settings.get(name)
  }
  async setSetting(name: string, value: unknown): Promise<void> {
    this.#tables.transaction(() => this.#tables.putSetting(name, value))
    if (value === undefined) this.#settings.delete(name)
    else this.#settings.set(name, structuredClone(value))
    this.step({ kind: 'setting', name, value: this.#settings.get(name) })
    if (name === ORGANIZATION) {
      this.organization = String(value ?? DEFAULT_ORGANIZATION)
      this.step({ kind: 'organization', name: this.organization })
    }
    this.changed()
  }

  // Between directory and mailbox service

  /** What the mailbox service still has to make, destroy or give another quota: after a crash in between, or added while it was stopped. */
  pendingMailboxes(): readonly PendingMailbox[] {
    return this.#assignment.pending()
  }
  /** The mailbox service has done it. What was decided since then stays pending. */
  mailboxDone(done: PendingMailbox): void {
    if (this.#assignment.awaited(done.mailbox) !== done) return
    this.#tables.transaction(() => this.#tables.dropPending(done.mailbox))
    this.#assignment.done(done.mailbox)
  }
}

/** Opens (and makes or upgrades) the directory. Throws when the file cannot be opened or is newer than the program. */
export function openDirectory(options: DirectoryOptions): DirectoryStore {
  return new DirectoryStore(options)
}
