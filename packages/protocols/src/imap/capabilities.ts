import type { ImapSettings } from './settings.ts'

/** What a capability depends on. */
export interface CapabilityContext {
  readonly authenticated: boolean
  readonly secure: boolean
  /** The account's id, once it is known. */
  readonly account: string | undefined
  readonly settings: ImapSettings
}

type When = (context: CapabilityContext) => boolean
const always: When = () => true
const before: When = (c) => !c.authenticated
const beforeInTheClear: When = (c) => !c.authenticated && !c.secure
const beforeInTls: When = (c) => !c.authenticated && c.secure
const after: When = (c) => c.authenticated

interface Capability {
  readonly name: string
  readonly when: When
  /** Where it is defined. */
  readonly source: string
  readonly value?: (context: CapabilityContext) => string
}

const row = (name: string, source: string, when: When, value?: Capability['value']): Capability => ({
  name,
  when,
  source,
  ...(value !== undefined && { value }),
})

/** Everything this server can be asked for, in the order shown: docs/conformance/imap.md. */
export const capabilities: readonly Capability[] = [
  row('IMAP4REV1', 'RFC 3501', always, () => 'IMAP4rev1'),
  row('IMAP4REV2', 'RFC 9051', always, () => 'IMAP4rev2'),
  row('STARTTLS', 'RFC 9051 §6.2.1', beforeInTheClear),
  row('LOGINDISABLED', 'RFC 9051 §6.2.3', beforeInTheClear),
  row('AUTH=PLAIN', 'RFC 4616', beforeInTls),
  row('AUTH=LOGIN', 'draft-murchison-sasl-login', beforeInTls),
  row('AUTH=SCRAM-SHA-256', 'RFC 7677', beforeInTls),
  row('SASL-IR', 'RFC 4959', before),
  row('LITERAL+', 'RFC 7888', always),
  row('ID', 'RFC 2971', always),
  row('ENABLE', 'RFC 5161', always),
  row('IDLE', 'RFC 2177', after),
  row('NAMESPACE', 'RFC 2342', after),
  row('UIDPLUS', 'RFC 4315', after),
  row('UNSELECT', 'RFC 3691', after),
  row('CHILDREN', 'RFC 3348', after),
  row('MOVE', 'RFC 6851', after),
  row('CONDSTORE', 'RFC 7162', after),
  row('QRESYNC', 'RFC 7162', after),
  row('SPECIAL-USE', 'RFC 6154', after),
  row('CREATE-SPECIAL-USE', 'RFC 6154', after),
  row('LIST-EXTENDED', 'RFC 5258', after),
  row('LIST-STATUS', 'RFC 5819', after),
  row('STATUS=SIZE', 'RFC 8438', after),
  row('ESEARCH', 'RFC 4731', after),
  row('SEARCHRES', 'RFC 5182', after),
  row('PARTIAL', 'RFC 9394', after),
  row('WITHIN', 'RFC 5032', after),
  row('SORT', 'RFC 5256', after),
  row('SORT=DISPLAY', 'RFC 5957', after),
  row('ESORT', 'RFC 5267', after),
  row('THREAD=ORDEREDSUBJECT', 'RFC 5256', after),
  row('THREAD=REFERENCES', 'RFC 5256', after),
  row('THREAD=REFS', 'draft-ietf-morg-inthread', after),
  row('BINARY', 'RFC 3516', after),
  row('MULTIAPPEND', 'RFC 3502', after),
  row('REPLACE', 'RFC 8508', after),
  row('PREVIEW', 'RFC 8970', after),
  row('OBJECTID', 'RFC 8474', after),
  row('ACL', 'RFC 4314', after),
  row('RIGHTS=', 'RFC 4314 §1', after, () => 'RIGHTS=texk'),
  row('METADATA', 'RFC 5464', after),
  row('QUOTA', 'RFC 9208', after),
  row('QUOTA=RES-STORAGE', 'RFC 9208', after),
  row('UTF8=ACCEPT', 'RFC 6855', after),
  row('APPENDLIMIT', 'RFC 7889', after, (c) => `APPENDLIMIT=${c.settings.appendLimit}`),
  row('COMPRESS=DEFLATE', 'RFC 4978', after),
]

/** A capability that makes no sense without another goes with it. */
const needs = new Map([
  ['QRESYNC', 'CONDSTORE'],
  ['SORT=DISPLAY', 'SORT'],
  ['ESORT', 'SORT'],
  ['SEARCHRES', 'ESEARCH'],
  ['PARTIAL', 'ESEARCH'],
  ['LIST-STATUS', 'LIST-EXTENDED'],
  ['CREATE-SPECIAL-USE', 'SPECIAL-USE'],
  ['QUOTA=RES-STORAGE', 'QUOTA'],
  ['RIGHTS=', 'ACL'],
])

/** True when neither the listener nor the account has the capability switched off. */
export function isOn(name: string, context: CapabilityContext): boolean {
  const { settings, account } = context
  const other = needs.get(name)
  if (other !== undefined && !isOn(other, context)) return false
  if (settings.disabledCapabilities.has(name)) return false
  return account === undefined || !settings.disabledFor(account).has(name)
}

/** The CAPABILITY list for this moment: RFC 9051 §7.2.2. */
export function capabilityList(context: CapabilityContext): string {
  return capabilities
    .filter((one) => one.when(context) && isOn(one.name, context))
    .map((one) => one.value?.(context) ?? one.name)
    .join(' ')
}
