import { DomainError, MAX_READY_BLOCKS, type ReadyBlock, type ReadyRequest } from '@postrider/domain'
import type { MailboxState } from '../mailbox-state.ts'
import { read } from '../sql/read.ts'
import type { Statements } from '../statements.ts'

/** Blocks of ready answers that are kept: see `MailboxService.ready`. */
export function ready(
  connection: Statements,
  mailbox: MailboxState,
  { folder, kind, blocks: [first, last] }: ReadyRequest,
): readonly ReadyBlock[] {
  const { id } = mailbox.folder(folder)
  if (![first, last].every(Number.isSafeInteger)) throw new DomainError('invalid', `blocks ${first} to ${last}`)
  if (last - first >= MAX_READY_BLOCKS) throw new DomainError('tooMany', `blocks ${first} to ${last}`)
  return connection
    .all(read.ready, mailbox.id, id, first, last, kind)
    .map(([block, bytes]) => ({ block: block as number, bytes: bytes as Uint8Array }))
}
