import { readFileSync } from 'node:fs'
import { CommandFailed, ExitCode, type LocalCommand, type Terminal, UsageError, type Words } from '../cli/command.ts'
import type { ImapServer } from '../transfer/imap-client.ts'
import { imapSource } from '../transfer/imap-source.ts'
import { Importer, type ImportReport } from '../transfer/importer.ts'
import { withMailbox } from '../transfer/open.ts'
import { progressBar } from '../transfer/progress.ts'
import { fileSource } from '../transfer/source.ts'
import type { MailSource } from '../transfer/types.ts'

const formats = ['maildir', 'mbox', 'eml'] as const
const quotings = { rd: 'rd', o: 'o', cl: 'rd', cl2: 'none' } as const

function oneOf<T extends string>(words: Words, option: string, all: readonly T[]): T | undefined {
  const text = words.value(option)
  const found = all.find((one) => one === text)
  if (text !== undefined && found === undefined) throw new UsageError(`--${option} must be one of ${all.join(', ')}.`)
  return found
}

async function password(words: Words, terminal: Terminal, user: string, host: string): Promise<string> {
  const file = words.value('password-file')
  const first = (text: string): string => text.split(/\r?\n/, 1)[0] ?? ''
  if (file !== undefined) return first(readFileSync(file, 'utf8'))
  if (words.flag('password-stdin')) return first(await terminal.input())
  const typed = await terminal.askSecret(`Password of ${user} at ${host}: `)
  if (typed === undefined)
    throw new UsageError('There is no terminal to ask for the password: use --password-file or --password-stdin.')
  return typed
}

async function imapServer(url: URL, words: Words, terminal: Terminal): Promise<ImapServer> {
  const user = decodeURIComponent(url.username)
  if (url.password !== '') throw new UsageError('A password does not belong into the address, where others see it.')
  if (user === '') throw new UsageError('Name the user: imaps://user@host')
  const security = url.protocol === 'imaps:' ? 'tls' : words.flag('no-tls') ? 'none' : 'starttls'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const ca = words.value('ca-file')
  return {
    host,
    port: url.port === '' ? (security === 'tls' ? 993 : 143) : Number(url.port),
    security,
    user,
    password: await password(words, terminal, user, host),
    ca: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
    insecure: words.flag('insecure'),
  }
}

async function open(words: Words, terminal: Terminal): Promise<MailSource> {
  const source = words.need(1, 'source')
  if (/^imaps?:\/\//i.test(source)) {
    if (!URL.canParse(source)) throw new UsageError(`'${source}' is no address. Write it as imaps://user@host:993.`)
    return imapSource(await imapServer(new URL(source), words, terminal))
  }
  const quoting = quotings[oneOf(words, 'mbox', ['rd', 'o', 'cl', 'cl2'] as const) ?? 'rd']
  return fileSource(source, oneOf(words, 'format', formats), quoting)
}

export const importCommand: LocalCommand = {
  name: 'import',
  summary: 'Imports mails into a mailbox: Maildir, mbox, EML files, or another IMAP server.',
  arguments: ['address', 'source'],
  options: {
    format: { value: 'format', help: 'maildir, mbox or eml; without it the files tell.' },
    into: { value: 'folder', help: 'Puts everything below this folder (levels with /).' },
    mbox: { value: 'dialect', help: 'How mbox lines are quoted: rd (usual), o, cl, cl2.' },
    again: { help: 'Imports also what an earlier import brought: mails will be there twice.' },
    'password-file': { value: 'file', help: 'File whose first line is the password at the IMAP server.' },
    'password-stdin': { help: 'Reads that password from standard input.' },
    'ca-file': { value: 'file', help: 'Certificate authority of the IMAP server, PEM.' },
    insecure: { help: 'Takes whatever certificate the IMAP server has.' },
    'no-tls': { help: 'With imap://: the password goes over the network in the clear.' },
  },
  notes: [
    'The server may run, and users may work meanwhile. Run the same again to go on after an interruption or to bring what is new:',
    'nothing comes twice. Flags, dates and subscriptions are kept; UIDs too, where a folder here is empty.',
    '',
    '  postrider import bob@example.org /home/bob/Maildir',
    '  postrider import bob@example.org imaps://bob@old.example.org --password-file bob.secret',
    '  postrider import bob@example.org old.mbox --into "Old mail/2019"',
  ],
  where: 'here',
  async run(words, { loaded, terminal, json }) {
    const into = words
      .value('into')
      ?.split('/')
      .filter((one) => one !== '')
    const source = await open(words, terminal)
    const bar = progressBar(terminal, json)
    try {
      const report = await withMailbox(loaded(), words.need(0, 'address'), 'import', ({ service, mailbox }) =>
        new Importer({
          service,
          mailbox,
          source,
          ...(into === undefined || into.length === 0 ? {} : { into }),
          again: words.flag('again'),
          now: Date.now,
          onProgress: (now) =>
            bar.show(now.done, `${now.folder}: ${now.imported} imported, ${now.skipped} known`, { ...now }),
        }).run(),
      )
      bar.end()
      terminal.out(json ? JSON.stringify({ result: report }) : text(report))
      return report.badCount > 0 ? ExitCode.failed : ExitCode.ok
    } catch (error) {
      bar.end()
      const message = error instanceof Error ? error.message : String(error)
      throw new CommandFailed(`${message} What was imported stays; run the same again to go on.`, 'import')
    } finally {
      await source.close()
    }
  },
}

function text(report: ImportReport): string {
  const lines = [`${report.imported} mails (${report.bytes} bytes) imported from ${report.folders} folders.`]
  if (report.skipped > 0) lines.push(`${report.skipped} were imported before.`)
  lines.push(...report.warnings)
  if (report.badCount > 0) lines.push(`${report.badCount} could not be imported:`)
  for (const { where, why } of report.bad) lines.push(`  ${where}: ${why}`)
  return lines.join('\n')
}
