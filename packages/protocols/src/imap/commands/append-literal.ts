import { DomainError } from '@postrider/domain'
import { parsePrefix, type ReceiverEvent } from '@postrider/wire/imap'
import { type Answer, answerOf, bad, no, Refusal } from '../codes.ts'
import { FolderTree } from '../folders.ts'
import type { Session } from '../session.ts'

/**
 * Judges a message before a byte of it is accepted: login, syntax, mailbox, size (RFC 7889), quota (RFC 9208 §5.1), memory. Answers the
 * refusal, or undefined and sets memory aside.
 */
export async function acceptMessage(
  session: Session,
  event: Extract<ReceiverEvent, { kind: 'message' }>,
): Promise<Answer | undefined> {
  if (!('user' in session.state)) return bad('Log in first')
  const parsed = parsePrefix(event.command, session.enabled.utf8)
  if (!parsed.ok) return bad(parsed.text)
  const { command } = parsed
  if (command.name !== 'APPEND' && command.name !== 'REPLACE') return bad('Unexpected literal')
  const { context } = session
  const { settings } = context
  if (event.size > settings.appendLimit) return no('The message is too large', 'TOOBIG')
  try {
    // Further messages of one command: the place is known.
    if (session.appendTo?.name !== command.mailbox) {
      const overview = await session.user.mailbox.overview()
      FolderTree.named(overview, settings.showHiddenFolders).folder(command.mailbox, 'TRYCREATE')
      session.appendTo = { name: command.mailbox, info: overview.info }
    }
    const { usedBytes, quota } = session.appendTo.info
    if (quota !== undefined && usedBytes + session.reserved + event.size > quota) return answerOf('overQuota')
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    if (error instanceof DomainError) return answerOf(error.code)
    throw error
  }
  if (!context.sessions.reserve(event.size, settings.appendMemory)) {
    return no('Too many messages are being stored now, try again', 'INUSE')
  }
  session.reserved += event.size
  return undefined
}
