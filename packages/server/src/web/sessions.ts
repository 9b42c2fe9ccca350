import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  alone,
  type Authenticator,
  type Clock,
  type Logger,
  type MailboxEntry,
  type MailboxId,
  type MailboxService,
  type Principal,
  type Together,
} from '@postrider/domain'
import type { SharedDirectory } from '@postrider/store/directory'
import type { Ticket } from './cookie.ts'
import { decodeRecord, encodeRecord, KEY_PREFIX, type SessionRecord, STATE_CLIENT } from './record.ts'
import {
  type End,
  endOf,
  HARD_LIMIT_MS,
  MAX_REMEMBERED_ENDS,
  MAX_SESSIONS,
  STORED_LAG_MS,
  WARNING_MS,
} from './rules.ts'

export interface SessionsParts {
  readonly service: Pick<MailboxService, 'apply' | 'state'>
  readonly directory: Pick<SharedDirectory, 'mailbox' | 'account' | 'credential' | 'watch'>
  readonly authenticator: Pick<Authenticator, 'session'>
  readonly clock: Clock
  readonly log: Logger
  /** The administrator's limit (R16), read anew each time. */
  readonly inactivityMs: () => number
  /** The other processes that take requests; default: there are none. */
  readonly together?: Together
}

/** When a session ends, as the client is told. ms since 1970. */
export interface Deadlines {
  readonly now: number
  readonly inactiveAt: number
  readonly limitAt: number
  readonly warnAt: number
}

export interface SessionListener {
  /** Deadlines moved, or the warning is due. */
  moved(): void
  ended(why: End): void
}

/** A session somebody has proved to hold. */
export interface WebSession {
  readonly id: string
  readonly principal: Principal
  readonly record: SessionRecord
  /** What a form or a script must show beside the cookie. */
  readonly csrf: string
  readonly deadlines: Deadlines
}

export type Found =
  | { readonly ok: true; readonly session: WebSession }
  | {
      readonly ok: false
      readonly why: End | 'none'
      /** The session that time ended, for its holder, to keep what was being written. It opens nothing else. */
      readonly late?: WebSession
    }

interface Live {
  record: SessionRecord
  readonly mailbox: MailboxId
  stored: number
  readonly listeners: Set<SessionListener>
  timer: NodeJS.Timeout | undefined
}

/** Topics among the processes: when somebody did something (ms since 1970), and what is over. */
const ACTED = 'web acted'
const ENDED = 'web ended'
/** The session that changes its user's password: the versions it goes on with. */
const STAYS = 'web stays'
/** How long a change of the password may take. */
const CHANGE_MS = 60_000
type Versions = Pick<SessionRecord, 'version' | 'next'>
const withVersions = ({ next: _, ...record }: SessionRecord, versions: Versions): SessionRecord => ({
  ...record,
  ...versions,
})
const ENDED_MS = 3_600_000
interface Ended {
  readonly mailbox: MailboxId
  readonly why: End
  /** Of one that time ended: see `late`. */
  readonly record?: SessionRecord
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const opens = ({ digest }: SessionRecord, { secret }: Ticket): boolean => {
  const [known, shown] = [Buffer.from(digest, 'base64url'), digestOf(secret)]
  return known.length === shown.length && timingSafeEqual(known, shown)
}
const csrfOf = (secret: string): string => digestOf(`csrf ${secret}`).toString('base64url')
/** Characters of a browser's name that are kept. */
const MAX_AGENT = 200

/**
 * Web sessions: R16 and R17 kept by the server alone. A record lies in its user's mailbox, so a restart signs nobody out; memory holds
 * those in use. Nothing but `act` moves the inactivity limit and nothing at all the second one.
 */
export class WebSessions {
  readonly #parts: SessionsParts
  readonly #live = new Map<string, Live>()
  readonly #ends = new Map<string, { readonly why: End; readonly live: Live | undefined }>()
  /** What other processes saw done in sessions that nobody has asked for here yet. */
  readonly #acts = new Map<string, number>()
  readonly #together: Together
  readonly #unwatch: () => void

  constructor(parts: SessionsParts) {
    this.#parts = parts
    this.#together = parts.together ?? alone()
    this.#together.read(ACTED, (id, at) => this.#heardAct(id, at as number | undefined))
    this.#together.read(ENDED, (id, end) => {
      if (end !== undefined) this.#heardEnd(id, end as Ended)
    })
    this.#together.read(STAYS, (id, versions) => {
      const live = this.#live.get(id)
      if (live !== undefined && versions !== undefined) live.record = withVersions(live.record, versions as Versions)
    })
    this.#unwatch = parts.directory.watch(({ account }) => {
      for (const live of [...this.#live.values()])
        if ((account === undefined || live.record.account === account) && this.#allowed(live) === undefined)
          this.#finish(live, 'revoked')
    })
  }

  /** Opens a session for somebody who has just proved who he is. Durable when it resolves. */
  async open(
    principal: Principal,
    from: { readonly computer: SessionRecord['computer']; readonly address: string; readonly agent: string },
  ): Promise<{ readonly ticket: Ticket; readonly session: WebSession }> {
    const { clock, service, directory } = this.#parts
    const now = clock.now()
    const secret = randomBytes(32).toString('base64url')
    const record: SessionRecord = {
      id: randomBytes(16).toString('base64url'),
      account: principal.account,
      digest: digestOf(secret).toString('base64url'),
      version: directory.credential(principal.account)?.version ?? 0,
      computer: from.computer,
      address: from.address,
      agent: from.agent.slice(0, MAX_AGENT),
      created: now,
      lastAct: now,
    }
    await this.#tidy(principal.mailbox, principal.account)
    await service.apply(principal.mailbox, [
      { op: 'putState', client: STATE_CLIENT, key: KEY_PREFIX + record.id, value: encodeRecord(record) },
    ])
    const live = this.#keep(principal.mailbox, record)
    return {
      ticket: { mailbox: principal.mailbox, id: record.id, secret },
      session: this.#shown(live, principal, secret),
    }
  }

  /** The session a ticket opens, unless it is over. */
  async find(ticket: Ticket | undefined): Promise<Found> {
    if (ticket === undefined) return { ok: false, why: 'none' }
    const live = this.#live.get(ticket.id) ?? (await this.#load(ticket))
    if (live === undefined || live.mailbox !== ticket.mailbox) return this.#endedOf(ticket)
    if (!opens(live.record, ticket)) return { ok: false, why: 'none' }
    const why = this.#overOf(live)
    if (why !== undefined) {
      this.#finish(live, why)
      return this.#endedOf(ticket)
    }
    const entry = this.#allowed(live)
    if (entry === undefined) {
      this.#finish(live, 'revoked')
      return { ok: false, why: 'revoked' }
    }
    return { ok: true, session: this.#shown(live, principalOf(entry), ticket.secret) }
  }

  /** Why a session is over; more for whoever shows that it was his. */
  #endedOf(ticket: Ticket): Found {
    const end = this.#ends.get(ticket.id)
    if (end === undefined) return { ok: false, why: 'none' }
    const { why, live } = end
    if (live === undefined || live.mailbox !== ticket.mailbox || !opens(live.record, ticket)) return { ok: false, why }
    const entry = this.#allowed(live)
    return entry === undefined
      ? { ok: false, why }
      : { ok: false, why, late: this.#shown(live, principalOf(entry), ticket.secret) }
  }

  /** The user did something: the inactivity limit starts anew. */
  act(id: string): void {
    const live = this.#live.get(id)
    if (live === undefined || this.#overOf(live) !== undefined) return
    const now = this.#parts.clock.now()
    if (now <= live.record.lastAct) return
    live.record = { ...live.record, lastAct: now }
    this.#quietly(this.#together.post(ACTED, id, now, 2 * STORED_LAG_MS))
    if (now - live.stored >= STORED_LAG_MS) this.#store(live)
    this.#schedule(live)
    for (const one of [...live.listeners]) one.moved()
  }

  deadlines(id: string): Deadlines | undefined {
    const live = this.#live.get(id)
    return live === undefined ? undefined : this.#deadlinesOf(live)
  }

  /** Hears of warnings and of the end; answers how to stop listening. Also ends what the authenticator revokes. */
  listen(session: WebSession, listener: SessionListener): () => void {
    const live = this.#live.get(session.id)
    if (live === undefined) {
      queueMicrotask(() => listener.ended(this.#ends.get(session.id)?.why ?? 'signedout'))
      return () => {}
    }
    live.listeners.add(listener)
    let leave = (): void => {}
    const join = (principal: Principal): void => {
      leave = this.#parts.authenticator.session(principal, () => {
        const entry = live.listeners.has(listener) ? this.#allowed(live) : undefined
        // It changed the password itself, and goes on as somebody who knows the new one.
        if (entry !== undefined) join(principalOf(entry))
        else this.#finish(live, 'revoked')
      })
    }
    join(session.principal)
    this.#schedule(live)
    return () => {
      leave()
      live.listeners.delete(listener)
      this.#schedule(live)
    }
  }

  /** Runs a change of the password by this session's user: it goes on afterwards, all others are over. Resolves when that is durable. */
  async through(session: WebSession, change: () => Promise<void>): Promise<void> {
    const live = this.#live.get(session.id)
    if (live === undefined) throw new RangeError('the session is over')
    const { account } = session.principal
    const { version } = live.record
    const next = (this.#parts.directory.credential(account)?.version ?? 0) + 1
    const write = async (versions: Versions): Promise<void> => {
      live.record = withVersions(live.record, versions)
      const value = encodeRecord(live.record)
      await this.#parts.service.apply(live.mailbox, [
        { op: 'putState', client: STATE_CLIENT, key: KEY_PREFIX + live.record.id, value },
      ])
      await this.#together.post(STAYS, session.id, versions, ENDED_MS)
    }
    // If the process dies on the way, nobody is let through by a change that comes later.
    await write({ version, next: { version: next, until: this.#parts.clock.now() + CHANGE_MS } })
    try {
      await change()
    } catch (error) {
      await write({ version })
      throw error
    }
    await write({ version: next })
  }

  /** All sessions of a mailbox's user that are not over. */
  async list(mailbox: MailboxId, account: string): Promise<readonly SessionRecord[]> {
    const lives = await this.#all(mailbox, account)
    return lives.filter((live) => this.#overOf(live) === undefined).map((live) => live.record)
  }

  /** Ends a session of this mailbox for good, durable when it resolves; false when there is no such one. */
  async end(mailbox: MailboxId, id: string, why: End = 'signedout'): Promise<boolean> {
    const entries = await this.#parts.service.state(mailbox, STATE_CLIENT, KEY_PREFIX + id)
    const there = entries.some(({ key }) => key === KEY_PREFIX + id)
    const live = this.#live.get(id)
    if (live !== undefined && live.mailbox === mailbox) this.#forget(live, why)
    if (!there) return false
    this.#remember(id, why)
    await this.#together.post(ENDED, id, { mailbox, why } satisfies Ended, ENDED_MS)
    await this.#parts.service.apply(mailbox, [{ op: 'deleteState', client: STATE_CLIENT, key: KEY_PREFIX + id }])
    return true
  }

  close(): void {
    this.#unwatch()
    for (const live of this.#live.values()) {
      clearTimeout(live.timer)
      if (live.record.lastAct > live.stored) this.#store(live)
    }
  }

  async #load({ mailbox, id }: Ticket): Promise<Live | undefined> {
    if (this.#ends.has(id) || this.#parts.directory.mailbox(mailbox) === undefined) return undefined
    const entries = await this.#parts.service.state(mailbox, STATE_CLIENT, KEY_PREFIX + id)
    const record = decodeRecord(entries.find(({ key }) => key === KEY_PREFIX + id)?.value)
    // Ended while it was read.
    if (record === undefined || this.#ends.has(id)) return undefined
    return this.#live.get(id) ?? this.#keep(mailbox, record)
  }

  async #all(mailbox: MailboxId, account: string): Promise<Live[]> {
    const out: Live[] = []
    for (const { value } of await this.#parts.service.state(mailbox, STATE_CLIENT, KEY_PREFIX)) {
      const record = decodeRecord(value)
      if (record === undefined || record.account !== account || this.#ends.has(record.id)) continue
      out.push(this.#live.get(record.id) ?? this.#keep(mailbox, record))
    }
    return out
  }

  /** Before a new one: removes those that are over, and the idlest when there are too many. */
  async #tidy(mailbox: MailboxId, account: string): Promise<void> {
    const lives = await this.#all(mailbox, account)
    for (const live of lives) {
      const why = this.#allowed(live) === undefined ? 'revoked' : this.#overOf(live)
      if (why !== undefined) this.#finish(live, why)
    }
    const rest = lives.filter((live) => this.#live.has(live.record.id))
    rest.sort((a, b) => a.record.lastAct - b.record.lastAct)
    for (const live of rest.slice(0, Math.max(0, rest.length - MAX_SESSIONS + 1))) this.#finish(live, 'signedout')
  }

  #keep(mailbox: MailboxId, record: SessionRecord): Live {
    const seen = Math.max(record.lastAct, this.#acts.get(record.id) ?? 0)
    this.#acts.delete(record.id)
    const live: Live = {
      record: { ...record, lastAct: seen },
      mailbox,
      stored: record.lastAct,
      listeners: new Set(),
      timer: undefined,
    }
    this.#live.set(record.id, live)
    this.#schedule(live)
    return live
  }

  #shown(live: Live, principal: Principal, secret: string): WebSession {
    const { record } = live
    return { id: record.id, principal, record, csrf: csrfOf(secret), deadlines: this.#deadlinesOf(live) }
  }

  #deadlinesOf({ record }: Live): Deadlines {
    const inactiveAt = record.lastAct + this.#parts.inactivityMs()
    const limitAt = record.created + HARD_LIMIT_MS
    return { now: this.#parts.clock.now(), inactiveAt, limitAt, warnAt: Math.min(inactiveAt, limitAt) - WARNING_MS }
  }

  #overOf({ record }: Live): End | undefined {
    const { at, why } = endOf(record, this.#parts.inactivityMs())
    return this.#parts.clock.now() >= at ? why : undefined
  }

  /** The user, if he may still hold this session. */
  #allowed({ record, mailbox }: Live): MailboxEntry | undefined {
    const { directory } = this.#parts
    const entry = directory.account(record.account)
    if (entry === undefined || !entry.enabled || !entry.protocols.web || entry.mailbox !== mailbox) return undefined
    const version = directory.credential(record.account)?.version ?? 0
    const { next } = record
    const goesOn = version === next?.version && this.#parts.clock.now() < next.until
    return version === record.version || goesOn ? entry : undefined
  }

  /** The next thing that time alone brings. */
  #schedule(live: Live): void {
    clearTimeout(live.timer)
    const { at } = endOf(live.record, this.#parts.inactivityMs())
    const now = this.#parts.clock.now()
    const warning = at - WARNING_MS
    const due = live.listeners.size > 0 && now < warning ? warning : at
    // A settings change may move the end: looked at once a minute while somebody listens.
    const wait = Math.max(1, Math.min(due - now, live.listeners.size > 0 ? STORED_LAG_MS : HARD_LIMIT_MS))
    live.timer = setTimeout(() => {
      const why = this.#overOf(live)
      if (why !== undefined) return this.#finish(live, why)
      const { at: end } = endOf(live.record, this.#parts.inactivityMs())
      if (this.#parts.clock.now() >= end - WARNING_MS) for (const one of [...live.listeners]) one.moved()
      this.#schedule(live)
    }, wait)
    live.timer.unref()
  }

  #store(live: Live): void {
    const { record, mailbox } = live
    live.stored = record.lastAct
    this.#later(mailbox, [
      { op: 'putState', client: STATE_CLIENT, key: KEY_PREFIX + record.id, value: encodeRecord(record) },
    ])
  }

  #finish(live: Live, why: End): void {
    this.#forget(live, why)
    const { mailbox, record } = live
    this.#quietly(this.#together.post(ENDED, record.id, { mailbox, why, record } satisfies Ended, ENDED_MS))
    this.#later(live.mailbox, [{ op: 'deleteState', client: STATE_CLIENT, key: KEY_PREFIX + live.record.id }])
  }

  #forget(live: Live, why: End): void {
    clearTimeout(live.timer)
    this.#live.delete(live.record.id)
    this.#remember(live.record.id, why, live)
    for (const one of [...live.listeners]) one.ended(why)
    live.listeners.clear()
  }

  #heardAct(id: string, at: number | undefined): void {
    if (at === undefined) return
    const live = this.#live.get(id)
    if (live === undefined) {
      this.#acts.delete(id)
      this.#acts.set(id, at)
      if (this.#acts.size > MAX_REMEMBERED_ENDS)
        for (const oldest of this.#acts.keys()) {
          this.#acts.delete(oldest)
          break
        }
      return
    }
    if (at <= live.record.lastAct) return
    live.record = { ...live.record, lastAct: at }
    this.#schedule(live)
    for (const one of [...live.listeners]) one.moved()
  }
  #heardEnd(id: string, { mailbox, why, record }: Ended): void {
    const live = this.#live.get(id)
    if (live !== undefined && live.mailbox === mailbox) {
      this.#forget(live, why)
      return
    }
    const ended: Live | undefined =
      record === undefined
        ? undefined
        : { record, mailbox, stored: record.lastAct, listeners: new Set(), timer: undefined }
    this.#remember(id, why, ended)
  }
  /** Who does not hear of it learns it from the record. */
  #quietly(told: Promise<void>): void {
    told.catch((error: unknown) => this.#parts.log.warn({ err: error }, 'news of a web session did not reach all'))
  }

  #remember(id: string, why: End, live?: Live): void {
    const byTime = why === 'inactive' || why === 'limit'
    if (!this.#ends.has(id) || live !== undefined) this.#ends.set(id, { why, live: byTime ? live : undefined })
    if (this.#ends.size > MAX_REMEMBERED_ENDS)
      for (const oldest of this.#ends.keys()) {
        this.#ends.delete(oldest)
        break
      }
  }

  /** What need not be waited for: the record says itself when it is over, so a lost write ends nothing late. */
  #later(mailbox: MailboxId, operations: Parameters<MailboxService['apply']>[1]): void {
    this.#parts.service
      .apply(mailbox, operations)
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'the record of a web session was not written'))
  }
}

/** Made from the directory as it is now; the proof was made when the session was opened. */
export function principalOf(entry: MailboxEntry): Principal {
  const { account, address, displayName, mailbox, language } = entry
  return { account, address, displayName, mailbox, language, protocol: 'web', appPassword: undefined }
}
