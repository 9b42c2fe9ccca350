import type { IncomingMessage } from 'node:http'
import { DirectoryError, type Principal, type ProtocolName } from '@postrider/domain'
import { audit, type WebContext } from '../context.ts'

/** Passwords for programs and devices: the user makes and takes back his own. Each opens only what it was made for, never the web client. */

/** What a user may choose among. */
export const appProtocols = [
  'activesync',
  'imap',
  'pop3',
  'smtp',
  'jmap',
  'ews',
  'mapi',
  'dav',
] as const satisfies readonly ProtocolName[]

export const ownAppPasswords = ({ directory }: WebContext, { account }: Principal) => directory.appPasswords(account)

export type Made = { readonly password: string } | { readonly why: string }

/** Makes one, shown this once. `why`: in the user's language. */
export async function makeAppPassword(
  context: WebContext,
  request: IncomingMessage,
  principal: Principal,
  name: string,
  wanted: readonly string[],
): Promise<Made> {
  const protocols = appProtocols.filter((one) => wanted.includes(one))
  try {
    const { id, password } = await context.directory.addAppPassword(
      principal.account,
      name.trim().slice(0, 100),
      protocols,
    )
    audit(context, request, principal, `app-password-add ${id}`)
    return { password }
  } catch (error) {
    if (error instanceof DirectoryError) return { why: error.phrase[principal.language] }
    throw error
  }
}

/** False when the user has none with this id. */
export async function takeBackAppPassword(
  context: WebContext,
  request: IncomingMessage,
  principal: Principal,
  id: string,
): Promise<boolean> {
  if (!ownAppPasswords(context, principal).some((one) => one.id === id)) return false
  await context.directory.removeAppPassword(principal.account, id)
  audit(context, request, principal, `app-password-remove ${id}`)
  return true
}
