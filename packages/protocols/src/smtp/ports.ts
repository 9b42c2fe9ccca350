/** What the SMTP sessions need from the rest of the program. `transport` implements `MailIntake`; tests give their own. */
import type {
  Authenticator,
  Clock,
  Directory,
  Logger,
  MailboxEntry,
  Meter,
  Principal,
  QueueRecipient,
  TimerWheel,
  Together,
  Traces,
} from '@postrider/domain'

export interface SmtpServices {
  readonly directory: Directory
  readonly authenticator: Authenticator
  readonly intake: MailIntake
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Logger
  readonly meter: Meter
  /** Whose mail from elsewhere is looked at; default: nobody's. */
  readonly traces?: Traces
  /** The other processes that take connections; default: there are none. */
  readonly together?: Together
}

/** Where accepted mail goes. */
export interface MailIntake {
  /** What can be taken now: `diskFull` and `busy` are told to the client at MAIL already. */
  condition(): 'ready' | 'diskFull' | 'busy'
  /** Whether `size` more bytes fit into a mailbox's quota. May answer from a few seconds ago; the delivery itself decides. */
  hasRoom(entry: MailboxEntry, size: number): boolean | Promise<boolean>
  /**
   * Takes responsibility for a message: resolves `accepted` only after every recipient's share of it is durable, as an item or on the queue.
   * All or nothing: any other answer means that nobody got it.
   */
  accept(mail: InboundMail): Promise<IntakeResult>
}

export interface InboundMail {
  /** Who submitted it; undefined for mail from other servers and relay connectors. */
  readonly principal: Principal | undefined
  /** Reverse path, '' for the null one. */
  readonly from: string
  /** As RCPT gave them, each once: aliases and groups are not expanded yet. */
  readonly recipients: readonly QueueRecipient[]
  /** The message as received, dots unstuffed, nothing added. */
  readonly message: Buffer
  readonly envelopeId: string | undefined
  readonly ret: 'full' | 'hdrs' | undefined
  readonly smtpUtf8: boolean
  readonly trace: SmtpTrace
}

/** For the Received line (RFC 5321 §4.4, RFC 3848). */
export interface SmtpTrace {
  readonly hello: string
  readonly remoteAddress: string
  readonly by: string
  readonly protocol:
    | 'SMTP'
    | 'ESMTP'
    | 'ESMTPS'
    | 'ESMTPA'
    | 'ESMTPSA'
    | 'UTF8SMTP'
    | 'UTF8SMTPS'
    | 'UTF8SMTPA'
    | 'UTF8SMTPSA'
  readonly id: string
}

export type IntakeResult =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'overQuota' | 'diskFull' | 'busy' | 'unavailable' | 'tooLarge' | 'unknownRecipient' }
