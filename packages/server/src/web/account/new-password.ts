import type { IncomingMessage } from 'node:http'
import { DirectoryError, type Principal } from '@postrider/domain'
import { audit, type WebContext } from '../context.ts'
import type { WebSession } from '../sessions.ts'
import { passwordRight } from './password.ts'

/** The user gives himself a new password: behind the old one, within its budget of wrong ones; all his other sessions are over. */

/** Why not: `short` and the like are for the words of each dress, `why` is in the user's language. */
export type PasswordFault = 'off' | 'password' | 'again' | 'short' | 'same' | 'address'
type Outcome = { readonly ok: true } | { readonly fault: PasswordFault } | { readonly why: string }

/** The rules, as the user may read them; undefined when he may not change it. */
export function passwordRules({ config }: Pick<WebContext, 'config'>): { readonly length: number } | undefined {
  const { 'web.passwordChange': possible, 'web.passwordLength': length } = config()
  return possible ? { length } : undefined
}

/** Characters as people count them. */
const lengthOf = (text: string): number => [...new Intl.Segmenter().segment(text)].length

/** What of it goes against the rules. */
export function passwordFault(
  { address }: Pick<Principal, 'address'>,
  given: { readonly old: string; readonly wanted: string; readonly again: string },
  length: number,
): PasswordFault | undefined {
  if (given.wanted !== given.again) return 'again'
  if (lengthOf(given.wanted) < length) return 'short'
  if (given.wanted === given.old) return 'same'
  const own = address.toLowerCase()
  const wanted = given.wanted.toLowerCase()
  return wanted === own || wanted === own.split('@')[0] ? 'address' : undefined
}

/** Changes it. Durable, and everybody else signed out, when it resolves. */
export async function changePassword(
  context: WebContext,
  request: IncomingMessage,
  session: WebSession,
  given: { readonly old: string; readonly wanted: string; readonly again: string },
): Promise<Outcome> {
  const { principal } = session
  const rules = passwordRules(context)
  if (rules === undefined) return { fault: 'off' }
  const fault = passwordFault(principal, given, rules.length)
  if (fault !== undefined) return { fault }
  if (!(await passwordRight(context, request, principal, given.old))) {
    audit(context, request, principal, 'password-refused')
    return { fault: 'password' }
  }
  try {
    await context.sessions.through(session, () => context.directory.setPassword(principal.account, given.wanted))
  } catch (error) {
    if (error instanceof DirectoryError) return { why: error.phrase[principal.language] }
    throw error
  }
  audit(context, request, principal, 'password-change')
  return { ok: true }
}
