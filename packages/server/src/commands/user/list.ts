import { adminCommand } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { type UserReport, userReport } from './fields.ts'

export const userList = adminCommand<readonly UserReport[]>({
  name: 'user list',
  summary: 'Lists mailboxes.',
  arguments: ['text?'],
  options: {},
  notes: ['With a text: only mailboxes whose address or name contains it.'],
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
  text: (reports) =>
    columns(
      [
        ['ADDRESS', 'NAME', 'TYPE', ''],
        ...reports.map((one) => [
          one.address,
          one.displayName,
          one.administrator ? 'administrator' : one.type,
          one.enabled ? '' : 'disabled',
        ]),
      ],
      '',
    ),
})
