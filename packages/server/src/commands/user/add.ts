import { randomBytes } from 'node:crypto'
import { settleMailboxes } from '../../administration.ts'
import { adminCommand } from '../../cli/command.ts'
import { languageOf, passwordOptions, quotaOf, readPassword, typeOf, type UserReport, userReport } from './fields.ts'

/** 20 letters and digits that nobody confuses: 100 bits. */
export function randomPassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
  return Array.from(randomBytes(20), (byte) => alphabet[byte & 31]).join('')
}

export const userAdd = adminCommand<UserReport & { password?: string }>({
  name: 'user add',
  summary: 'Adds a mailbox.',
  arguments: ['address'],
  options: {
    ...passwordOptions,
    'random-password': { help: 'Makes up a password and prints it.' },
    name: { value: 'text', help: 'Name shown to others.' },
    alias: { value: 'address', many: true, help: 'Another address it receives; may be given several times.' },
    quota: { value: 'size', help: 'Largest size: 500MB, 2GB, none.' },
    language: { value: 'en|fr', help: 'Language of its folders and messages.' },
    type: { value: 'type', help: 'user, shared, room or equipment; all but user have no password.' },
  },
  notes: ['Example: printf %s "$PASSWORD" | postrider user add bob@example.com --password-stdin --name "Bob Stone"'],
  where: 'either',
  async secret(words, terminal) {
    if (words.flag('random-password') || (typeOf(words) ?? 'user') !== 'user') return undefined
    return readPassword(words, terminal)
  },
  async run(administration, words) {
    const { directory, loaded } = administration
    const made = words.flag('random-password') ? randomPassword() : undefined
    const password = words.secret ?? made
    const quota = quotaOf(words) ?? (words.has('quota') ? undefined : loaded.config['limits.mailboxQuota'] || undefined)
    const name = words.value('name')
    const type = typeOf(words)
    const entry = await directory.addMailbox({
      address: words.need(0, 'address'),
      language: languageOf(words) ?? loaded.config.language,
      aliases: words.many('alias') ?? [],
      ...(name === undefined ? {} : { displayName: name }),
      ...(type === undefined ? {} : { type }),
      ...(password === undefined ? {} : { password }),
      ...(quota === undefined ? {} : { quota }),
    })
    await settleMailboxes(administration.directory, administration.server?.service)
    const report = userReport(entry, (account) => directory.account(account)?.address ?? account)
    return made === undefined ? report : { ...report, password: made }
  },
  text: (report) =>
    `${report.address} has a mailbox now.${report.password === undefined ? '' : `\nPassword: ${report.password}`}`,
})
