import {
  DomainError,
  MAX_READY_BLOCKS,
  MAX_READY_BYTES,
  MAX_READY_KIND,
  MAX_READY_KINDS,
  type NewReadyBlock,
  READY_UIDS,
  readyBlockOf,
} from '@postrider/domain'
import type { FolderRow, MsgRow } from '../rows.ts'
import { read } from '../sql/read.ts'
import { write } from '../sql/write.ts'
import { stretches } from '../stretches.ts'
import type { Context, Of } from './context.ts'

export function keepReady(
  { connection, mailbox, now }: Context,
  { folder: id, kind, blocks }: Of<'keepReady'>,
): undefined {
  const folder = mailbox.folder(id)
  if (blocks.length > MAX_READY_BLOCKS) throw new DomainError('tooMany', `${blocks.length} blocks`)
  if (kind.length > MAX_READY_KIND) throw new DomainError('invalid', 'the name of a kind')
  const whole = blocks.filter((one) => keeps(one, folder))
  const counts = connection.many(
    read.mailsBetween,
    whole.map(({ block }) => [mailbox.id, folder.id, block * READY_UIDS, (block + 1) * READY_UIDS - 1]),
  )
  for (const [i, { block, mails, bytes }] of whole.entries()) {
    // A mail that went meanwhile took the block with it: it must not come back.
    if (counts[i]?.[0] === mails) connection.run(write.putReady, mailbox.id, folder.id, block, kind, now, bytes)
  }
  const kinds = connection.all(read.readyKinds, mailbox.id, folder.id)
  for (const [old] of kinds.slice(MAX_READY_KINDS)) {
    connection.run(write.removeReadyKind, mailbox.id, folder.id, old as string)
  }
}

/** No mail can come into the block any more, and its value is no larger than what is kept. */
function keeps({ block, bytes }: NewReadyBlock, folder: FolderRow): boolean {
  if (!Number.isSafeInteger(block) || block < 0) throw new DomainError('invalid', `block ${block}`)
  return (block + 1) * READY_UIDS <= folder.uidNext && bytes.length <= MAX_READY_BYTES
}

/** Mails (ascending by UID) leave their folder: nothing of them stays. */
export function forgetReady(
  { connection, mailbox }: Pick<Context, 'connection' | 'mailbox'>,
  folder: FolderRow,
  rows: readonly Pick<MsgRow, 'uid'>[],
): void {
  const blocks = new Set(rows.map(({ uid }) => readyBlockOf(uid)))
  for (const { first, last } of stretches([...blocks]))
    connection.run(write.removeReady, mailbox.id, folder.id, first, last)
}
