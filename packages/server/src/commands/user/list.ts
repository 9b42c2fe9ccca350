import { adminCommand } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { type UserReport, userReport } from './fields.ts'

export const userList = adminCommand<readonly UserReport[]>({
  name: 'user list',
  summary: { en: 'Lists mailboxes.', fr: 'Donne la liste des boîtes.' },
  arguments: ['text?'],
  options: {},
  notes: [
    {
      en: 'With a text: only mailboxes whose address or name contains it.',
      fr: 'Avec un texte : seulement les boîtes dont l’adresse ou le nom le contient.',
    },
  ],
  where: 'either',
  async run({ directory }, words) {
    const text = words.at(0)?.toLowerCase() ?? ''
    return [...directory.mailboxes()]
      .filter((entry) =>
        `${entry.address}\n${entry.aliases.join('\n')}\n${entry.displayName}`.toLowerCase().includes(text),
      )
      .map((entry) => userReport(entry, (account) => directory.account(account)?.address ?? account))
      .sort((a, b) => (a.address < b.address ? -1 : 1))
  },
  text: (reports, say) =>
    columns(
      [
        [say({ en: 'ADDRESS', fr: 'ADRESSE' }), say({ en: 'NAME', fr: 'NOM' }), 'TYPE', ''],
        ...reports.map((one) => [
          one.address,
          one.displayName,
          one.administrator ? say({ en: 'administrator', fr: 'administrateur' }) : one.type,
          one.enabled ? '' : say({ en: 'disabled', fr: 'désactivée' }),
        ]),
      ],
      '',
    ),
})
