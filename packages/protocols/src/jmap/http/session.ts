/** The session resource: RFC 8620 §2. */
import { createHash } from 'node:crypto'
import type { MailboxEntry, Principal } from '@postrider/domain'
import { capabilities, type CapabilityName, urn } from '../core/capabilities.ts'
import { accountIdOf, principalIdOf } from '../core/ids.ts'
import { record } from '../core/json.ts'
import type { Jmap } from '../service.ts'

export const paths = {
  session: '/jmap/session',
  api: '/jmap/api',
  upload: '/jmap/upload/',
  download: '/jmap/download/',
  events: '/jmap/events',
  socket: '/jmap/ws',
  wellKnown: '/.well-known/jmap',
} as const

const names = Object.keys(urn) as CapabilityName[]

/** The session object; `base` is the origin the client came by. */
export async function sessionObject(
  { parts, given }: Pick<Jmap, 'parts' | 'given'>,
  principal: Principal,
  base: string,
): Promise<Record<string, unknown>> {
  const accounts = record<unknown>()
  for (const entry of await given.listed(principal)) {
    accounts[accountIdOf(entry.mailbox)] = accountObject(entry, principal)
  }
  const primary = record<string>()
  for (const name of names)
    if (name !== 'core' && name !== 'owner' && capabilities[name].account !== undefined)
      primary[urn[name]] = accountIdOf(principal.mailbox)
  const session = {
    capabilities: serverCapabilities(parts.push?.vapid.publicKey, base),
    accounts,
    primaryAccounts: primary,
    username: principal.address,
    apiUrl: `${base}${paths.api}`,
    downloadUrl: `${base}${paths.download}{accountId}/{blobId}/{name}?type={type}`,
    uploadUrl: `${base}${paths.upload}{accountId}/`,
    eventSourceUrl: `${base}${paths.events}?types={types}&closeafter={closeafter}&ping={ping}`,
  }
  return { ...session, state: stateOf(session) }
}

/** An account as a user sees it: RFC 8620 §2, RFC 9670 §1.5. */
export function accountObject(entry: MailboxEntry, principal: Principal): Record<string, unknown> {
  const personal = entry.mailbox === principal.mailbox
  const own = record<unknown>()
  for (const name of names) {
    const { account, ownOnly } = capabilities[name]
    if (account !== undefined && name !== 'core' && (personal || ownOnly !== true)) own[urn[name]] = account
  }
  if (personal) own[urn.principals] = { currentUserPrincipalId: principalIdOf(principal.mailbox) }
  // Who was given folders makes none at the top.
  if (!personal && !entry.fullAccess.includes(principal.account))
    own[urn.mail] = { ...capabilities.mail.account, mayCreateTopLevelMailbox: false }
  own[urn.owner] = {
    accountIdForPrincipal: accountIdOf(principal.mailbox),
    principalId: principalIdOf(entry.mailbox),
  }
  return { name: entry.address, isPersonal: personal, isReadOnly: false, accountCapabilities: own }
}

/** RFC 9749 §3: the key is there where pushes are. */
function serverCapabilities(applicationServerKey: string | undefined, base: string): Record<string, unknown> {
  const out = record<unknown>()
  for (const name of names)
    if (name === 'websocket')
      out[urn[name]] = { url: `${base.replace(/^http/, 'ws')}${paths.socket}`, supportsPush: true }
    // RFC 9670 §1.5.2: only a key of accountCapabilities.
    else if (name === 'owner') continue
    else if (name !== 'vapid') out[urn[name]] = capabilities[name].server
    else if (applicationServerKey !== undefined) out[urn.vapid] = { applicationServerKey }
  return out
}

/** The session's state depends on nothing but what it says: RFC 8620 §2. */
const stateOf = (session: unknown): string =>
  createHash('sha256').update(JSON.stringify(session)).digest('hex').slice(0, 16)
