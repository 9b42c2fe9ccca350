/**
 * Conversations that always go to one folder, kept as state entries of the mailbox: [MS-ASCON] §3.2.5.3. Clients write them, the transport
 * reads them on delivery. Key: the conversation as {@link Promoted.conversation} has it. Value: the id of the folder in decimal digits.
 */
export const CONVERSATION_ACTIONS = 'conversationactions'
