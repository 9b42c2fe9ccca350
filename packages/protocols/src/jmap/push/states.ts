/** The states that push tells of an account: RFC 8620 §7.1. */
import type { Principal } from '@postrider/domain'
import { openAccount } from '../core/accounts.ts'
import { writeState } from '../core/state.ts'
import type { Jmap } from '../service.ts'

/** Types whose state is the mailbox's own. */
export const mailTypes = ['Email', 'Mailbox', 'Thread'] as const
/** Types that are told of by this process when it changes them. */
export const recordTypes: readonly string[] = [
  'EmailSubmission',
  'VacationResponse',
  'Preferences',
  'Category',
  'Template',
  'Rule',
  'Sweep',
  'SenderLists',
  'AutomaticReplies',
  'ShareNotification',
]
export const pushTypes: readonly string[] = [...mailTypes, 'EmailDelivery', ...recordTypes]

/** The state of an account's mail now; undefined when it is no longer the principal's to see. */
export async function mailState(jmap: Jmap, principal: Principal, accountId: string): Promise<string | undefined> {
  const account = await openAccount(jmap.parts, principal, accountId)
  return account === undefined ? undefined : writeState((await jmap.views.of(account.handle)).state)
}
