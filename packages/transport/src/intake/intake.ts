/**
 * The two doors into the transport: `accept` for the SMTP server (mail from outside, submissions, relays) and `submit` for every other
 * protocol. Both end in the one commit of `commit.ts`.
 */
import {
  DomainError,
  type DomainCode,
  type MailboxEntry,
  type MailboxId,
  type Principal,
  type QueueRecipient,
  type Submission,
  type SubmitRefusal,
  type SubmitResult,
} from '@postrider/domain'
import { parseMailbox } from '@postrider/wire/smtp'
import type { TransportCore } from '../core.ts'
import type { DeliveryHook } from '../queue/local.ts'
import { commitJob, type Committed, type CommitRequest } from './commit.ts'
import type { Job } from './job.ts'
import { type Plan, planRecipients } from './plan.ts'
import { prefixed, receivedField, repairSubmission, returnPathField, type Trace } from './trace.ts'

/** Mail as the SMTP server hands it over. */
export interface InboundMail {
  readonly principal: Principal | undefined
  readonly from: string
  readonly recipients: readonly QueueRecipient[]
  readonly message: Buffer
  readonly envelopeId: string | undefined
  readonly ret: 'full' | 'hdrs' | undefined
  readonly trace: Trace
}

export type IntakeOutcome =
  | 'accepted'
  | 'overQuota'
  | 'diskFull'
  | 'busy'
  | 'unavailable'
  | 'tooLarge'
  | 'unknownRecipient'

/** After a full disk or a busy owner, new mail is refused early for so long (ms); then the next one tries again. */
const CONDITION_MS = 3000
/** How long a mailbox's fill is believed (ms). */
const ROOM_MS = 3000
const MAX_ROOMS = 10_000

export class Intake {
  readonly #core: TransportCore
  readonly #hook: DeliveryHook
  readonly #track: (work: Promise<void>) => void
  readonly #rooms = new Map<MailboxId, { free: number; at: number }>()
  #trouble: { condition: 'diskFull' | 'busy'; at: number } | undefined
  #submissions = 0

  /** `track` keeps an eye on work that goes on after an answer. */
  constructor(core: TransportCore, hook: DeliveryHook, track: (work: Promise<void>) => void) {
    this.#core = core
    this.#hook = hook
    this.#track = track
  }

  condition(): 'ready' | 'diskFull' | 'busy' {
    const trouble = this.#trouble
    if (trouble === undefined || this.#core.clock.monotonic() - trouble.at > CONDITION_MS) return 'ready'
    return trouble.condition
  }

  hasRoom(entry: MailboxEntry, size: number): boolean | Promise<boolean> {
    // What the mailbox wants done with the mail is known by the time its text is here.
    void this.#core.wishes.of(entry.mailbox)
    const known = this.#rooms.get(entry.mailbox)
    if (known !== undefined && this.#core.clock.monotonic() - known.at < ROOM_MS) return known.free > size
    return this.#readRoom(entry.mailbox, size)
  }

  async #readRoom(mailbox: MailboxId, size: number): Promise<boolean> {
    try {
      const { quota, usedBytes } = await this.#core.service.info(mailbox)
      const free = quota === undefined ? Number.POSITIVE_INFINITY : quota - usedBytes
      if (this.#rooms.size >= MAX_ROOMS) this.#rooms.clear()
      this.#rooms.set(mailbox, { free, at: this.#core.clock.monotonic() })
      return free > size
    } catch {
      // Not for RCPT to decide: the delivery will say what is wrong.
      return true
    }
  }

  /** Takes a message from SMTP; `accepted` once every recipient's share is durable, otherwise nobody has it. */
  async accept(mail: InboundMail): Promise<{ outcome: IntakeOutcome }> {
    const { clock, directory, meter } = this.#core
    const now = clock.now()
    const plan = planRecipients(mail.recipients, directory)
    if (
      plan.local.length === 0 &&
      plan.remote.size === 0 &&
      (mail.principal === undefined || plan.unknown.length === 0)
    )
      return { outcome: 'unknownRecipient' }
    const { principal } = mail
    const message = principal === undefined ? mail.message : repairSubmission(mail.message, principal, directory, now)
    const addresses = mail.recipients.map((one) => one.address)
    const trace = returnPathField(mail.from) + receivedField(mail.trace, addresses, now)
    const { from, envelopeId, ret } = mail
    const job: Job = { from, envelopeId, ret, bytes: prefixed(trace, message), received: now }
    try {
      const committed = await this.#commitSomewhere(job, plan, principal)
      await committed.rest()
      meter.count('transport_messages_total', { by: principal === undefined ? 'smtp' : 'submission' })
      return { outcome: 'accepted' }
    } catch (error) {
      const outcome = this.#outcomeOf(error)
      this.#core.log.warn({ err: error, outcome, id: mail.trace.id }, 'message not taken')
      return { outcome }
    }
  }

  /** Puts it into the first mailbox that takes it: the sender's, a recipient's, or the system's. */
  async #commitSomewhere(job: Job, plan: Plan, principal: Principal | undefined): Promise<Committed> {
    const homes = homesOf(this.#core, plan, principal)
    if (homes.length === 0) throw new DomainError('unavailable', 'no mailbox to hold the queue')
    const full = new Set<string>()
    let failure: unknown
    for (const home of homes) {
      try {
        return await this.#commit({ job, plan, home, full })
      } catch (error) {
        failure = error
        // Another home may do for this mailbox's own troubles; a full disk or a stopped service is everybody's.
        if (!(error instanceof DomainError) || (error.code !== 'overQuota' && error.code !== 'mailboxNotFound')) break
        const entry = this.#core.directory.mailbox(home)
        if (error.code === 'overQuota') this.#rooms.set(home, { free: 0, at: this.#core.clock.monotonic() })
        if (entry !== undefined) full.add(entry.account)
      }
    }
    throw failure
  }

  /** Commits to a home; a sender whose own Inbox is full still sends. */
  async #commit(request: CommitRequest): Promise<Committed> {
    try {
      return await commitJob(this.#core, request, this.#hook)
    } catch (error) {
      this.#note(error)
      throw error
    }
  }

  /** See `Submitter` of the domain. */
  async submit(submission: Submission): Promise<SubmitResult> {
    const refused = this.#objection(submission)
    if (refused !== undefined) return refused
    const { principal, from, recipients } = submission
    const { clock, directory, settings, meter } = this.#core
    const now = clock.now()
    const id = `${now.toString(36)}-${(++this.#submissions).toString(36)}`
    const trace = { hello: '', remoteAddress: '', by: settings.fqdn, protocol: principal.protocol, id }
    const message = Buffer.from(submission.message.buffer, submission.message.byteOffset, submission.message.byteLength)
    const fields = returnPathField(from) + receivedField(trace, [], now)
    const job: Job = { from, envelopeId: undefined, ret: undefined, bytes: prefixed(fields, message), received: now }
    const plan = planRecipients(recipients, directory)
    try {
      const save = await this.#save(submission)
      const { once, also } = submission
      const request = { job, plan, home: principal.mailbox, once, also, save }
      const committed = await this.#commit(request).catch((error: unknown) => {
        // The sender is a recipient too, and full: that copy becomes a report, unless it is the saved one that did not fit.
        if (!(error instanceof DomainError) || error.code !== 'overQuota' || save !== undefined) throw error
        return this.#commit({ ...request, full: new Set([principal.account]) })
      })
      this.#track(committed.rest())
      meter.count('transport_messages_total', { by: principal.protocol })
      return { ok: true, saved: committed.saved, also: committed.also }
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      return { ok: false, reason: refusalOf[error.code], detail: error.message }
    }
  }

  #objection({ principal, from, recipients, message }: Submission): SubmitResult | undefined {
    const { directory, settings } = this.#core
    const no = (reason: SubmitRefusal, detail: string): SubmitResult => ({ ok: false, reason, detail })
    if (recipients.length === 0) return no('noRecipient', '')
    const invalid = recipients.map((one) => one.address).filter((address) => parseMailbox(address) === undefined)
    if (invalid.length > 0) return { ok: false, reason: 'recipientInvalid', detail: '', recipients: invalid }
    if (recipients.length > settings.maxRecipients) return no('tooManyRecipients', String(recipients.length))
    if (message.length > settings.maxMessageSize) return no('tooLarge', String(message.length))
    if (from !== '' && directory.maySendAs(principal.account, from) === 'no') return no('senderRefused', from)
    return undefined
  }

  async #save({ principal, save, message }: Submission): Promise<CommitRequest['save']> {
    if (save === undefined) return undefined
    const folder =
      save.folder === 'sentitems' ? await this.#core.folders.find(principal.mailbox, 'sentitems') : save.folder
    return { folder, bytes: save.message ?? message, flags: save.flags ?? 0 }
  }

  #note(error: unknown): void {
    if (!(error instanceof DomainError) || (error.code !== 'diskFull' && error.code !== 'busy')) return
    this.#trouble = { condition: error.code, at: this.#core.clock.monotonic() }
  }

  #outcomeOf(error: unknown): Exclude<IntakeOutcome, 'accepted'> {
    if (!(error instanceof DomainError)) return 'unavailable'
    return outcomeOf[error.code]
  }
}

/** Mailboxes that may hold the commit, best first. */
function homesOf(core: TransportCore, plan: Plan, principal: Principal | undefined): MailboxId[] {
  const homes = new Set<MailboxId>()
  if (principal !== undefined) homes.add(principal.mailbox)
  for (const { entry } of plan.local) homes.add(entry.mailbox)
  // Only what has no recipient inside needs a mailbox that is nobody's.
  if (plan.remote.size > 0) {
    const system = core.systemMailbox()
    if (system !== undefined) homes.add(system)
  }
  return [...homes]
}

const outcomeOf = {
  mailboxNotFound: 'unavailable',
  folderNotFound: 'unavailable',
  folderExists: 'unavailable',
  folderNotEmpty: 'unavailable',
  folderSpecial: 'unavailable',
  folderCycle: 'unavailable',
  nameInvalid: 'unavailable',
  itemGone: 'unavailable',
  blobGone: 'unavailable',
  overQuota: 'overQuota',
  tooLarge: 'tooLarge',
  tooMany: 'unavailable',
  accessDenied: 'unavailable',
  conflict: 'unavailable',
  duplicate: 'unavailable',
  invalid: 'unavailable',
  moved: 'unavailable',
  diskFull: 'diskFull',
  busy: 'busy',
  unavailable: 'unavailable',
  corrupt: 'unavailable',
} as const satisfies Record<DomainCode, Exclude<IntakeOutcome, 'accepted'>>

const refusalOf = {
  mailboxNotFound: 'later',
  folderNotFound: 'sourceGone',
  folderExists: 'sourceGone',
  folderNotEmpty: 'sourceGone',
  folderSpecial: 'sourceGone',
  folderCycle: 'sourceGone',
  nameInvalid: 'sourceGone',
  itemGone: 'sourceGone',
  blobGone: 'sourceGone',
  overQuota: 'mailboxFull',
  tooLarge: 'tooLarge',
  tooMany: 'later',
  accessDenied: 'senderRefused',
  conflict: 'sourceGone',
  duplicate: 'duplicate',
  invalid: 'sourceGone',
  moved: 'later',
  diskFull: 'later',
  busy: 'later',
  unavailable: 'later',
  corrupt: 'later',
} as const satisfies Record<DomainCode, SubmitRefusal>
