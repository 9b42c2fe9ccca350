import type { AcceptedDomain, MailboxEntry } from '@postrider/domain'
import { addressKey, domainKey } from './address.ts'

/** Longest login looked at; a longer one is nobody's. */
export const MAX_LOGIN = 320

/** R39: identities that exist on other systems for everybody are nobody here, whatever the directory says. */
const REFUSED = new Set(['anonymous', 'guest', ''])

/** What a login form needs of the directory. */
interface Names {
  domains(): readonly AcceptedDomain[]
  owner(key: string): unknown
}

/**
 * The address a login means: an address or UPN as it stands, `DOMAIN\user` by the domain's name or its first label, a bare name in the
 * default domain. '' for forms that are nobody's.
 */
export function loginKey(login: string, domains: readonly AcceptedDomain[]): string {
  if (login.length > MAX_LOGIN || /[\u0000-\u001f\u007f]/.test(login)) return ''
  const typed = login.trim()
  const slash = typed.indexOf('\\')
  const name = (slash === -1 ? typed : typed.slice(slash + 1)).trim()
  const local = name.slice(0, name.includes('@') ? name.lastIndexOf('@') : undefined).toLowerCase()
  if (REFUSED.has(local)) return ''
  if (name.includes('@')) return addressKey(name)
  const standard = domains.find((domain) => domain.isDefault)?.name ?? ''
  const asked = slash === -1 ? '' : typed.slice(0, slash).trim()
  const domain = asked === '' ? standard : domainNamed(asked, domains)
  return domain === '' ? '' : addressKey(`${name}@${domain}`)
}

function domainNamed(asked: string, domains: readonly AcceptedDomain[]): string {
  const key = domainKey(asked)
  if (domains.some((domain) => domain.name === key)) return key
  // NetBIOS form: EXAMPLE for example.com; the default domain first when two begin alike.
  const alike = domains.filter((domain) => domain.name.startsWith(`${key}.`))
  return (alike.find((domain) => domain.isDefault) ?? alike[0])?.name ?? ''
}

/** The account a login means, by any of its addresses, or undefined. */
export function accountOfLogin(login: string, names: Names): MailboxEntry | undefined {
  const key = loginKey(login, names.domains())
  const owner = key === '' ? undefined : names.owner(key)
  return isMailbox(owner) ? owner : undefined
}
const isMailbox = (owner: unknown): owner is MailboxEntry =>
  typeof owner === 'object' && owner !== null && 'account' in owner
