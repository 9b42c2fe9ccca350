/**
 * Submissions, sent at once or held on the server until their time: undo send and send later. A held one lies in the mailbox with its own
 * copy of the message; at its time it is marked final and handed over in one transaction, so it leaves once, whatever happens in between.
 */
import {
  DomainError,
  type MailboxEntry,
  type MailboxHandle,
  type Operation,
  type Principal,
  type SubmitRefusal,
  type Timed,
  timed,
} from '@postrider/domain'
import { SetError, type SetErrorType } from '../core/error.ts'
import type { Jmap } from '../service.ts'
import type { Stored } from '../store/records.ts'
import { type Envelope, type Outgoing, submissionOf } from './outgoing.ts'

export const SUBMISSION = 'submission'
/** Where the copies of held messages lie: `outbox`, `<submission>/<n>`. */
const OUTBOX = 'jmap-outbox'
const CHUNK = 4 * 1024 * 1024
/** A held mail that could not leave for a reason that passes is tried again. */
const AGAIN_MS = 60_000
const ONCE_MS = 40 * 24 * 60 * 60 * 1_000

export interface SubmissionValue {
  readonly identityId: string
  readonly emailId: string
  readonly threadId: string
  readonly envelope: Envelope
  /** ms */
  readonly sendAt: number
  readonly undoStatus: 'pending' | 'final' | 'canceled'
  /** What was answered for each recipient; null while it is pending. */
  readonly reply: string | null
  /** Makes the key under which it can leave only once. */
  readonly nonce: string
}

export const refusalOf = {
  duplicate: 'forbiddenToSend',
  noRecipient: 'noRecipients',
  recipientInvalid: 'invalidRecipients',
  senderRefused: 'forbiddenMailFrom',
  tooLarge: 'tooLarge',
  tooManyRecipients: 'tooManyRecipients',
  mailboxFull: 'overQuota',
  throttled: 'rateLimit',
  sourceGone: 'serverFail',
  later: 'serverFail',
} as const satisfies Record<SubmitRefusal, SetErrorType>

const passing: ReadonlySet<SubmitRefusal> = new Set<SubmitRefusal>(['later', 'throttled', 'mailboxFull'])

export const ACCEPTED = '250 2.0.0 queued'

export class Outbox {
  readonly #jmap: Jmap
  readonly #waiting = new Map<string, Timed>()
  #stopped = false

  constructor(jmap: Jmap) {
    this.#jmap = jmap
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Takes up what is held in one mailbox; answers how many. */
  async takeUp(entry: MailboxEntry, handle: MailboxHandle): Promise<number> {
    const { records } = await this.#jmap.records.read<SubmissionValue>(handle, SUBMISSION)
    const pending = records.filter((one) => one.value.undoStatus === 'pending')
    for (const one of pending) this.wait(entry, one.id, one.value.sendAt)
    return pending.length
  }

  stop(): void {
    this.#stopped = true
    for (const entry of this.#waiting.values()) this.#jmap.parts.wheel.remove(entry)
    this.#waiting.clear()
  }

  /** Hands a message over now; `also` is done in the same transaction. Raises SetError. */
  async send(
    principal: Principal,
    outgoing: Pick<Outgoing, 'envelope' | 'message'>,
    also: readonly Operation[],
  ): Promise<void> {
    const result = await this.#jmap.parts.submitter.submit({
      ...submissionOf(principal, outgoing),
      once: undefined,
      also,
    })
    if (result.ok) return
    const fields = result.recipients === undefined ? {} : { invalidRecipients: result.recipients }
    throw new SetError(refusalOf[result.reason], result.detail === '' ? undefined : result.detail, fields)
  }

  /** The operations that keep a copy of a held message. */
  keep(nonce: string, message: Uint8Array): Operation[] {
    const out: Operation[] = []
    for (let at = 0; at < message.length; at += CHUNK)
      out.push({
        op: 'putState',
        client: OUTBOX,
        key: chunkKey(nonce, at / CHUNK),
        value: message.subarray(at, at + CHUNK),
      })
    return out
  }
  forget(nonce: string): Operation {
    return { op: 'deleteState', client: OUTBOX, prefix: `${nonce}/` }
  }

  /** Waits for the time of a held submission. */
  wait(entry: Pick<MailboxEntry, 'mailbox' | 'account'>, id: string, sendAt: number): void {
    if (this.#stopped || this.#jmap.leavesToAnother(entry.mailbox)) return
    const { wheel, clock } = this.#jmap.parts
    const key = `${entry.mailbox}/${id}`
    const known = this.#waiting.get(key)
    if (known !== undefined) wheel.remove(known)
    const waiting = timed(() => {
      this.#waiting.delete(key)
      void this.#due(entry, id)
    })
    this.#waiting.set(key, waiting)
    wheel.add(waiting, Math.max(0, sendAt - clock.now()))
  }

  async #due(entry: Pick<MailboxEntry, 'mailbox' | 'account'>, id: string): Promise<void> {
    const { log, clock } = this.#jmap.parts
    try {
      if (!(await this.#release(entry, id))) this.wait(entry, id, clock.now() + AGAIN_MS)
    } catch (error) {
      log.error({ account: entry.account, submission: id, err: error }, 'a held mail did not leave: tried again')
      this.wait(entry, id, clock.now() + AGAIN_MS)
    }
  }

  /** Sends a held submission; false when it is to be tried again. */
  async #release({ account }: Pick<MailboxEntry, 'account'>, id: string): Promise<boolean> {
    const entry = this.#jmap.parts.directory.account(account)
    if (entry === undefined) return true
    if (!entry.enabled) return false
    const handle = await this.#jmap.openAs(entry)
    const { records } = this.#jmap
    let again = false
    const finish = (
      reply: string,
      send:
        | ((found: Stored<SubmissionValue>, message: Uint8Array, operations: readonly Operation[]) => Promise<void>)
        | undefined,
    ) => {
      let found: Stored<SubmissionValue> | undefined
      let message: Uint8Array = new Uint8Array(0)
      return records.write<SubmissionValue, void>(
        handle,
        SUBMISSION,
        async ({ kept, put, also }) => {
          found = kept.records.find((one) => one.id === id)
          if (found === undefined || found.value.undoStatus !== 'pending') {
            found = undefined
            return
          }
          message = await this.#message(handle, found.value.nonce)
          put(id, { ...found.value, undoStatus: 'final', reply })
          also(this.forget(found.value.nonce))
        },
        (operations) =>
          found === undefined || send === undefined ? handle.apply(operations) : send(found, message, operations),
      )
    }
    try {
      await finish(ACCEPTED, async (found, message, operations) => {
        const result = await this.#jmap.parts.submitter.submit({
          ...submissionOf(handle.principal, { envelope: found.value.envelope, message }),
          once: { key: `jmap/send/${found.value.nonce}`, keepMs: ONCE_MS },
          also: operations,
        })
        if (!result.ok) throw new Refused(result.reason, result.detail)
      })
    } catch (error) {
      if (error instanceof DomainError) throw error
      if (!(error instanceof Refused)) throw error
      again = passing.has(error.reason)
      this.#jmap.parts.log.warn({ account, submission: id, reason: error.reason }, 'a held mail was refused')
      if (!again) await finish(`550 5.0.0 ${error.reason}`, undefined)
    }
    this.#jmap.changed(handle.mailbox, 'EmailSubmission')
    return !again
  }

  async #message(handle: MailboxHandle, nonce: string): Promise<Uint8Array> {
    const entries = [...(await handle.state(OUTBOX, `${nonce}/`))].sort((a, b) => (a.key < b.key ? -1 : 1))
    return Buffer.concat(entries.map((one) => one.value))
  }
}

const chunkKey = (nonce: string, n: number): string => `${nonce}/${String(n).padStart(4, '0')}`

class Refused extends Error {
  override readonly name = 'Refused'
  readonly reason: SubmitRefusal
  constructor(reason: SubmitRefusal, detail: string) {
    super(detail)
    this.reason = reason
  }
}
