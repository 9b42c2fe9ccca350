import type { MailboxChange, ProtocolName } from '@postrider/domain'
import { settleMailboxes } from '../../administration.ts'
import { adminCommand, UsageError, type Words } from '../../cli/command.ts'
import { factText, languageOf, protocolsNamed, quotaOf, typeOf, type UserReport, userReport } from './fields.ts'

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
  if (Object.keys(change).length === 0) throw new UsageError('Nothing to change was given.')
  return change as MailboxChange
}
function toggle(words: Words, on: string, off: string, apply: (on: boolean) => void): void {
  if (words.flag(on) && words.flag(off)) throw new UsageError(`--${on} and --${off} exclude each other.`)
  if (words.flag(on)) apply(true)
  if (words.flag(off)) apply(false)
}

const text = (help: string) => ({ value: 'text', help })

export const userSet = adminCommand<UserReport>({
  name: 'user set',
  summary: 'Changes a mailbox; live sessions follow at once.',
  arguments: ['address'],
  options: {
    address: { value: 'address', help: 'New primary address; the old one stays as alias.' },
    alias: { value: 'address', many: true, help: 'All aliases it is to have (replaces the list).' },
    name: text('Name shown to others.'),
    'given-name': text('Given name.'),
    surname: text('Surname.'),
    title: text('Title.'),
    department: text('Department.'),
    company: text('Company.'),
    office: text('Office.'),
    phone: text('Telephone.'),
    mobile: text('Mobile telephone.'),
    language: { value: 'en|fr', help: 'Language of messages.' },
    type: { value: 'type', help: 'user, shared, room or equipment.' },
    quota: { value: 'size', help: 'Largest size: 500MB, 2GB, none.' },
    enable: { help: 'Lets the user log in.' },
    disable: { help: 'Keeps the user out and ends live sessions; mail still arrives.' },
    hide: { help: 'Leaves it out of address lists.' },
    unhide: { help: 'Puts it into address lists.' },
    on: { value: 'protocols', many: true, help: 'Switches protocols on: imap,pop3,activesync,smtp,web …' },
    off: { value: 'protocols', many: true, help: 'Switches protocols off.' },
    'forward-to': { value: 'address', help: 'Forwards its mail.' },
    'no-forward': { help: 'Forwards no longer.' },
    'keep-copy': { help: 'Keeps forwarded mail here as well.' },
    'no-copy': { help: 'Keeps no forwarded mail.' },
    'full-access': { value: 'addresses', many: true, help: 'Who may open it (replaces the list; empty: nobody).' },
    'send-as': { value: 'addresses', many: true, help: 'Who may send with its address.' },
    'send-on-behalf': { value: 'addresses', many: true, help: 'Who may send on its behalf.' },
  },
  notes: ['Example: postrider user set bob@example.com --off pop3,imap'],
  where: 'either',
  async run(administration, words) {
    const { directory } = administration
    const entry = await directory.updateMailbox(words.need(0, 'address'), changeOf(words))
    await settleMailboxes(directory, administration.server?.service)
    return userReport(entry, (account) => directory.account(account)?.address ?? account)
  },
  text: factText,
})
