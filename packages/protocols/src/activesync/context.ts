/**
 * What a command is given: who asks, with which device, in which version, and the doors to the mailbox and the world.
 * Everything of a mailbox goes through `mailbox`, which checks rights on every call.
 */
import type {
  Clock,
  Directory,
  Door,
  HeldTable,
  Logger,
  MailboxHandle,
  Meter,
  Principal,
  Submitter,
  TimerWheel,
  Together,
  Traces,
} from '@postrider/domain'
import type { Quirks } from './quirks.ts'
import type { Settings } from './settings.ts'
import type { DeviceRecord } from './state/device.ts'
import type { EasVersion } from './version.ts'

/** What the server package gives once. */
export interface Deps {
  readonly door: Door
  readonly directory: Directory
  /** How mail leaves (domain/submit.ts): once key, Sent Items copy and further operations in one commit. */
  readonly submitter: Submitter
  readonly held: HeldTable
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  /** Who is looked on at; nobody by default. */
  readonly traces?: Traces
  readonly settings: Settings
  /** The installation's own secret: what seals recovery passwords. */
  readonly secret: Uint8Array
  /** The other processes that take requests; default: there are none. */
  readonly together?: Together
}

export interface Context {
  readonly deps: Deps
  readonly principal: Principal
  /** The principal's own mailbox. */
  readonly mailbox: MailboxHandle
  readonly version: EasVersion
  /** True when the client's version is this one or newer. */
  since(version: EasVersion): boolean
  /** The partnership as it was when the request began; change it with `saveDevice` of state/device.ts. */
  readonly device: DeviceRecord
  readonly quirks: Quirks
  /** Runs work of this device one at a time: everything that reads and writes its sync states. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Carries device, command and version; never contents. */
  readonly log: Logger
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
}
