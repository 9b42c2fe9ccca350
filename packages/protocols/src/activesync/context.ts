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
  Operation,
  Principal,
  TimerWheel,
} from '@postrider/domain'
import type { Quirks } from './quirks.ts'
import type { Settings } from './settings.ts'
import type { DeviceRecord } from './state/device.ts'
import type { EasVersion } from './version.ts'

/** One mail to send. */
export interface Outgoing {
  /** The whole RFC 5322 message as it is to leave, Bcc header already out. */
  readonly bytes: Uint8Array
  /** Envelope recipients, each once. */
  readonly recipients: readonly string[]
  /** Envelope sender: an address the principal may send as. */
  readonly from: string
}

/**
 * How mail leaves. The operations go into the same `apply` as everything else the command writes (the copy in Sent Items,
 * the `once` of its ClientId, the source's \Answered), so that a mail is sent exactly when its effects are stored.
 */
export interface Submission {
  /**
   * The operations that submit the mail. `original` names the operation of the same list that adds the copy in Sent Items,
   * so that the bytes are stored once; without it they are given along.
   * Rejects with DomainError `tooLarge`, `tooMany` (recipients), `accessDenied` (may not send as `from`).
   */
  operations(principal: Principal, mail: Outgoing, original?: { operation: number }): Promise<readonly Operation[]>
  /** Told after the commit: delivery may begin at once. */
  submitted(principal: Principal): void
}

/** What the server package gives once. */
export interface Deps {
  readonly door: Door
  readonly directory: Directory
  readonly submission: Submission
  readonly held: HeldTable
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  readonly settings: Settings
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
  /** Carries device, command and version; never contents. */
  readonly log: Logger
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
}
