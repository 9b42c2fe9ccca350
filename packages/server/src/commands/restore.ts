import { restoreBackup, restoreMailbox } from '../backup/index.ts'
import { CommandFailed, ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'

export const restoreCommand: LocalCommand = {
  name: 'restore',
  summary:
    'Puts a backup in the place of the data folder (the server stopped), or brings back one mailbox (it may run).',
  arguments: ['folder'],
  options: {
    at: { value: 'time', help: 'The last backup made until then, as 2026-11-21T14:00:00Z; without it the last one.' },
    mailbox: { value: 'address', help: 'Only the mails of this mailbox, into a new folder of it.' },
    into: { value: 'folder', help: 'With --mailbox: the name of that folder.' },
    replace: { help: 'Moves what is in the data folder aside, into before-restore-… there.' },
  },
  notes: [
    'Mail programs and phones load their folders anew afterwards: what they saw since the backup must not be taken for something else.',
    'Messages that waited to be sent are held, since they may have been sent: see postrider queue list, queue release.',
  ],
  where: 'here',
  async run(words, { loaded, terminal, json }) {
    const time = words.value('at')
    const at = time === undefined ? undefined : Date.parse(time)
    if (at !== undefined && Number.isNaN(at))
      throw new UsageError(`'${time}' is no time. Write it as 2026-11-21T14:00:00Z.`)
    const configuration = loaded()
    if (configuration.config['store.driver'] === 'postgres')
      throw new CommandFailed('The mailboxes are in PostgreSQL: restore them with its own tools.', 'driver')
    const address = words.value('mailbox')
    if (address !== undefined) {
      const wanted = { address, into: words.value('into'), now: Date.now, ...(at === undefined ? {} : { at }) }
      const mails = await restoreMailbox(configuration, words.need(0, 'folder'), wanted)
      const text = `${mails.imported} mails as of ${mails.made} are in the folder ${mails.into}.`
      terminal.out(json ? JSON.stringify({ result: mails }) : text)
      return mails.badCount === 0 ? ExitCode.ok : ExitCode.failed
    }
    const options = { replace: words.flag('replace'), now: Date.now(), ...(at === undefined ? {} : { at }) }
    const report = await restoreBackup(configuration, words.need(0, 'folder'), options)
    const lines = [
      `${report.items} items as of ${report.made}.`,
      ...(report.held === 0 ? [] : [`${report.held} messages to be sent are held: postrider queue list.`]),
      ...(report.empty.length === 0 ? [] : [`Empty, since they were just being made: ${report.empty.join(', ')}.`]),
      ...(report.before === null ? [] : [`What was there lies in ${report.before}.`]),
    ]
    terminal.out(json ? JSON.stringify({ result: report }) : lines.join('\n'))
    return ExitCode.ok
  },
}
