import type { ServerStatus, StoreReport } from '../administration.ts'
import { adminCommand, CommandFailed } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'

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
  summary: 'Reads every message and compares its checksum.',
  arguments: [],
  options: {},
  where: 'server',
  async run({ server }) {
    if (server === undefined) throw new CommandFailed('The server is not running.', 'notRunning')
    const report = await server.checkStore()
    if (report.problems.length > 0) throw new CommandFailed(report.problems.join('\n'), 'corrupt')
    return report
  },
  text: (report) => `${report.items} items in ${report.mailboxes} mailboxes, ${report.bytes} bytes: all well.`,
})
