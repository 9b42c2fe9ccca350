/** Conversations that always go to one folder. */
import {
  CONVERSATION_ACTIONS,
  conversationOf,
  type FolderId,
  joinThread,
  type MailboxId,
  type NewItem,
  readThreadEntry,
  THREADS,
} from '@postrider/domain'
import type { TransportCore } from '../core.ts'

/** MS-ASCON_R130: also what comes later. A folder that is gone, or that was made something else, moves nothing. */
export async function alwaysMoved(
  core: TransportCore,
  mailbox: MailboxId,
  item: NewItem,
): Promise<FolderId | undefined> {
  if (beginsConversation(item)) return undefined
  const actions = await core.service.state(mailbox, CONVERSATION_ACTIONS)
  if (actions.length === 0) return undefined
  const conversation = await conversationIn(core, mailbox, item)
  const value = actions.find(({ key }) => key === conversation)?.value
  if (value === undefined) return undefined
  const id = Number(Buffer.from(value).toString('latin1'))
  const folder = (await core.service.folders(mailbox)).find((one) => one.id === id)
  return folder?.kind === 'generic' && folder.class.startsWith('IPF.Note') ? folder.id : undefined
}

/** Where the mailbox will put an item: at the end of the way from the first of its keys that is known there. */
async function conversationIn(core: TransportCore, mailbox: MailboxId, item: NewItem): Promise<string> {
  const known = new Map<string, string | undefined>()
  const entry = async (key: string): Promise<void> => {
    const [found] = await core.service.state(mailbox, THREADS, key)
    known.set(key, found?.key === key ? readThreadEntry(found.value) : undefined)
  }
  const { thread = [], promoted } = item
  if (thread.length === 0) return promoted.conversation
  for (;;) {
    const missing: string[] = []
    const entriesOf = (keys: readonly string[]) => {
      missing.push(...keys.filter((key) => !known.has(key)))
      return keys.map((key) => known.get(key))
    }
    const { conversation } = joinThread(thread, entriesOf)
    if (missing.length === 0) return conversation
    await Promise.all(missing.map(entry))
  }
}

/** A mail that answers nothing: it is in a conversation of its own, and nobody can have said yet where that goes. */
function beginsConversation({ promoted }: NewItem): boolean {
  const { messageId, subject, conversation } = promoted
  if (messageId === '') return false
  return conversationOf({ references: [], inReplyTo: undefined, messageId, subject }) === conversation
}
