import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { defineMessages, type Directory, type MailboxEntry, type Principal } from '@postrider/domain'
import { activeSyncUrl, type Reach, type Site } from './site.ts'
import { readXml, type XmlElement, XmlError } from './xml-reader.ts'
import { element, xmlDocument } from './xml-writer.ts'

const ROOT = 'http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006'
const MOBILE = 'http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006'
const OUTLOOK = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a'
/** Request schemas. Clients mix them with the response schemas: what is answered depends on AcceptableResponseSchema alone. */
const REQUESTS: ReadonlySet<string> = new Set([
  'http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006',
  'http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006',
])

const text = defineMessages({
  notOffered: {
    en: 'ActiveSync is not offered for this address.',
    fr: 'ActiveSync n’est pas offert pour cette adresse.',
  },
})

/** [MS-ASCMD] §2.2.3.64 and what Outlook knows besides. */
const errors = {
  600: 'Invalid Request',
  601: 'Provider is not available',
  500: 'The e-mail address cannot be found.',
} as const

export interface PoxParts {
  readonly directory: Directory
  readonly site: Site
  readonly principal: Principal
  readonly now: number
}

/** The answer to a POX request, [MS-ASCMD] §2.2.1.1 and [MS-OXDSCLI]: always a document, errors too. */
export function answerPox(body: Uint8Array, parts: PoxParts): string {
  const request = readRequest(body)
  if (request === undefined) return failure(600, parts.now)
  const { address, schema } = request
  if (schema !== MOBILE && schema !== OUTLOOK) return failure(601, parts.now)
  const elsewhere = parts.site.redirect(address)
  if (schema === MOBILE) return mobileSync(address, elsewhere, parts)
  return outlook(address, elsewhere, parts)
}

/** A request that was no POST with a document in it. */
export const invalidRequest = (now: number): string => failure(600, now)

function readRequest(body: Uint8Array): { readonly address: string; readonly schema: string } | undefined {
  let root: XmlElement
  try {
    root = readXml(body)
  } catch (error) {
    if (error instanceof XmlError) return undefined
    throw error
  }
  if (root.name !== 'Autodiscover' || !REQUESTS.has(root.namespace)) return undefined
  const request = root.children.find((child) => child.name === 'Request')
  const field = (name: string): string => request?.children.find((child) => child.name === name)?.text.trim() ?? ''
  const address = field('EMailAddress')
  const schema = field('AcceptableResponseSchema')
  if (schema === '' || address.length > 320 || /[\u0000-\u001f\u007f]/.test(address)) return undefined
  // Outlook may ask with its LegacyDN alone: then it means the one who logged in.
  return /^[^@\s]+@[^@\s]+$/.test(address) || (address === '' && field('LegacyDN') !== '')
    ? { address, schema }
    : undefined
}

/** The mailbox that is asked about, as far as the caller may hear of it: everybody in the organisation is in its address list. */
function mailboxOf(address: string, { directory, principal }: PoxParts): MailboxEntry | undefined {
  if (address === '') return directory.account(principal.account)
  const found = directory.resolve(address)
  return found.kind === 'mailbox' && found.entry.enabled ? found.entry : undefined
}

function mobileSync(address: string, elsewhere: string | undefined, parts: PoxParts): string {
  const entry = mailboxOf(address, parts)
  const culture = (entry?.language ?? parts.principal.language) === 'fr' ? 'fr:fr' : 'en:us'
  const user = (name: string, email: string): string =>
    element('User', [element('DisplayName', name), element('EMailAddress', email)])
  let content: readonly string[]
  if (elsewhere !== undefined) {
    content = [user(address, address), element('Action', [element('Redirect', elsewhere)])]
  } else if (entry === undefined || !entry.protocols.activesync) {
    // [MS-ASCMD] §2.2.3.177.1: 2 is the only status there is.
    const message = text(culture === 'fr:fr' ? 'fr' : 'en', 'notOffered')
    const error = element('Error', [
      element('Status', '2'),
      element('Message', message),
      element('DebugData', 'MailUser'),
    ])
    content = [element('Action', [error])]
  } else {
    const url = activeSyncUrl(parts.site)
    const server = element('Server', [element('Type', 'MobileSync'), element('Url', url), element('Name', url)])
    content = [user(entry.displayName, entry.address), element('Action', [element('Settings', [server])])]
  }
  return root([element('Response', [element('Culture', culture), ...content], { xmlns: MOBILE })])
}

function outlook(address: string, elsewhere: string | undefined, parts: PoxParts): string {
  const account = (...content: readonly string[]): string =>
    element('Account', [element('AccountType', 'email'), ...content])
  if (elsewhere !== undefined) {
    const redirect = account(element('Action', 'redirectAddr'), element('RedirectAddr', elsewhere))
    return root([element('Response', [redirect], { xmlns: OUTLOOK })])
  }
  const entry = mailboxOf(address, parts)
  if (entry === undefined) return failure(500, parts.now)
  const { site } = parts
  const user = element('User', [
    element('DisplayName', entry.displayName),
    element('AutoDiscoverSMTPAddress', entry.address),
  ])
  const settings = account(
    element('Action', 'settings'),
    ...protocols('IMAP', entry.protocols.imap ? site.imap : [], entry.address),
    ...protocols('POP3', entry.protocols.pop3 ? site.pop3 : [], entry.address),
    ...protocols('SMTP', entry.protocols.smtp ? site.submission : [], entry.address),
  )
  return root([element('Response', [user, settings], { xmlns: OUTLOOK })])
}

/** [MS-OXDSCLI] §2.2.4.1.1.2.5: the best way to a service; a client takes the first of each type. */
function protocols(type: string, ways: readonly Reach[], login: string): string[] {
  return ways
    .slice(0, 1)
    .map(({ host, port, encryption }) =>
      element('Protocol', [
        element('Type', type),
        element('Server', host),
        element('Port', String(port)),
        element('LoginName', login),
        element('DomainRequired', 'off'),
        element('SPA', 'off'),
        element('SSL', 'on'),
        element('Encryption', encryption === 'ssl' ? 'SSL' : 'TLS'),
        element('AuthRequired', 'on'),
        type === 'SMTP' ? element('UsePOPAuth', 'off') : undefined,
        type === 'SMTP' ? element('SMTPLast', 'off') : undefined,
      ]),
    )
}

const root = (content: readonly string[]): string => xmlDocument(element('Autodiscover', content, { xmlns: ROOT }))

/** [MS-ASCMD] §2.2.3.63: Time with seven decimals, Id names the server within its domain. */
function failure(code: keyof typeof errors, now: number): string {
  const time = `${new Date(now).toISOString().slice(11, 23)}0000`
  const id = createHash('sha256').update(hostname()).digest().readUInt32BE()
  const content = [element('ErrorCode', String(code)), element('Message', errors[code]), element('DebugData', '')]
  return root([element('Response', [element('Error', content, { Time: time, Id: String(id) })])])
}
