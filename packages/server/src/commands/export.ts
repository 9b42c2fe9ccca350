import { CommandFailed, ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'
import { exportMailbox } from '../transfer/exporter.ts'
import { withMailbox } from '../transfer/open.ts'
import { progressBar } from '../transfer/progress.ts'
import { TransferError } from '../transfer/types.ts'

const formats = ['maildir', 'mbox', 'eml'] as const

export const exportCommand: LocalCommand = {
  name: 'export',
  summary: 'Writes the mails of a mailbox into a folder: as Maildir, mbox files or EML files.',
  arguments: ['address', 'folder'],
  options: { format: { value: 'format', help: 'maildir (usual), mbox (mboxrd) or eml.' } },
  notes: [
    'The server may run. Flags, dates, UIDs and folder names are kept; `postrider import` reads all of it back.',
    'Run the same again to go on after an interruption, or to bring the folder up to date.',
  ],
  where: 'here',
  async run(words, { loaded, terminal, json }) {
    const wanted = words.value('format') ?? 'maildir'
    const format = formats.find((one) => one === wanted)
    if (format === undefined) throw new UsageError(`--format must be one of ${formats.join(', ')}.`)
    const bar = progressBar(terminal, json)
    try {
      const report = await withMailbox(loaded(), words.need(0, 'address'), 'export', ({ service, mailbox }) =>
        exportMailbox({
          service,
          mailbox,
          target: words.need(1, 'folder'),
          format,
          onProgress: (now) => bar.show(now.done, `${now.folder}: ${now.mails} mails`, now),
        }),
      )
      bar.end()
      const unchanged = report.unchanged === 0 ? '' : ` ${report.unchanged} folders had not changed.`
      const lines = [`${report.mails} mails of ${report.folders} folders exported.${unchanged}`, ...report.warnings]
      terminal.out(json ? JSON.stringify({ result: report }) : lines.join('\n'))
      return ExitCode.ok
    } catch (error) {
      bar.end()
      if (error instanceof TransferError || error instanceof CommandFailed || error instanceof UsageError) throw error
      const message = error instanceof Error ? error.message : String(error)
      throw new CommandFailed(`${message} Run the same again to go on.`, 'export')
    }
  },
}
