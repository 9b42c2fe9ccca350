import { DomainError } from '@postrider/domain'
import { parsePrefix, type ReceiverEvent } from '@postrider/wire/imap'
import { type Answer, answerOf, bad, no, Refusal } from '../codes.ts'
import { FolderTree } from '../folders.ts'
import type { AppendTarget, Session } from '../session.ts'

/** Messages that come in any case (RFC 7888), of one command no more bytes than this, are taken before their place is known: the command finds out, and nobody waits. */
const MAX_UNJUDGED = 256 * 1024

/**
 * Judges a message before a byte of it is accepted: login, syntax, mailbox, size (RFC 7889), quota (RFC 9208 §5.1), memory. Answers the
 * refusal, or undefined and sets memory aside.
 */
export async function acceptMessage(
  session: Session,
  event: Extract<ReceiverEvent, { kind: 'message' }>,
): Promise<Answer | undefined> {
  if (!('user' in session.state)) return bad('Log in first')
  // Further messages of one command (RFC 3502): the place is known, and the syntax is looked at with all of them.
  if (session.appendTo === undefined) {
    const parsed = parsePrefix(event.command, session.enabled.utf8)
    if (!parsed.ok) return bad(parsed.text)
    const { command } = parsed
    if (command.name !== 'APPEND' && command.name !== 'REPLACE') return bad('Unexpected literal')
    session.appendTo = targetOf(session, command.mailbox)
  }
  const { context } = session
  const { settings } = context
  if (event.size > settings.appendLimit) return no('The message is too large', 'TOOBIG')
  if (event.waits || session.reserved + event.size > MAX_UNJUDGED) {
    const refusal = await judge(session, session.appendTo, event.size)
    if (refusal !== undefined) return refusal
  }
  if (!context.sessions.reserve(event.size, settings.appendMemory)) {
    return no('Too many messages are being stored now, try again', 'INUSE')
  }
  session.reserved += event.size
  return undefined
}

/** Asks for the mailboxes as they are now, without waiting for the answer. */
function targetOf({ user }: Session, name: string): AppendTarget {
  const overview = user.mailbox.overview()
  // Told to whoever waits for it.
  overview.catch(() => {})
  return { name, overview }
}

async function judge(session: Session, { name, overview }: AppendTarget, size: number): Promise<Answer | undefined> {
  try {
    const { info, folders } = await overview
    FolderTree.named({ folders }, session.context.settings.showHiddenFolders).folder(name, 'TRYCREATE')
    const { usedBytes, quota } = info
    if (quota !== undefined && usedBytes + session.reserved + size > quota) return answerOf('overQuota')
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    if (error instanceof DomainError) return answerOf(error.code)
    throw error
  }
}
