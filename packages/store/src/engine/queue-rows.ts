import type { BlobRef, MailboxId, QueueEntry, QueueRecipient } from '@postrider/domain'
import type { Row } from './statements.ts'

/** Queue ids are unique over all databases of a home: the low digits are the number of the database. */
const DATABASES = 4_096
export const queueId = (n: number, database: number): number => n * DATABASES + database

type Body = Pick<
  QueueEntry,
  'from' | 'recipients' | 'envelopeId' | 'ret' | 'size' | 'smtputf8' | 'eightBit' | 'lastError' | 'delayNotified'
>

/** The part of an entry that is never searched for, as JSON. */
export const bodyOf = (entry: Body): string => {
  const { from, recipients, envelopeId, ret, size, smtputf8, eightBit, lastError, delayNotified } = entry
  return JSON.stringify({ from, recipients, envelopeId, ret, size, smtputf8, eightBit, lastError, delayNotified })
}

/** An entry from its row: id, mbx, dest, due, lease, held, expires, created, attempts, blob, body. */
export function queueEntry(row: Row, refOf: (blob: number) => BlobRef): QueueEntry {
  const body = JSON.parse(row[10] as string) as Omit<Body, 'recipients'> & { readonly recipients: QueueRecipient[] }
  return {
    id: row[0] as number,
    mailbox: row[1] as MailboxId,
    destination: row[2] as string,
    due: row[3] as number,
    leasedUntil: row[4] as number,
    held: row[5] === 1,
    expires: row[6] as number,
    created: row[7] as number,
    attempts: row[8] as number,
    original: refOf(row[9] as number),
    ...body,
  }
}
