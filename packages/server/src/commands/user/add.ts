import { randomBytes } from 'node:crypto'
import { addressValid } from '@postrider/store/directory'
import { settleMailboxes } from '../../administration.ts'
import { adminCommand } from '../../cli/command.ts'
import { example, shownName } from '../../cli/phrases.ts'
import { databaseNames } from '../../config/load.ts'
import { readIdentity } from '../../nodes/identity.ts'
import { placeOf } from '../../nodes/placement.ts'
import {
  languageOf,
  passwordOptions,
  passwordPrompt,
  quotaHelp,
  quotaOf,
  readPassword,
  typeOf,
  type UserReport,
  userReport,
} from './fields.ts'

/** 20 letters and digits that nobody confuses: 100 bits. */
export function randomPassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
  return Array.from(randomBytes(20), (byte) => alphabet[byte & 31]).join('')
}

export const userAdd = adminCommand<UserReport & { password?: string }>({
  name: 'user add',
  summary: { en: 'Adds a mailbox.', fr: 'Ajoute une boîte.' },
  arguments: ['address'],
  options: {
    ...passwordOptions,
    'random-password': {
      help: { en: 'Makes up a password and prints it.', fr: 'Invente un mot de passe et l’affiche.' },
    },
    name: { value: 'text', help: shownName },
    alias: {
      value: 'address',
      many: true,
      help: {
        en: 'Another address it receives; may be given several times.',
        fr: 'Une autre adresse qu’elle reçoit ; peut être indiquée plusieurs fois.',
      },
    },
    quota: { value: 'size', help: quotaHelp },
    language: {
      value: 'en|fr',
      help: { en: 'Language of its folders and messages.', fr: 'Langue de ses dossiers et messages.' },
    },
    node: {
      value: 'name',
      help: {
        en: 'The machine it is to live on; without it, where there are fewest.',
        fr: 'La machine où elle doit vivre ; sans cela, celle qui en a le moins.',
      },
    },
    type: {
      value: 'type',
      help: {
        en: 'user, shared, room or equipment; all but user have no password.',
        fr: 'user, shared, room ou equipment ; tous sauf user sont sans mot de passe.',
      },
    },
  },
  notes: [example('printf %s "$PASSWORD" | postrider user add bob@example.com --password-stdin --name "Bob Stone"')],
  where: 'either',
  async secret(words, terminal, say) {
    // Nobody is asked for a password that is then for nothing.
    if (!addressValid(words.need(0, 'address'))) return undefined
    if (words.flag('random-password') || (typeOf(words) ?? 'user') !== 'user') return undefined
    return readPassword(words, terminal, say)
  },
  async run(administration, words) {
    const { directory, loaded } = administration
    const made = words.flag('random-password') ? randomPassword() : undefined
    const password = words.secret ?? made
    const quota = quotaOf(words) ?? (words.has('quota') ? undefined : loaded.config['limits.mailboxQuota'] || undefined)
    const name = words.value('name')
    const type = typeOf(words)
    const isHead = readIdentity(loaded.dataFolder)?.head === undefined
    const database = placeOf(directory, isHead ? databaseNames(loaded.config) : [], words.value('node'))
    const entry = await directory.addMailbox({
      address: words.need(0, 'address'),
      language: languageOf(words) ?? loaded.config.language,
      aliases: words.many('alias') ?? [],
      ...(name === undefined ? {} : { displayName: name }),
      ...(type === undefined ? {} : { type }),
      ...(password === undefined ? {} : { password }),
      ...(quota === undefined ? {} : { quota }),
      ...(database === undefined ? {} : { database }),
    })
    await settleMailboxes(administration.directory, administration.server?.service)
    const report = userReport(entry, (account) => directory.account(account)?.address ?? account)
    return made === undefined ? report : { ...report, password: made }
  },
  text({ address, password }, say) {
    const done = say({ en: `${address} has a mailbox now.`, fr: `${address} a maintenant une boîte.` })
    return password === undefined ? done : `${done}\n${say(passwordPrompt)}${password}`
  },
})
