import type { MailboxChange, Phrase, ProtocolName } from '@postrider/domain'
import { settleMailboxes } from '../../administration.ts'
import { adminCommand, type OptionSpec, UsageError, type Words } from '../../cli/command.ts'
import { example, listFor, nothingToChange, shownName } from '../../cli/phrases.ts'
import {
  factText,
  languageOf,
  protocolsNamed,
  quotaHelp,
  quotaOf,
  typeOf,
  type UserReport,
  userReport,
} from './fields.ts'

/** Options that are one text each, and the field they set. */
const texts = {
  name: 'displayName',
  'given-name': 'givenName',
  surname: 'surname',
  title: 'title',
  department: 'department',
  company: 'company',
  office: 'office',
  phone: 'phone',
  mobile: 'mobilePhone',
  address: 'address',
} as const
/** Options that are lists of people. */
const people = { 'full-access': 'fullAccess', 'send-as': 'sendAs', 'send-on-behalf': 'sendOnBehalf' } as const

function changeOf(words: Words): MailboxChange {
  const change: Record<string, unknown> = {}
  for (const [option, field] of Object.entries(texts)) if (words.has(option)) change[field] = words.value(option)
  for (const [option, field] of Object.entries(people)) if (words.has(option)) change[field] = words.many(option)
  if (words.has('alias')) change.aliases = words.many('alias')
  if (words.has('quota')) change.quota = quotaOf(words)
  if (words.has('language')) change.language = languageOf(words)
  if (words.has('type')) change.type = typeOf(words)
  toggle(words, 'enable', 'disable', (on) => {
    change.enabled = on
  })
  toggle(words, 'hide', 'unhide', (on) => {
    change.hiddenFromAddressLists = on
  })
  toggle(words, 'keep-copy', 'no-copy', (on) => {
    change.deliverAndForward = on
  })
  if (words.has('forward-to')) change.forwardTo = words.value('forward-to')
  if (words.flag('no-forward')) change.forwardTo = undefined
  const protocols: Partial<Record<ProtocolName, boolean>> = {}
  for (const name of protocolsNamed(words.many('on'))) protocols[name] = true
  for (const name of protocolsNamed(words.many('off'))) protocols[name] = false
  if (Object.keys(protocols).length > 0) change.protocols = protocols
  if (Object.keys(change).length === 0) throw new UsageError(nothingToChange)
  return change as MailboxChange
}
function toggle(words: Words, on: string, off: string, apply: (on: boolean) => void): void {
  if (words.flag(on) && words.flag(off))
    throw new UsageError({ en: `--${on} and --${off} exclude each other.`, fr: `--${on} et --${off} s’excluent.` })
  if (words.flag(on)) apply(true)
  if (words.flag(off)) apply(false)
}

const text = (help: Phrase): OptionSpec => ({ value: 'text', help })

export const userSet = adminCommand<UserReport>({
  name: 'user set',
  summary: {
    en: 'Changes a mailbox; live sessions follow at once.',
    fr: 'Modifie une boîte ; les sessions ouvertes suivent aussitôt.',
  },
  arguments: ['address'],
  options: {
    address: {
      value: 'address',
      help: {
        en: 'New primary address; the old one stays as alias.',
        fr: 'Nouvelle adresse principale ; l’ancienne reste comme alias.',
      },
    },
    alias: { value: 'address', many: true, help: listFor.aliases },
    name: text(shownName),
    'given-name': text({ en: 'Given name.', fr: 'Prénom.' }),
    surname: text({ en: 'Surname.', fr: 'Nom de famille.' }),
    title: text({ en: 'Title.', fr: 'Fonction.' }),
    department: text({ en: 'Department.', fr: 'Service.' }),
    company: text({ en: 'Company.', fr: 'Société.' }),
    office: text({ en: 'Office.', fr: 'Bureau.' }),
    phone: text({ en: 'Telephone.', fr: 'Téléphone.' }),
    mobile: text({ en: 'Mobile telephone.', fr: 'Téléphone mobile.' }),
    language: { value: 'en|fr', help: { en: 'Language of messages.', fr: 'Langue des messages.' } },
    type: { value: 'type', help: { en: 'user, shared, room or equipment.', fr: 'user, shared, room ou equipment.' } },
    quota: { value: 'size', help: quotaHelp },
    enable: { help: { en: 'Lets the user log in.', fr: 'Permet à l’utilisateur de se connecter.' } },
    disable: {
      help: {
        en: 'Keeps the user out and ends live sessions; mail still arrives.',
        fr: 'Ferme l’accès et les sessions ouvertes ; le courrier arrive toujours.',
      },
    },
    hide: { help: listFor.hide },
    unhide: { help: listFor.unhide },
    on: {
      value: 'protocols',
      many: true,
      help: {
        en: 'Switches protocols on: imap,pop3,activesync,smtp,web …',
        fr: 'Active des protocoles : imap,pop3,activesync,smtp,web …',
      },
    },
    off: { value: 'protocols', many: true, help: { en: 'Switches protocols off.', fr: 'Désactive des protocoles.' } },
    'forward-to': { value: 'address', help: { en: 'Forwards its mail.', fr: 'Fait suivre son courrier.' } },
    'no-forward': { help: { en: 'Forwards no longer.', fr: 'Ne fait plus suivre.' } },
    'keep-copy': {
      help: { en: 'Keeps forwarded mail here as well.', fr: 'Garde aussi ici le courrier que l’on fait suivre.' },
    },
    'no-copy': { help: { en: 'Keeps no forwarded mail.', fr: 'Ne garde pas le courrier que l’on fait suivre.' } },
    'full-access': {
      value: 'addresses',
      many: true,
      help: {
        en: 'Who may open it (replaces the list; empty: nobody).',
        fr: 'Qui peut l’ouvrir (remplace la liste ; vide : personne).',
      },
    },
    'send-as': {
      value: 'addresses',
      many: true,
      help: { en: 'Who may send with its address.', fr: 'Qui peut envoyer avec son adresse.' },
    },
    'send-on-behalf': {
      value: 'addresses',
      many: true,
      help: { en: 'Who may send on its behalf.', fr: 'Qui peut envoyer de sa part.' },
    },
  },
  notes: [example('postrider user set bob@example.com --off pop3,imap')],
  where: 'either',
  async run(administration, words) {
    const { directory } = administration
    const entry = await directory.updateMailbox(words.need(0, 'address'), changeOf(words))
    await settleMailboxes(directory, administration.server?.service)
    return userReport(entry, (account) => directory.account(account)?.address ?? account)
  },
  text: factText,
})
