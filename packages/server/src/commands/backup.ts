import { makeBackup } from '../backup/index.ts'
import { CommandFailed, ExitCode, type LocalCommand } from '../cli/command.ts'

export const backupCommand: LocalCommand = {
  name: 'backup',
  summary: 'Makes a backup of everything while the server runs, and reads it back.',
  arguments: ['folder'],
  options: {},
  notes: [
    'Every backup is a whole one as of one moment; messages that are in an earlier one of the same folder are shared with it by hard',
    'links, so further ones are small. Delete old ones as you like. Run it as the owner of the data folder.',
  ],
  where: 'here',
  async run(words, { loaded, terminal, json }) {
    const { config, dataFolder } = loaded()
    if (config['store.driver'] === 'postgres')
      throw new CommandFailed(
        'The mailboxes are in PostgreSQL: back them up with its own tools, as pg_basebackup.',
        'driver',
      )
    const report = await makeBackup(dataFolder, words.need(0, 'folder'), Date.now())
    const { set, items, bytes, shared } = report
    terminal.out(
      json
        ? JSON.stringify({ result: report })
        : `${items} items, ${bytes} bytes of messages (${shared} shared) in ${set}. All read back.`,
    )
    return ExitCode.ok
  },
}
