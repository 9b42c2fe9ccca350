import type { Say } from '@postrider/domain'
import { CommandFailed, ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'
import { mustBeOneOf } from '../cli/phrases.ts'
import { exportMailbox, type ExportReport } from '../transfer/exporter.ts'
import { withMailbox } from '../transfer/open.ts'
import { progressBar } from '../transfer/progress.ts'
import { TransferError } from '../transfer/types.ts'
import { reasonOf } from '../cli/reasons.ts'

const formats = ['maildir', 'mbox', 'eml'] as const

export const exportCommand: LocalCommand = {
  name: 'export',
  summary: {
    en: 'Writes the mails of a mailbox into a folder: as Maildir, mbox files or EML files.',
    fr: 'Écrit le courrier d’une boîte dans un dossier : en Maildir, en fichiers mbox ou en fichiers EML.',
  },
  arguments: ['address', 'folder'],
  options: {
    format: {
      value: 'format',
      help: { en: 'maildir (usual), mbox (mboxrd) or eml.', fr: 'maildir (par défaut), mbox (mboxrd) ou eml.' },
    },
  },
  notes: [
    {
      en: 'The server may run. Flags, dates, UIDs and folder names are kept; `postrider import` reads all of it back.',
      fr: 'Le serveur peut tourner. Indicateurs, dates, UID et noms de dossiers sont gardés ; `postrider import` relit le tout.',
    },
    {
      en: 'Run the same again to go on after an interruption, or to bring the folder up to date.',
      fr: 'Relancez la même commande pour reprendre après une interruption, ou pour mettre le dossier à jour.',
    },
  ],
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const wanted = words.value('format') ?? 'maildir'
    const format = formats.find((one) => one === wanted)
    if (format === undefined) throw new UsageError(mustBeOneOf('format', formats))
    const bar = progressBar(terminal, json)
    try {
      const report = await withMailbox(loaded(), words.need(0, 'address'), 'export', say, ({ service, mailbox }) =>
        exportMailbox({
          service,
          mailbox,
          target: words.need(1, 'folder'),
          format,
          say,
          onProgress(now) {
            const mails = say({ en: `${say.number(now.mails)} mails`, fr: `courriers : ${say.number(now.mails)}` })
            bar.show(now.done, `${now.folder}: ${mails}`, now)
          },
        }),
      )
      bar.end()
      terminal.out(json ? JSON.stringify({ result: report }) : text(report, say))
      return ExitCode.ok
    } catch (error) {
      bar.end()
      if (error instanceof TransferError || error instanceof CommandFailed || error instanceof UsageError) throw error
      const { en, fr } = reasonOf(error)
      throw new CommandFailed(
        { en: `${en} Run the same again to go on.`, fr: `${fr} Relancez la même commande pour reprendre.` },
        'export',
      )
    }
  },
}

function text(report: ExportReport, say: Say): string {
  const [mails, folders, same] = [report.mails, report.folders, report.unchanged].map(say.number)
  const unchanged = say({ en: ` ${same} folders had not changed.`, fr: ` Dossiers inchangés : ${same}.` })
  const done = say({
    en: `${mails} mails of ${folders} folders exported.`,
    fr: `Courriers exportés : ${mails} ; dossiers : ${folders}.`,
  })
  return [`${done}${report.unchanged === 0 ? '' : unchanged}`, ...report.warnings].join('\n')
}
