import {
  alone,
  type Authenticator,
  type Clock,
  type Connection,
  type Directory,
  type Door,
  type HeldTable,
  type Logger,
  type MailboxEntry,
  type Meter,
  noMeter,
  silentLog,
  systemClock,
  TimerWheel,
  type Together,
} from '@postrider/domain'
import { Pictures } from './pictures/pictures.ts'
import { Session } from './session.ts'
import { defaultImapSettings, type ImapSettings } from './settings.ts'

/** Does work that changes what `member` has of `owner`'s folders; `gives`: it may give a right. */
type Giving = (owner: MailboxEntry, member: MailboxEntry, gives: boolean, work: () => Promise<void>) => Promise<void>

/** What IMAP needs of the world. */
export interface ImapParts {
  readonly door: Door
  readonly directory: Pick<Directory, 'account' | 'mailbox' | 'resolve'>
  readonly authenticator: Authenticator
  readonly held: HeldTable
  /** One for the whole process; idle sessions cost one entry each. */
  readonly wheel?: TimerWheel
  readonly clock?: Clock
  readonly log?: Logger
  readonly meter?: Meter
  /** Keeps true what others note of whose folders they were given, around work that changes it. Default: nobody notes anything. */
  readonly giving?: Giving
  /** The other processes that take connections; default: there are none. */
  readonly together?: Together
}

/** The parts with nothing missing, the settings, and what all sessions share. */
export interface ImapContext {
  readonly door: Door
  readonly directory: ImapParts['directory']
  readonly giving: Giving
  readonly authenticator: Authenticator
  readonly held: HeldTable
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  readonly sessions: SessionCounts
  readonly pictures: Pictures
  settings: ImapSettings
}

/** Who is connected, and how much memory appended messages take: the limits of Set-ImapSettings. */
class SessionCounts {
  readonly all = new Set<Session>()
  readonly #together: Together
  #appending = 0

  constructor(together: Together) {
    this.#together = together
  }

  /** Counts one more session of an account; answers how to leave, undefined when it has its fill. */
  enter(account: string, limit: number): (() => void) | undefined {
    return this.#together.enter('imap account', account, limit)
  }
  /** The same for connections, whoever they are of. */
  connect(limit: number): (() => void) | undefined {
    return this.#together.enter('imap', '', limit)
  }

  /** Sets bytes aside for a message that is about to come; false when too many are on their way. */
  reserve(bytes: number, limit: number): boolean {
    if (this.#appending > 0 && this.#appending + bytes > limit) return false
    this.#appending += bytes
    return true
  }

  release(bytes: number): void {
    this.#appending -= bytes
  }

  /** Bytes set aside now. */
  get appending(): number {
    return this.#appending
  }
}

/** The IMAP server: hand it connections. */
export interface ImapService {
  /** Takes over a connection: sets its handler and greets. */
  accept(connection: Connection): void
  /** Says BYE to everyone, lets running commands finish for `ms`, then closes what is left. */
  drain(ms: number): Promise<void>
  /** Other settings from now on; running sessions keep their timers until these are due. */
  configure(settings: Partial<ImapSettings>): void
  /** Sessions now. */
  readonly size: number
}

/** Memory for folders remembered at the edge: about a hundred of ten thousand mails with what mail programs ask of them. */
const PICTURES_BYTES = 256 * 1024 * 1024

/** How long a client that was told BYE may take to close its side when the server stops, ms. */
const LAST_WORDS_MS = 1_000

/** Makes the server. Its state is in memory only: everything it knows can be asked of the mailbox service again. */
export function createImap(parts: ImapParts, settings: Partial<ImapSettings> = {}): ImapService {
  const context: ImapContext = {
    door: parts.door,
    directory: parts.directory,
    giving: parts.giving ?? ((_owner, _member, _gives, work) => work()),
    authenticator: parts.authenticator,
    held: parts.held,
    clock: parts.clock ?? systemClock,
    wheel: parts.wheel ?? new TimerWheel(parts.clock === undefined ? {} : { clock: parts.clock }),
    log: (parts.log ?? silentLog).child({ protocol: 'imap' }),
    meter: parts.meter ?? noMeter,
    sessions: new SessionCounts(parts.together ?? alone()),
    pictures: new Pictures(PICTURES_BYTES),
    settings: { ...defaultImapSettings, ...settings },
  }
  let draining = false
  return {
    get size() {
      return context.sessions.all.size
    },
    configure(changed) {
      context.settings = { ...context.settings, ...changed }
    },
    accept(connection) {
      const leave = draining ? undefined : context.sessions.connect(context.settings.maxConnections)
      if (leave === undefined) {
        connection.end('* BYE [UNAVAILABLE] The server takes no more connections now\r\n')
        return
      }
      const session = new Session(context, connection, leave)
      connection.handler = session
      session.greet()
    },
    async drain(ms) {
      draining = true
      for (const session of [...context.sessions.all]) session.bye('The server is shutting down', 'UNAVAILABLE')
      const began = context.clock.monotonic()
      while (context.sessions.all.size > 0 && context.clock.monotonic() < began + ms) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        if (context.clock.monotonic() < began + LAST_WORDS_MS) continue
        for (const session of [...context.sessions.all]) if (session.waitsForPeer) session.destroy()
      }
      for (const session of [...context.sessions.all]) session.destroy()
    },
  }
}
