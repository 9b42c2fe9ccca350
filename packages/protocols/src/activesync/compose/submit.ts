/** One mail out through the submitter, with the marks it leaves; and the keys that keep a repeated request from sending twice. */
import type { Operation, Submission } from '@postrider/domain'
import type { Context } from '../context.ts'
import { Status, StatusError } from '../status.ts'
import type { Outgoing } from './outgoing.ts'
import { submitStatus } from './status.ts'

/** How long a ClientId is remembered: longer than a phone that was off keeps trying. */
export const SENT_MEMORY_MS = 7 * 24 * 60 * 60 * 1000

/** The once key of a ComposeMail ClientId: per device, for another device may count from the same number. */
export const clientIdKey = (context: Context, clientId: string): string => `eas/send/${context.device.id}/${clientId}`

export interface SendOptions {
  readonly save: boolean
  readonly once: string | undefined
  /** Marks on the original. They are let go of when the original is gone by now: the mail matters more. */
  readonly also: readonly Operation[]
}

/** The submission of an outgoing mail. */
export const submissionOf = (
  context: Context,
  { from, recipients, message, copy }: Outgoing,
  { save, once }: Pick<SendOptions, 'save' | 'once'>,
): Omit<Submission, 'also'> => ({
  principal: context.principal,
  from,
  recipients,
  message,
  save: save ? { folder: 'sentitems', message: copy } : undefined,
  once: once === undefined ? undefined : { key: once, keepMs: SENT_MEMORY_MS },
})

/** Sends; 'sent', or 'duplicate' when the key was seen. Throws StatusError for every other refusal. */
export async function sendMail(
  context: Context,
  outgoing: Outgoing,
  options: SendOptions,
): Promise<'sent' | 'duplicate'> {
  const submission = submissionOf(context, outgoing, options)
  const { submitter } = context.deps
  let result = await submitter.submit({ ...submission, also: options.also })
  if (!result.ok && result.reason === 'sourceGone' && options.also.length > 0) {
    context.log.info({}, 'the original is gone; the mail goes without marks on it')
    result = await submitter.submit(submission)
  }
  if (result.ok) return 'sent'
  context.log.info({ reason: result.reason, detail: result.detail }, 'the mail was not taken')
  if (result.reason === 'duplicate') return 'duplicate'
  throw new StatusError(result.reason === 'sourceGone' ? Status.MailSubmissionFailed : submitStatus(result.reason))
}
