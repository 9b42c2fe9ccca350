import type { Principal } from '@postrider/domain'

interface LiveSession {
  readonly principal: Principal
  /** Version of the account's password at login. */
  readonly version: number
  readonly end: (reason: 'revoked') => void
}

/** Everybody who is logged in, by account, so that a change of the account reaches them at once. */
export class LiveSessions {
  readonly #byAccount = new Map<string, Set<LiveSession>>()

  add(principal: Principal, version: number, end: (reason: 'revoked') => void): () => void {
    let sessions = this.#byAccount.get(principal.account)
    if (sessions === undefined) {
      sessions = new Set()
      this.#byAccount.set(principal.account, sessions)
    }
    const session = { principal, version, end }
    sessions.add(session)
    return () => this.#remove(session)
  }
  #remove(session: LiveSession): boolean {
    const sessions = this.#byAccount.get(session.principal.account)
    const had = sessions?.delete(session) ?? false
    if (sessions?.size === 0) this.#byAccount.delete(session.principal.account)
    return had
  }

  /** Ends the sessions of an account that `allowed` no longer allows. Each is told once. */
  review(account: string, allowed: (principal: Principal, version: number) => boolean): void {
    for (const session of [...(this.#byAccount.get(account) ?? [])])
      if (!allowed(session.principal, session.version) && this.#remove(session)) session.end('revoked')
  }
  accounts(): string[] {
    return [...this.#byAccount.keys()]
  }
  count(account: string): number {
    return this.#byAccount.get(account)?.size ?? 0
  }
}
