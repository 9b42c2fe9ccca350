import type { BlobRef, MailboxId } from '@postrider/domain'
import { parseRef } from '../../blobs/index.ts'
import { write } from '../sql/write.ts'
import { read } from '../sql/read.ts'
import type { Statements } from '../statements.ts'
import { ARRIVED, moveSql } from './tables.ts'

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

/** Whether a reference was given by this database; what is no reference at all is not asked about here. */
const isOwn = (database: number, ref: BlobRef): boolean =>
  typeof ref !== 'string' || ref.startsWith(`${database.toString(36)}-`)

/**
 * The reference of this database for one that the database gave where the mailbox lived before: who got it there, a moment before the move, may
 * still use it. Others come back as they are.
 */
export function currentRef(connection: Statements, database: number, mailbox: number, ref: BlobRef): BlobRef {
  if (isOwn(database, ref)) return ref
  const value = connection.get(moveSql.arrived, mailbox, ARRIVED, ref)?.[0]
  return value instanceof Uint8Array ? (fromUtf8.decode(value) as BlobRef) : ref
}

/** The reference under which an original of the other database lies here, if it does. */
export function arrivedRef(
  connection: Statements,
  database: number,
  mailbox: MailboxId,
  ref: BlobRef,
): BlobRef | undefined {
  const own = currentRef(connection, database, mailbox, ref)
  if (own === ref) return undefined
  const { id, size, crc } = parseRef(database, own)
  const row = connection.get(read.blob, id)
  return row !== undefined && row[3] === size && row[4] === crc ? own : undefined
}

/** Remembers what a reference of the other database stands for. */
export function noteArrived(connection: Statements, mailbox: MailboxId, ref: BlobRef, own: BlobRef): void {
  connection.run(write.putState, mailbox, ARRIVED, ref, utf8.encode(own))
}
