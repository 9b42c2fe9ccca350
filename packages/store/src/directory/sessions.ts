import type { MailboxEntry, Principal, ProtocolName } from '@postrider/domain'
import type { SharedDirectory } from './news.ts'

interface LiveSession {
  readonly principal: Principal
  /** Version of the account's password at login. */
  readonly version: number
  readonly end: (reason: 'revoked') => void
}

/** R40: the built-in Administrator is kept out of these whatever the credential. */
const closedToAdministrator: ReadonlySet<ProtocolName> = new Set(['pop3', 'imap'])
/** Whoever may use these must be able to find them. */
const selfConfiguring: ReadonlySet<ProtocolName> = new Set(['activesync', 'ews', 'mapi'])
const closedToAppPasswords: ReadonlySet<ProtocolName> = new Set(['web', 'admin'])

/** What the switches are read from. */
type Switches = Pick<SharedDirectory, 'account' | 'credential' | 'appPassword'>

/** Whether an account may use a protocol, with its password or with an app password. */
export function mayUse(
  directory: Switches,
  entry: MailboxEntry,
  protocol: ProtocolName,
  appPassword: string | undefined,
): boolean {
  if (!entry.protocols[protocol]) return false
  if (entry.isAdministrator && closedToAdministrator.has(protocol)) return false
  if (appPassword === undefined) return true
  if (closedToAppPasswords.has(protocol)) return false
  const scope = directory.appPassword(entry.account, appPassword)?.protocols ?? []
  return scope.includes(protocol) || (protocol === 'autodiscover' && scope.some((one) => selfConfiguring.has(one)))
}

/** Everybody who is logged in to this process, by account, so that a change of the account reaches them at once. */
export class SessionWatch {
  readonly #directory: Switches & Pick<SharedDirectory, 'watch'>
  readonly #byAccount = new Map<string, Set<LiveSession>>()
  /** Version of the password that a principal was made with: a session that registers later must end when it changed in between. */
  readonly #versions = new WeakMap<Principal, number>()
  readonly #unwatch: () => void

  constructor(directory: Switches & Pick<SharedDirectory, 'watch'>) {
    this.#directory = directory
    this.#unwatch = directory.watch(({ account }) => {
      for (const one of account === undefined ? [...this.#byAccount.keys()] : [account]) this.#review(one)
    })
  }
  close(): void {
    this.#unwatch()
  }

  /** This principal showed a password of this version. */
  proved(principal: Principal, version = this.#version(principal.account)): void {
    this.#versions.set(principal, version)
  }
  provedWith(principal: Principal): number {
    return this.#versions.get(principal) ?? this.#version(principal.account)
  }

  session(principal: Principal, end: (reason: 'revoked') => void): () => void {
    const session = { principal, version: this.provedWith(principal), end }
    let sessions = this.#byAccount.get(principal.account)
    if (sessions === undefined) {
      sessions = new Set()
      this.#byAccount.set(principal.account, sessions)
    }
    sessions.add(session)
    // Registered first, then checked: a change between login and here is not missed.
    if (!this.#stillAllowed(session)) queueMicrotask(() => this.#review(principal.account))
    return () => void this.#remove(session)
  }
  count(account: string): number {
    return this.#byAccount.get(account)?.size ?? 0
  }

  #remove(session: LiveSession): boolean {
    const sessions = this.#byAccount.get(session.principal.account)
    const had = sessions?.delete(session) ?? false
    if (sessions?.size === 0) this.#byAccount.delete(session.principal.account)
    return had
  }
  /** Ends the sessions of an account that are no longer allowed. Each is told once. */
  #review(account: string): void {
    for (const session of [...(this.#byAccount.get(account) ?? [])])
      if (!this.#stillAllowed(session) && this.#remove(session)) session.end('revoked')
  }
  #stillAllowed({ principal, version }: LiveSession): boolean {
    const entry = this.#directory.account(principal.account)
    if (entry === undefined || !entry.enabled) return false
    if (!mayUse(this.#directory, entry, principal.protocol, principal.appPassword)) return false
    return principal.appPassword !== undefined || this.#version(principal.account) === version
  }
  #version(account: string): number {
    return this.#directory.credential(account)?.version ?? 0
  }
}
