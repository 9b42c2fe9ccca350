import {
  DirectoryError,
  FIRST_EPOCH,
  type GroupEntry,
  type MailboxEntry,
  type Phrase,
  type ProtocolName,
  protocolNames,
  verbatim,
} from '@postrider/domain'
import { addressKey, addressValid, canonicalAddress } from './address.ts'

/** Names, titles and the like: characters. */
export const MAX_TEXT = 256
export const MAX_ALIASES = 400
export const MAX_MEMBERS = 100_000

/** Every protocol is on for a new mailbox (R26, R33); `admin` only for administrators. */
export const protocolsOf = (administrator: boolean): Record<ProtocolName, boolean> =>
  Object.fromEntries(protocolNames.map((name) => [name, name !== 'admin' || administrator])) as Record<
    ProtocolName,
    boolean
  >

/** What an entry has before anybody says otherwise; entries written by an older program get new fields from here. */
export const mailboxDefaults = {
  aliases: [],
  displayName: '',
  givenName: '',
  surname: '',
  title: '',
  department: '',
  company: '',
  office: '',
  phone: '',
  mobilePhone: '',
  type: 'user',
  enabled: true,
  hiddenFromAddressLists: false,
  language: 'en',
  quota: undefined,
  fullAccess: [],
  sendAs: [],
  sendOnBehalf: [],
  forwardTo: undefined,
  deliverAndForward: false,
  isAdministrator: false,
  mobileDevicePolicy: undefined,
  epoch: FIRST_EPOCH,
} as const satisfies Omit<MailboxEntry, 'account' | 'mailbox' | 'address' | 'database' | 'protocols' | 'created'>

const invalid = (phrase: Phrase): DirectoryError => new DirectoryError('invalid', phrase)

/** One line of ordinary text. */
export function checkText(name: Phrase, value: unknown): void {
  if (typeof value !== 'string' || value.length > MAX_TEXT || /[\u0000-\u001f\u007f]/.test(value))
    throw invalid({
      en: `${name.en} must be one line of at most ${MAX_TEXT} characters.`,
      fr: `${name.fr} doit tenir sur une ligne d’au plus ${MAX_TEXT} caractères.`,
    })
}

/** Canonical form of an address a recipient of ours gets. */
export function checkedAddress(address: unknown): string {
  if (typeof address !== 'string' || !addressValid(address))
    throw invalid({
      en: `'${String(address).slice(0, 100)}' is not an e-mail address. Write it as name@example.com.`,
      fr: `« ${String(address).slice(0, 100)} » n’est pas une adresse électronique. Écrivez nom@example.com.`,
    })
  return canonicalAddress(address)
}

/** Canonical, without repeats and without the primary address. */
export function checkedAliases(aliases: readonly string[], primary: string): string[] {
  if (aliases.length > MAX_ALIASES)
    throw invalid({
      en: `A recipient can have at most ${MAX_ALIASES} aliases.`,
      fr: `Un destinataire ne peut pas avoir plus de ${MAX_ALIASES} alias.`,
    })
  const seen = new Map<string, string>()
  for (const alias of aliases) seen.set(addressKey(alias), checkedAddress(alias))
  seen.delete(addressKey(primary))
  return [...seen.values()]
}

const textFields = [
  'displayName',
  'givenName',
  'surname',
  'title',
  'department',
  'company',
  'office',
  'phone',
  'mobilePhone',
] as const

const types: readonly string[] = ['user', 'shared', 'room', 'equipment', 'system'] satisfies MailboxEntry['type'][]

/** Throws DirectoryError `invalid` when a field is not what it must be. Addresses are checked by whoever sets them. */
export function checkMailbox(entry: MailboxEntry): void {
  for (const field of textFields) checkText(verbatim(field), entry[field])
  if (!types.includes(entry.type))
    throw invalid({
      en: `The type must be one of ${types.join(', ')}.`,
      fr: `Le type doit être l’un de ${types.join(', ')}.`,
    })
  if (entry.language !== 'en' && entry.language !== 'fr')
    throw invalid({ en: 'The language must be en or fr.', fr: 'La langue doit être en ou fr.' })
  if (entry.quota !== undefined && !(Number.isSafeInteger(entry.quota) && entry.quota >= 0))
    throw invalid({
      en: 'The quota must be a whole number of bytes.',
      fr: 'Le quota doit être un nombre entier d’octets.',
    })
  if (entry.forwardTo !== undefined && !addressValid(entry.forwardTo))
    throw invalid({
      en: `'${entry.forwardTo}' is not an e-mail address to forward to.`,
      fr: `« ${entry.forwardTo} » n’est pas une adresse électronique à qui faire suivre.`,
    })
}
export function checkGroup(entry: GroupEntry): void {
  checkText(verbatim('displayName'), entry.displayName)
  if (entry.members.length > MAX_MEMBERS)
    throw invalid({
      en: `A group can have at most ${MAX_MEMBERS} members.`,
      fr: `Un groupe ne peut pas avoir plus de ${MAX_MEMBERS} membres.`,
    })
  for (const member of entry.members) checkedAddress(member)
}
