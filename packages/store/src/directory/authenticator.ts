import { createHmac, randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import {
  type Authenticator,
  type Clock,
  type LoginAttempt,
  type MailboxEntry,
  type Meter,
  noMeter,
  type Principal,
  type ProtocolName,
  type ScramKeys,
  systemClock,
  type Verdict,
} from '@postrider/domain'
import { accountOfLogin, loginKey } from './login.ts'
import { appPasswordDigest } from './app-passwords.ts'
import type { DirectoryStore } from './open.ts'
import { MAX_PASSWORD_BYTES } from './credential.ts'
import { defaultHashCost, type HashCost, hashIsOld, hashPassword, verifyPassword } from './password.ts'
import { Pool, PoolFull } from './pool.ts'
import { inventedScramKeys } from './scram.ts'
import { mayUse, SessionWatch } from './sessions.ts'
import { Throttle, type ThrottlePolicy } from './throttle.ts'

export interface AuthenticatorOptions {
  readonly directory: DirectoryStore
  readonly clock?: Clock
  readonly meter?: Meter
  readonly throttle?: ThrottlePolicy
  readonly hashCost?: HashCost
  /** Hashes computed at the same time; each takes a pool thread. */
  readonly parallelHashes?: number
}

/** A password that was right is believed for so long without computing its hash again. */
export const CACHE_MS = 300_000
/** A password that was wrong is known as wrong for so long: a device with an old password must not keep a core busy. */
export const WRONG_CACHE_MS = 60_000
export const MAX_CACHED = 20_000
export const MAX_WAITING_HASHES = 1_000
/** What a client that failed should be kept waiting before it hears so (AuthTarpitInterval), once failures become many. */
export const TARPIT_MS = 5_000

/** What a password turned out to be; `version` and the app password's existence are checked again at every use. */
type Known = {
  readonly expires: number
  readonly version: number
  readonly result:
    | { readonly kind: 'password' }
    | { readonly kind: 'app'; readonly id: string }
    | { readonly kind: 'wrong' }
}

/**
 * The one authentication of all protocols: administration.md §I.3. Every answer that is not `ok` costs the same time whether the account
 * exists or not: the hash is always computed, against a made-up one when there is none.
 */
export class DirectoryAuthenticator implements Authenticator {
  readonly #directory: DirectoryStore
  readonly #clock: Clock
  readonly #meter: Meter
  readonly #throttle: Throttle
  readonly #cost: HashCost
  readonly #pool: Pool
  readonly #secret = randomBytes(32)
  readonly #known = new Map<string, Known>()
  readonly #running = new Map<string, Promise<Known['result']>>()
  readonly #sessions: SessionWatch
  readonly #dummy: Promise<string>
  readonly #unwatch: () => void

  constructor(options: AuthenticatorOptions) {
    this.#directory = options.directory
    this.#clock = options.clock ?? systemClock
    this.#meter = options.meter ?? noMeter
    this.#throttle = new Throttle(this.#clock, options.throttle)
    this.#cost = options.hashCost ?? defaultHashCost
    this.#pool = new Pool(
      options.parallelHashes ?? Math.max(1, Math.min(3, availableParallelism())),
      MAX_WAITING_HASHES,
    )
    this.#dummy = hashPassword(this.#secret.toString('hex'), this.#cost)
    // Marked as handled; whoever awaits it later still sees the failure.
    this.#dummy.catch(() => {})
    this.#sessions = new SessionWatch(this.#directory)
    this.#unwatch = this.#directory.watch(() => this.#forget())
  }
  close(): void {
    this.#unwatch()
    this.#sessions.close()
  }

  async verify(attempt: LoginAttempt): Promise<Verdict> {
    const entry = accountOfLogin(attempt.login, this.#directory)
    const who = this.#who(entry, attempt.login)
    const blocked = this.#throttle.blockedMs(who, attempt.remoteAddress)
    if (blocked > 0) return this.#refuse('throttled', attempt.protocol, blocked)
    try {
      const result = await this.#check(who, entry, attempt.password)
      // The directory may have changed while the hash was computed.
      const now = entry === undefined ? undefined : this.#directory.account(entry.account)
      if (result.kind === 'wrong' || now === undefined)
        return this.#failed(who, attempt.protocol, attempt.remoteAddress)
      return this.#admit(now, result.kind === 'app' ? result.id : undefined, attempt.protocol, attempt.remoteAddress)
    } catch (error) {
      if (!(error instanceof PoolFull)) throw error
      return this.#refuse('busy', attempt.protocol, 1_000)
    }
  }

  /** Counts as one identity for the budgets: the account, or what was typed. */
  #who(entry: MailboxEntry | undefined, login: string): string {
    return entry?.account ?? `? ${loginKey(login, this.#directory.domains())}`
  }

  async #check(who: string, entry: MailboxEntry | undefined, password: string): Promise<Known['result']> {
    const key = createHmac('sha256', this.#secret).update(`${who}\0${password}`).digest('base64')
    const version = entry === undefined ? 0 : this.#version(entry.account)
    const known = this.#known.get(key)
    if (known !== undefined && known.version === version && known.expires > this.#clock.monotonic()) return known.result
    // Many connections of one device ask at the same time: one hash is enough.
    const flight = `${version} ${key}`
    let running = this.#running.get(flight)
    if (running === undefined) {
      running = this.#compute(entry, password).finally(() => this.#running.delete(flight))
      this.#running.set(flight, running)
    }
    const result = await running
    const life = result.kind === 'wrong' ? WRONG_CACHE_MS : CACHE_MS
    this.#known.delete(key)
    this.#known.set(key, { expires: this.#clock.monotonic() + life, version, result })
    if (this.#known.size > MAX_CACHED)
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    return result
  }

  async #compute(entry: MailboxEntry | undefined, password: string): Promise<Known['result']> {
    const usable = password !== '' && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES
    if (entry !== undefined && usable) {
      const app = this.#directory.appPasswordByDigest(entry.account, appPasswordDigest(password))
      if (app !== undefined) return { kind: 'app', id: app.id }
    }
    const stored = entry === undefined ? undefined : this.#directory.credential(entry.account)
    const dummy = await this.#dummy
    const right = await this.#pool.run(() => verifyPassword(stored?.hash ?? dummy, usable ? password : 'x'))
    if (!right || !usable || entry === undefined || stored === undefined) return { kind: 'wrong' }
    if (hashIsOld(stored.hash, this.#cost)) {
      const hash = await this.#pool.run(() => hashPassword(password, this.#cost))
      this.#bestEffort(() => this.#directory.rehashed(entry.account, stored.version, hash))
    }
    return { kind: 'password' }
  }

  /** The credential is right: may it be used here? */
  #admit(entry: MailboxEntry, appPassword: string | undefined, protocol: ProtocolName, remoteAddress: string): Verdict {
    if (appPassword !== undefined && !this.#directory.appPassword(entry.account, appPassword))
      return this.#failed(entry.account, protocol, remoteAddress)
    this.#throttle.succeeded(entry.account, remoteAddress)
    if (!entry.enabled) return this.#refuse('accountDisabled', protocol, 0)
    if (!mayUse(this.#directory, entry, protocol, appPassword)) return this.#refuse('protocolDisabled', protocol, 0)
    if (appPassword !== undefined) this.#bestEffort(() => this.#directory.appPasswordUsed(entry.account, appPassword))
    this.#meter.count('logins_total', { protocol, result: 'ok' })
    const { account, address, displayName, mailbox, language } = entry
    const principal: Principal = { account, address, displayName, mailbox, language, protocol, appPassword }
    this.#sessions.proved(principal)
    return { ok: true, principal }
  }
  /** Notes beside a login: a full disk must not keep anybody out. */
  #bestEffort(write: () => void): void {
    try {
      write()
    } catch {
      this.#meter.count('directory_notes_lost_total')
    }
  }

  #failed(who: string, protocol: ProtocolName, remoteAddress: string): Verdict {
    const blocked = this.#throttle.failed(who, remoteAddress)
    return this.#refuse('invalid', protocol, blocked > 0 ? TARPIT_MS : 0)
  }
  #refuse(reason: Exclude<Verdict, { ok: true }>['reason'], protocol: ProtocolName, retryAfterMs: number): Verdict {
    this.#meter.count('logins_total', { protocol, result: reason })
    return { ok: false, reason, retryAfterMs }
  }

  async scram(login: string, _protocol: ProtocolName): Promise<ScramKeys> {
    const entry = accountOfLogin(login, this.#directory)
    const stored = entry === undefined ? undefined : this.#directory.credential(entry.account)
    return stored?.scram ?? inventedScramKeys(this.#directory.secret, this.#who(entry, login))
  }
  async scramDone(login: string, protocol: ProtocolName, remoteAddress: string, proofValid: boolean): Promise<Verdict> {
    const entry = accountOfLogin(login, this.#directory)
    const who = this.#who(entry, login)
    const blocked = this.#throttle.blockedMs(who, remoteAddress)
    if (blocked > 0) return this.#refuse('throttled', protocol, blocked)
    if (!proofValid || entry === undefined || this.#directory.credential(entry.account) === undefined)
      return this.#failed(who, protocol, remoteAddress)
    return this.#admit(entry, undefined, protocol, remoteAddress)
  }

  session(principal: Principal, end: (reason: 'revoked') => void): () => void {
    return this.#sessions.session(principal, end)
  }
  /** Version of the password that a principal of this authenticator was made with. */
  provedWith(principal: Principal): number {
    return this.#sessions.provedWith(principal)
  }
  /** Live sessions of an account, for limits and for `doctor`. */
  sessionCount(account: string): number {
    return this.#sessions.count(account)
  }

  #version(account: string): number {
    return this.#directory.credential(account)?.version ?? 0
  }
  /** Verdicts of accounts carry a version; those of logins that nobody had end with any change, because now somebody may have them. */
  #forget(): void {
    for (const [key, known] of this.#known) if (known.result.kind !== 'password') this.#known.delete(key)
  }
}

/** Authentication for all protocols over one directory. Made once per process: caches, budgets and sessions live in it. */
export function createAuthenticator(options: AuthenticatorOptions): DirectoryAuthenticator {
  return new DirectoryAuthenticator(options)
}
