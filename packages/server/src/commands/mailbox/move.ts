import { isDomainError, type MailboxEntry, type Say } from '@postrider/domain'
import type { Administration } from '../../administration.ts'
import { adminCommand, CommandFailed, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { notRunning } from '../../cli/phrases.ts'
import { databasesInUse } from '../../config/load.ts'
import type { Mover, MoveReport } from '../../move/mover.ts'
import { type NodeRecord, NODES } from '../../nodes/identity.ts'

/** A move as commands print it: New-MoveRequest, Get-MoveRequestStatistics. */
interface Move {
  readonly address: string
  readonly from: string
  readonly to: string
  readonly status: 'Queued' | 'InProgress' | 'CompletionInProgress' | 'Completed' | 'Failed' | 'Cancelled'
  readonly percent: number
  readonly items: number
  readonly copied: number
  readonly copiedBytes: number
  readonly started: string
  readonly ended: string | null
  /** How long deliveries and clients had to wait, ms. */
  readonly lockedMs: number | null
  readonly problem: string | null
}

const statusOf = ({ state, phase }: MoveReport): Move['status'] => {
  if (state === 'done') return 'Completed'
  if (state === 'cancelled') return 'Cancelled'
  if (state === 'failed') return 'Failed'
  if (state === 'finishing' || phase === 'switching') return 'CompletionInProgress'
  return phase === 'copying' ? 'InProgress' : 'Queued'
}

function shown(report: MoveReport, directory: Administration['directory']): Move {
  const { items, copied, state } = report
  const date = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    address: directory.mailbox(report.mailbox)?.address ?? String(report.mailbox),
    from: report.from,
    to: report.to,
    status: statusOf(report),
    percent: state === 'done' ? 100 : items === 0 ? 0 : Math.min(99, Math.floor((copied / items) * 100)),
    items,
    copied,
    copiedBytes: report.copiedBytes,
    started: date(report.started) ?? '',
    ended: date(report.ended),
    lockedMs: report.lockedMs ?? null,
    problem: report.problem ?? null,
  }
}

function running({ server }: Administration): { readonly mover: Mover } {
  if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
  if (server.mover === undefined)
    throw new CommandFailed({
      en: 'Another node holds the directory: do this there.',
      fr: 'Un autre nœud tient l’annuaire : faites-le là-bas.',
    })
  return { mover: server.mover }
}

const nameOf = (words: Words): string => words.need(0, 'address')

export const mailboxMove = adminCommand<Move>({
  name: 'mailbox move',
  summary: {
    en: 'Moves a mailbox to another database while it is in use.',
    fr: 'Déplace une boîte vers une autre base pendant qu’elle sert.',
  },
  arguments: ['address'],
  options: {
    to: {
      value: 'name',
      help: {
        en: 'The database, or the machine, it is to live in.',
        fr: 'La base, ou la machine, où elle doit vivre.',
      },
    },
  },
  notes: [
    {
      en: 'The command comes back at once; `postrider mailbox status` shows how far it is. Clients notice nothing: writes wait for the moment of the switch.',
      fr: 'La commande rend la main aussitôt ; `postrider mailbox status` montre où elle en est. Les clients ne remarquent rien : les écritures attendent le moment du passage.',
    },
  ],
  where: 'server',
  async run(administration, words) {
    const { directory, loaded } = administration
    const { mover } = running(administration)
    const entry: MailboxEntry = directory.identity(nameOf(words))
    const named = words.value('to')
    if (named === undefined) throw new UsageError({ en: 'Say where to with --to.', fr: 'Dites où avec --to.' })
    const nodes = directory.settingsNamed(NODES).map(([, value]) => value as NodeRecord)
    const databases = [...new Set([...databasesInUse(loaded, directory), ...nodes.flatMap((one) => one.databases)])]
    // A node: its first database.
    const to = nodes.find((one) => one.name === named)?.databases[0] ?? named
    if (!databases.includes(to))
      throw new CommandFailed(
        {
          en: `There is no database ${to}. There are: ${databases.join(', ')}.`,
          fr: `Il n’y a pas de base ${to}. Il y a : ${databases.join(', ')}.`,
        },
        'notFound',
      )
    if (loaded.config['store.driver'] === 'postgres')
      throw new CommandFailed({
        en: 'Mailboxes in PostgreSQL cannot be moved yet.',
        fr: 'Les boîtes dans PostgreSQL ne peuvent pas encore être déplacées.',
      })
    try {
      await mover.start(entry.mailbox, to)
    } catch (error) {
      if (!isDomainError(error, 'conflict')) throw error
      throw new CommandFailed(
        entry.database === to
          ? { en: `${entry.address} lives in ${to} already.`, fr: `${entry.address} vit déjà dans ${to}.` }
          : { en: `A move of ${entry.address} is under way.`, fr: `Un déplacement de ${entry.address} est en cours.` },
        'exists',
      )
    }
    const report = mover.reports().find((one) => one.mailbox === entry.mailbox) as MoveReport
    return shown(report, directory)
  },
  text: ({ address, from, to }, say) =>
    say({
      en: `${address} moves from ${from} to ${to}. See: postrider mailbox status`,
      fr: `${address} passe de ${from} à ${to}. Voyez : postrider mailbox status`,
    }),
})

const moveText = (moves: readonly Move[], say: Say): string =>
  columns(
    [
      [
        say({ en: 'ADDRESS', fr: 'ADRESSE' }),
        say({ en: 'FROM', fr: 'DE' }),
        say({ en: 'TO', fr: 'VERS' }),
        say({ en: 'STATUS', fr: 'ÉTAT' }),
        '%',
        say({ en: 'COPIED', fr: 'COPIÉ' }),
        say({ en: 'LOCKED', fr: 'BLOQUÉE' }),
        '',
      ],
      ...moves.map((one) => [
        one.address,
        one.from,
        one.to,
        one.status,
        String(one.percent),
        `${one.copied} (${Math.ceil(one.copiedBytes / 2 ** 20)} MB)`,
        one.lockedMs === null ? '' : `${one.lockedMs} ms`,
        one.problem ?? '',
      ]),
    ],
    '',
  )

export const mailboxStatus = adminCommand<readonly Move[]>({
  name: 'mailbox status',
  summary: {
    en: 'Shows the mailboxes that move, and those that moved in the last day.',
    fr: 'Montre les boîtes qui se déplacent, et celles du dernier jour.',
  },
  arguments: ['address?'],
  options: {},
  where: 'server',
  async run(administration, words) {
    const { directory } = administration
    const address = words.at(0)
    const mailbox = address === undefined ? undefined : directory.identity(address).mailbox
    return running(administration)
      .mover.reports()
      .filter((one) => mailbox === undefined || one.mailbox === mailbox)
      .map((one) => shown(one, directory))
  },
  text: moveText,
})

export const mailboxCancel = adminCommand<{ readonly address: string }>({
  name: 'mailbox cancel',
  summary: {
    en: 'Calls off the move of a mailbox; it stays where it is.',
    fr: 'Annule le déplacement d’une boîte ; elle reste où elle est.',
  },
  arguments: ['address'],
  options: {},
  where: 'server',
  async run(administration, words) {
    const { address, mailbox } = administration.directory.identity(nameOf(words))
    if (!running(administration).mover.cancel(mailbox))
      throw new CommandFailed(
        {
          en: `No move of ${address} can be called off.`,
          fr: `Aucun déplacement de ${address} ne peut être annulé.`,
        },
        'notFound',
      )
    return { address }
  },
  text: ({ address }, say) =>
    say({ en: `The move of ${address} is called off.`, fr: `Le déplacement de ${address} est annulé.` }),
})
