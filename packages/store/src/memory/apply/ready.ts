import {
  DomainError,
  MAX_READY_BLOCKS,
  MAX_READY_BYTES,
  MAX_READY_KIND,
  MAX_READY_KINDS,
  type Operation,
  READY_UIDS,
  readyBlockOf,
} from '@postrider/domain'
import type { Context } from './index.ts'

export function keepReady(
  { mailbox, transaction }: Context,
  { folder: id, kind, blocks }: Extract<Operation, { op: 'keepReady' }>,
): undefined {
  const folder = mailbox.folder(id)
  if (blocks.length > MAX_READY_BLOCKS) throw new DomainError('tooMany', `${blocks.length} blocks`)
  if (kind.length > MAX_READY_KIND) throw new DomainError('invalid', 'the name of a kind')
  for (const { block, mails, bytes } of blocks) {
    if (!Number.isSafeInteger(block) || block < 0) throw new DomainError('invalid', `block ${block}`)
    if ((block + 1) * READY_UIDS > folder.uidNext || bytes.length > MAX_READY_BYTES) continue
    const here = [...folder.rows.values()].filter((row) => !row.associated && readyBlockOf(row.uid) === block)
    if (here.length !== mails) continue
    const kept = { block, kind, at: transaction.now, bytes: new Uint8Array(bytes) }
    transaction.set(folder.ready, `${block} ${kind}`, kept)
  }
  const newest = new Map<string, number>()
  for (const one of folder.ready.values()) newest.set(one.kind, Math.max(one.at, newest.get(one.kind) ?? 0))
  const kinds = [...newest].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name)
  for (const old of kinds.slice(MAX_READY_KINDS)) {
    for (const [key, one] of folder.ready) if (one.kind === old) transaction.delete(folder.ready, key)
  }
}
