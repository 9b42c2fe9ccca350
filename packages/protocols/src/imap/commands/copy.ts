import { resultOf } from '@postrider/domain'
import { type CommandOf, formatInOrder } from '@postrider/wire/imap'
import { type Answer, no, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { FolderTree } from '../folders.ts'
import type { Session } from '../session.ts'
import { writable } from './expunge.ts'

/** RFC 9051 §6.4.7, COPYUID of RFC 4315 §3. */
export const copy = command({
  name: 'COPY',
  states: selected,
  updates: 'noExpunge',
  looks: true,
  async run(session, args) {
    const done = await place(session, args, 'copy')
    if (done === undefined) return ok('No messages copied')
    if (done.missing && !args.uid) return no('Some of the messages no longer exist', 'EXPUNGEISSUED')
    return ok('COPY completed', done.copyUid)
  },
})

/** RFC 6851 §3. COPYUID goes out before the EXPUNGEs: §4.3. */
export const move = command({
  name: 'MOVE',
  states: selected,
  capability: 'MOVE',
  updates: 'none',
  async run(session, args): Promise<Answer> {
    writable(session)
    const done = await place(session, args, 'move')
    if (done === undefined) return ok('No messages moved')
    session.out.ascii(`* OK [${done.copyUid}] Moved UIDs\r\n`)
    session.view.noteGone(done.sources)
    await session.update(true, true)
    const { enabled, view } = session
    return ok('MOVE completed', enabled.qresync ? `HIGHESTMODSEQ ${view.highestModSeq}` : undefined)
  },
})

/** All or nothing: one transaction (RFC 9051 §6.4.7). Undefined when no message was there. */
async function place(
  session: Session,
  args: CommandOf<'COPY'> | CommandOf<'MOVE'>,
  op: 'copy' | 'move',
): Promise<{ copyUid: string; sources: Uint32Array; missing: boolean } | undefined> {
  const { view, user } = session
  const tree = FolderTree.named(await user.mailbox.overview(), session.context.settings.showHiddenFolders)
  const to = tree.folder(args.mailbox, 'TRYCREATE')
  const uids = view.uids(view.sequences(args.set, args.uid))
  if (uids.length === 0) return undefined
  const applied = await user.mailbox.apply([{ op, from: view.folder, items: { uids }, to: to.id }])
  const result = resultOf(applied, 0, op)
  if (result.uids.length === 0) return undefined
  const copyUid = `COPYUID ${result.uidValidity} ${formatInOrder(result.sourceUids)} ${formatInOrder(result.uids)}`
  return { copyUid, sources: result.sourceUids, missing: result.uids.length < uids.length }
}
