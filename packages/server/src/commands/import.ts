import { readFileSync } from 'node:fs'
import { type Say, verbatim } from '@postrider/domain'
import { CommandFailed, ExitCode, type LocalCommand, type Terminal, UsageError, type Words } from '../cli/command.ts'
import { mustBeOneOf } from '../cli/phrases.ts'
import type { ImapServer } from '../transfer/imap-client.ts'
import { imapSource } from '../transfer/imap-source.ts'
import { Importer, type ImportReport } from '../transfer/importer.ts'
import { withMailbox } from '../transfer/open.ts'
import { progressBar } from '../transfer/progress.ts'
import { fileSource } from '../transfer/source.ts'
import type { MailSource } from '../transfer/types.ts'
import { reasonOf } from '../cli/reasons.ts'

const formats = ['maildir', 'mbox', 'eml'] as const
const quotings = { rd: 'rd', o: 'o', cl: 'rd', cl2: 'none' } as const

function oneOf<T extends string>(words: Words, option: string, all: readonly T[]): T | undefined {
  const text = words.value(option)
  const found = all.find((one) => one === text)
  if (text !== undefined && found === undefined) throw new UsageError(mustBeOneOf(option, all))
  return found
}

async function password(words: Words, terminal: Terminal, say: Say, user: string, host: string): Promise<string> {
  const file = words.value('password-file')
  const first = (text: string): string => text.split(/\r?\n/, 1)[0] ?? ''
  if (file !== undefined) return first(readFileSync(file, 'utf8'))
  if (words.flag('password-stdin')) return first(await terminal.input())
  const typed = await terminal.askSecret(
    say({ en: `Password of ${user} at ${host}: `, fr: `Mot de passe de ${user} sur ${host} : ` }),
  )
  if (typed === undefined)
    throw new UsageError({
      en: 'There is no terminal to ask for the password: use --password-file or --password-stdin.',
      fr: 'Il n’y a pas de terminal pour demander le mot de passe : utilisez --password-file ou --password-stdin.',
    })
  return typed
}

async function imapServer(url: URL, words: Words, terminal: Terminal, say: Say): Promise<ImapServer> {
  const user = decodeURIComponent(url.username)
  if (url.password !== '')
    throw new UsageError({
      en: 'A password does not belong into the address, where others see it.',
      fr: 'Un mot de passe n’a pas sa place dans l’adresse, où d’autres le voient.',
    })
  if (user === '')
    throw new UsageError({
      en: 'Name the user: imaps://user@host',
      fr: 'Indiquez l’utilisateur : imaps://utilisateur@hôte',
    })
  const security = url.protocol === 'imaps:' ? 'tls' : words.flag('no-tls') ? 'none' : 'starttls'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const ca = words.value('ca-file')
  return {
    host,
    port: url.port === '' ? (security === 'tls' ? 993 : 143) : Number(url.port),
    security,
    user,
    password: await password(words, terminal, say, user, host),
    ca: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
    insecure: words.flag('insecure'),
  }
}

async function open(words: Words, terminal: Terminal, say: Say): Promise<MailSource> {
  const source = words.need(1, 'source')
  if (/^imaps?:\/\//i.test(source)) {
    if (!URL.canParse(source))
      throw new UsageError({
        en: `'${source}' is no address. Write it as imaps://user@host:993.`,
        fr: `« ${source} » n’est pas une adresse. Écrivez imaps://utilisateur@hôte:993.`,
      })
    return imapSource(await imapServer(new URL(source), words, terminal, say))
  }
  const quoting = quotings[oneOf(words, 'mbox', ['rd', 'o', 'cl', 'cl2'] as const) ?? 'rd']
  return fileSource(source, oneOf(words, 'format', formats), quoting)
}

export const importCommand: LocalCommand = {
  name: 'import',
  summary: {
    en: 'Imports mails into a mailbox: Maildir, mbox, EML files, or another IMAP server.',
    fr: 'Importe du courrier dans une boîte : Maildir, mbox, fichiers EML ou un autre serveur IMAP.',
  },
  arguments: ['address', 'source'],
  options: {
    format: {
      value: 'format',
      help: {
        en: 'maildir, mbox or eml; without it the files tell.',
        fr: 'maildir, mbox ou eml ; sans cela, les fichiers le disent.',
      },
    },
    into: {
      value: 'folder',
      help: {
        en: 'Puts everything below this folder (levels with /).',
        fr: 'Met tout sous ce dossier (niveaux séparés par /).',
      },
    },
    mbox: {
      value: 'dialect',
      help: {
        en: 'How mbox lines are quoted: rd (usual), o, cl, cl2.',
        fr: 'Comment les lignes mbox sont protégées : rd (par défaut), o, cl, cl2.',
      },
    },
    again: {
      help: {
        en: 'Imports also what an earlier import brought: mails will be there twice.',
        fr: 'Importe aussi ce qu’un import précédent a apporté : le courrier sera en double.',
      },
    },
    'password-file': {
      value: 'file',
      help: {
        en: 'File whose first line is the password at the IMAP server.',
        fr: 'Fichier dont la première ligne est le mot de passe sur le serveur IMAP.',
      },
    },
    'password-stdin': {
      help: { en: 'Reads that password from standard input.', fr: 'Lit ce mot de passe sur l’entrée standard.' },
    },
    'ca-file': {
      value: 'file',
      help: {
        en: 'Certificate authority of the IMAP server, PEM.',
        fr: 'Autorité de certification du serveur IMAP, PEM.',
      },
    },
    insecure: {
      help: {
        en: 'Takes whatever certificate the IMAP server has.',
        fr: 'Accepte le certificat du serveur IMAP quel qu’il soit.',
      },
    },
    'no-tls': {
      help: {
        en: 'With imap://: the password goes over the network in the clear.',
        fr: 'Avec imap:// : le mot de passe passe en clair sur le réseau.',
      },
    },
  },
  notes: [
    {
      en: 'The server may run, and users may work meanwhile. Run the same again to go on after an interruption or to bring what is new:\nnothing comes twice. Flags, dates and subscriptions are kept; UIDs too, where a folder here is empty.',
      fr: 'Le serveur peut tourner, et les utilisateurs travailler. Relancez la même commande pour reprendre après une interruption ou pour\napporter les nouveautés : rien ne vient en double. Indicateurs, dates et abonnements sont gardés ; les UID aussi, quand le dossier d’ici est vide.',
    },
    verbatim(''),
    verbatim('  postrider import bob@example.org /home/bob/Maildir'),
    verbatim('  postrider import bob@example.org imaps://bob@old.example.org --password-file bob.secret'),
    verbatim('  postrider import bob@example.org old.mbox --into "Old mail/2019"'),
  ],
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const into = words
      .value('into')
      ?.split('/')
      .filter((one) => one !== '')
    const source = await open(words, terminal, say)
    const bar = progressBar(terminal, json)
    try {
      const report = await withMailbox(loaded(), words.need(0, 'address'), 'import', say, ({ service, mailbox }) =>
        new Importer({
          service,
          mailbox,
          source,
          ...(into === undefined || into.length === 0 ? {} : { into }),
          again: words.flag('again'),
          now: Date.now,
          say,
          onProgress(now) {
            const [imported, known] = [now.imported, now.skipped].map(say.number)
            const counts = {
              en: `${imported} imported, ${known} known`,
              fr: `importés : ${imported}, connus : ${known}`,
            }
            bar.show(now.done, `${now.folder}: ${say(counts)}`, { ...now })
          },
        }).run(),
      )
      bar.end()
      terminal.out(json ? JSON.stringify({ result: report }) : text(report, say))
      return report.badCount > 0 ? ExitCode.failed : ExitCode.ok
    } catch (error) {
      bar.end()
      const { en, fr } = reasonOf(error)
      throw new CommandFailed(
        {
          en: `${en} What was imported stays; run the same again to go on.`,
          fr: `${fr} Ce qui est importé reste ; relancez la même commande pour reprendre.`,
        },
        'import',
      )
    } finally {
      await source.close()
    }
  },
}

function text(report: ImportReport, say: Say): string {
  const { imported, bytes, folders, skipped, badCount } = report
  const [mails, size, places, known, bad] = [imported, bytes, folders, skipped, badCount].map(say.number)
  const lines = [
    say({
      en: `${mails} mails (${size} bytes) imported from ${places} folders.`,
      fr: `Courriers importés : ${mails} (${size} octets) ; dossiers : ${places}.`,
    }),
  ]
  if (skipped > 0) lines.push(say({ en: `${known} were imported before.`, fr: `Déjà importés auparavant : ${known}.` }))
  lines.push(...report.warnings)
  if (badCount > 0) lines.push(say({ en: `${bad} could not be imported:`, fr: `N’ont pas pu être importés : ${bad}` }))
  for (const { where, why } of report.bad) lines.push(`  ${where}: ${why}`)
  return lines.join('\n')
}
