/** Conversations that always go to one folder. */
import { CONVERSATION_ACTIONS, conversationOf, type FolderId, type MailboxId, type NewItem } from '@postrider/domain'
import type { TransportCore } from '../core.ts'

/** MS-ASCON_R130: also what comes later. A folder that is gone, or that was made something else, moves nothing. */
export async function alwaysMoved(
  core: TransportCore,
  mailbox: MailboxId,
  item: NewItem,
): Promise<FolderId | undefined> {
  const { conversation } = item.promoted
  if (beginsConversation(item)) return undefined
  const entries = await core.service.state(mailbox, CONVERSATION_ACTIONS, conversation)
  const value = entries.find(({ key }) => key === conversation)?.value
  if (value === undefined) return undefined
  const id = Number(Buffer.from(value).toString('latin1'))
  const folder = (await core.service.folders(mailbox)).find((one) => one.id === id)
  return folder?.kind === 'generic' && folder.class.startsWith('IPF.Note') ? folder.id : undefined
}

/** A mail that answers nothing: it is in a conversation of its own, and nobody can have said yet where that goes. */
function beginsConversation({ promoted }: NewItem): boolean {
  const { messageId, subject, conversation } = promoted
  if (messageId === '') return false
  return conversationOf({ references: [], inReplyTo: undefined, messageId, subject }) === conversation
}
