import { resultOf } from '@postrider/domain'
import { countRanges } from '@postrider/wire/imap'
import { bad, no, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { FolderTree } from '../folders.ts'
import { newItem } from './append.ts'
import { writable } from './expunge.ts'

/** RFC 8508: the new message is there and the old one gone, or nothing happened. APPENDUID goes out before the EXPUNGE (§3.3). */
export const replace = command({
  name: 'REPLACE',
  states: selected,
  capability: 'REPLACE',
  updates: 'none',
  async run(session, args) {
    writable(session)
    const { view, user } = session
    const sequences = view.sequences(args.set, args.uid)
    if (countRanges(sequences) > 1) return bad('REPLACE names one message')
    const uids = view.uids(sequences)
    if (uids.length === 0) return no('No such message', 'EXPUNGEISSUED')
    const tree = await FolderTree.of(user.mailbox, session.context.settings.showHiddenFolders)
    const folder = tree.folder(args.mailbox, 'TRYCREATE')
    const item = newItem(session, args.message)
    const applied = await user.mailbox.apply([
      { op: 'add', folder: folder.id, item },
      { op: 'remove', folder: view.folder, items: { uids } },
    ])
    const added = resultOf(applied, 0, 'add')
    const removed = resultOf(applied, 1, 'remove').uids
    session.out.ascii(`* OK [APPENDUID ${added.uidValidity} ${added.uid}] Replacement message stored\r\n`)
    view.noteGone(removed)
    await session.update(true, true)
    return ok('REPLACE completed')
  },
})
