import { DomainError, MAX_READY_BLOCKS, type ReadyBlock, type ReadyRequest } from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'

/** Blocks of ready answers that are kept: see `MailboxService.ready`. */
export function ready(mailbox: Mailbox, { folder, kind, blocks: [first, last] }: ReadyRequest): readonly ReadyBlock[] {
  const kept = mailbox.folder(folder).ready
  if (![first, last].every(Number.isSafeInteger)) throw new DomainError('invalid', `blocks ${first} to ${last}`)
  if (last - first >= MAX_READY_BLOCKS) throw new DomainError('tooMany', `blocks ${first} to ${last}`)
  return [...kept.values()]
    .filter((one) => one.kind === kind && one.block >= first && one.block <= last)
    .map(({ block, bytes }) => ({ block, bytes: new Uint8Array(bytes) }))
    .sort((a, b) => a.block - b.block)
}
