import { isDomainError, mailItem, type NewItem, resultOf } from '@postrider/domain'
import { type AppendMessage, formatInOrder } from '@postrider/wire/imap'
import { no, ok, Refusal } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { flagSet } from '../flags.ts'
import { FolderTree } from '../folders.ts'
import type { Session } from '../session.ts'

/** RFC 9051 §6.3.12, several messages at once by RFC 3502: all or none. APPENDUID: RFC 4315 §3. */
export const append = command({
  name: 'APPEND',
  states: afterLogin,
  updates: 'all',
  looks: true,
  async run(session, { mailbox, messages }) {
    const { appendTo, context, user } = session
    const items = []
    for (const message of messages) {
      items.push(newItem(session, message))
      await session.pace()
    }
    // Asked for when the first message was announced; the answer has come while they were prepared.
    const overview = await (appendTo?.overview ?? user.mailbox.overview())
    const folder = FolderTree.named(overview, context.settings.showHiddenFolders).folder(mailbox, 'TRYCREATE')
    const applied = await user.mailbox
      .apply(items.map((item) => ({ op: 'add', folder: folder.id, item })))
      .catch((error: unknown) => {
        // It has gone since.
        if (!isDomainError(error, 'folderNotFound')) throw error
        throw new Refusal(no('No such mailbox', 'TRYCREATE'))
      })
    const added = items.map((_, index) => resultOf(applied, index, 'add'))
    const uids = formatInOrder(added.map((one) => one.uid))
    return ok('APPEND completed', `APPENDUID ${added[0]?.uidValidity} ${uids}`)
  },
})

/** The item of an appended message: its bytes stay as the client sent them. */
export function newItem(session: Session, message: AppendMessage): NewItem {
  const bytes = message.literal?.bytes ?? new Uint8Array(0)
  // RFC 3502 §6.3.11: an empty literal takes the whole command back.
  if (bytes.length === 0) throw new Refusal(no('Cancelled: an empty message'))
  const { bits, keywords } = flagSet(message.flags)
  const received = message.internalDate ?? session.context.clock.now()
  return mailItem(bytes, { received, flags: bits, keywords })
}
