import type { DirectoryStore } from '@postrider/store/directory'
import { type ServerStatus, type StoreReport, settleMailboxes, storeReport } from '../administration.ts'
import { adminCommand, CommandFailed } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import { databasesInUse, type Loaded, postgresServer } from '../config/load.ts'
import { openStore } from '../home/open-store.ts'

export const status = adminCommand<ServerStatus>({
  name: 'status',
  summary: 'Shows what the running server does.',
  arguments: [],
  options: {},
  where: 'server',
  async run({ server }) {
    if (server === undefined) throw new CommandFailed('The server is not running.', 'notRunning')
    return server.status()
  },
  text: (now) =>
    [
      `postrider ${now.version}, process ${now.pid}, up ${now.uptimeSeconds} s, ${Math.round(now.memoryBytes / 1_048_576)} MB`,
      columns(
        Object.entries(now.listeners).map(([name, { host, port }]) => [
          name,
          `${host}:${port}`,
          `${now.connections[name] ?? 0} connections`,
        ]),
      ),
      `${now.held} held requests`,
    ].join('\n'),
})

export const reload = adminCommand<readonly string[]>({
  name: 'reload',
  summary: 'Reads configuration and certificate again; sessions stay.',
  arguments: [],
  options: {},
  where: 'server',
  async run({ server }) {
    if (server === undefined) throw new CommandFailed('The server is not running.', 'notRunning')
    return server.reload()
  },
  text: (lines) => (lines.length === 0 ? 'Nothing changed.' : lines.join('\n')),
})

export const storeCheck = adminCommand<StoreReport>({
  name: 'store check',
  summary: 'Reads the mailbox databases from end to end and compares every checksum.',
  arguments: [],
  options: { quick: { help: 'Leaves out the messages themselves: tables and counters only.' } },
  notes: ['Changes nothing, and users go on working. Fails (1) when something does not fit.'],
  where: 'either',
  async run({ server, directory, loaded }, words) {
    const originals = !words.flag('quick')
    const report =
      server === undefined ? await checkStopped(loaded, directory, originals) : await server.checkStore(originals)
    if (report.problems.length > 0) throw new CommandFailed(report.problems.join('\n'), 'corrupt')
    return report
  },
  text: (report) =>
    `${report.items} items in ${report.mailboxes} mailboxes, ${report.verifiedBytes} bytes of messages read: all well.`,
})

/** The same while the server is stopped: the databases are opened here. */
async function checkStopped(loaded: Loaded, directory: DirectoryStore, originals: boolean): Promise<StoreReport> {
  const store = await openStore({
    folder: loaded.dataFolder,
    databases: databasesInUse(loaded, directory),
    server: postgresServer(loaded.config),
  })
  try {
    await settleMailboxes(directory, store)
    return await storeReport(await store.check({ originals }), directory, store)
  } finally {
    await store.close()
  }
}
