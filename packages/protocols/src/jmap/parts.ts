import type {
  Agenda,
  Clock,
  Directory,
  Door,
  HeldTable,
  Logger,
  MailboxEntry,
  MailboxService,
  Meter,
  Submitter,
  TimerWheel,
  Together,
  Traces,
} from '@postrider/domain'
import type { Believes } from '@postrider/wire/smime'
import type { PushSender, Vapid } from './webpush/index.ts'

/** What JMAP is made of; the server gives the real ones, tests their own. */
export interface JmapParts {
  readonly door: Door
  readonly directory: Directory
  readonly submitter: Submitter
  readonly held: HeldTable
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  /** Which mailboxes hold something for later; without one every mailbox is looked into at the start. */
  readonly agenda?: Agenda | undefined
  /** Whose requests are looked at; default: nobody's. */
  readonly traces?: Traces
  readonly settings?: Partial<JmapSettings>
  /** The other processes that take requests; default: there are none. */
  readonly together?: Together
  /** False where another process sends what is held, whoever held it. Default: this one does. */
  readonly sendsHeld?: boolean
  /** Whose certificates are believed, asked anew each time. Without it nobody's. */
  readonly believes?: () => Believes
  /** Without it there is no web push. */
  readonly push?: { readonly sender: PushSender; readonly vapid: Vapid }
}

export interface JmapSettings {
  /** Bytes of a message that may be sent or imported. */
  readonly maxMessageSize: number
  /** Whether push addresses may be plain http: for tests and closed networks. */
  readonly pushToPlainHttp: boolean
}

export const defaultJmapSettings: JmapSettings = { maxMessageSize: 36 * 1024 * 1024, pushToPlainHttp: false }

export type { MailboxEntry, MailboxService }
