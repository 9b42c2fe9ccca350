/** One message on its way in: the envelope, its stored form, and the facts the queue needs to know about it. */
import { isAscii } from 'node:buffer'
import type { NewQueueEntry, QueueRecipient } from '@postrider/domain'
import { bodyStartOf } from '@postrider/wire/mime'
import type { TransportSettings } from '../settings.ts'
import { withoutReturnPath } from './trace.ts'

export interface Job {
  /** '' for the null reverse path. */
  readonly from: string
  readonly envelopeId: string | undefined
  readonly ret: 'full' | 'hdrs' | undefined
  /** Return-Path, Received and the message. */
  readonly bytes: Buffer
  readonly received: number
}

/** A queue row for some recipients of the job. */
export function queueRow(
  job: Job,
  destination: string,
  recipients: readonly QueueRecipient[],
  settings: TransportSettings,
  due: number,
): NewQueueEntry {
  const message = withoutReturnPath(job.bytes)
  const header = message.subarray(0, bodyStartOf(message, 0, message.length))
  const addresses = [job.from, ...recipients.map((one) => one.address)].join('')
  return {
    from: job.from,
    recipients,
    destination,
    envelopeId: job.envelopeId,
    ret: job.ret,
    size: message.length,
    smtputf8: !isAscii(header) || !isAscii(Buffer.from(addresses, 'utf8')),
    eightBit: !isAscii(message),
    due,
    expires: job.received + settings.messageExpirationTimeout,
  }
}
