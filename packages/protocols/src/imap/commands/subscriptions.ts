import type { MailboxHandle, Operation } from '@postrider/domain'
import { folderNameKey } from '@postrider/domain'

/**
 * Subscribed names whose mailbox is gone: RFC 9051 §6.3.7, a subscription outlives its mailbox. A mailbox that exists carries its
 * subscription itself; only what is lost is kept here, as client state of the mailbox.
 */
const CLIENT = 'imap'
const PREFIX = 'subscription:'

const keyOf = (name: string): string => PREFIX + folderNameKey(name)

/** The lost names. */
export async function lostSubscriptions(mailbox: MailboxHandle): Promise<string[]> {
  const entries = await mailbox.state(CLIENT, PREFIX)
  return entries.map((entry) => Buffer.from(entry.value).toString('utf8'))
}

/** Keeps the name of a mailbox that is being deleted. */
export function keepSubscription(name: string): Operation {
  return { op: 'putState', client: CLIENT, key: keyOf(name), value: Buffer.from(name, 'utf8') }
}

/** Forgets a kept name: it is unsubscribed, or a mailbox has it again. */
export function dropSubscription(name: string): Operation {
  return { op: 'deleteState', client: CLIENT, key: keyOf(name) }
}
