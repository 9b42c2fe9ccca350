import type { Phrase, QueueChange, QueueEntry } from '@postrider/domain'
import type { Administration, RunningServer } from '../../administration.ts'
import { type AdminCommand, adminCommand, CommandFailed, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { notRunning, sayYes } from '../../cli/phrases.ts'
import { factText } from '../user/fields.ts'

/** A queued message as commands print it. */
interface Queued {
  readonly id: string
  readonly status: 'Ready' | 'Active' | 'Retry' | 'Suspended'
  readonly destination: string
  readonly from: string
  readonly recipients: readonly string[]
  readonly size: number
  readonly attempts: number
  readonly lastError: string
  readonly created: string
  readonly nextTry: string
  readonly expires: string
}

const idOf = (entry: QueueEntry): string => String(entry.id)

function queued(entry: QueueEntry, now: number): Queued {
  const date = (ms: number): string => new Date(ms).toISOString()
  const status = entry.held ? 'Suspended' : entry.leasedUntil > now ? 'Active' : entry.attempts > 0 ? 'Retry' : 'Ready'
  return {
    id: idOf(entry),
    status,
    destination: entry.destination,
    from: entry.from === '' ? '<>' : entry.from,
    recipients: entry.recipients.map((one) => one.address),
    size: entry.size,
    attempts: entry.attempts,
    lastError: entry.lastError,
    created: date(entry.created),
    nextTry: date(entry.due),
    expires: date(entry.expires),
  }
}

function running(administration: Administration): RunningServer {
  if (administration.server === undefined) throw new CommandFailed(notRunning, 'notRunning')
  return administration.server
}

const PAGE = 500

async function* all(server: RunningServer, destination?: string): AsyncIterable<QueueEntry> {
  let afterId: number | undefined
  for (;;) {
    const filter = {
      limit: PAGE,
      ...(destination === undefined ? {} : { destination }),
      ...(afterId === undefined ? {} : { afterId }),
    }
    const page = await server.service.queueList(filter)
    yield* page
    if (page.length < PAGE) return
    afterId = page.at(-1)!.id
  }
}

export const queueList = adminCommand<readonly Queued[]>({
  name: 'queue list',
  summary: {
    en: 'Lists messages that wait to be sent.',
    fr: 'Donne la liste des messages qui attendent d’être envoyés.',
  },
  arguments: [],
  options: {
    destination: { value: 'domain', help: { en: 'Only those for this domain.', fr: 'Seulement ceux de ce domaine.' } },
    limit: { value: 'number', help: { en: 'At most so many (1000).', fr: 'Pas plus que ce nombre (1000).' } },
  },
  where: 'server',
  async run(administration, words) {
    const limit = Number(words.value('limit') ?? '1000')
    if (!Number.isInteger(limit) || limit < 1)
      throw new UsageError({
        en: '--limit must be a whole number above 0.',
        fr: '--limit doit être un nombre entier supérieur à 0.',
      })
    const list: Queued[] = []
    for await (const entry of all(running(administration), words.value('destination')?.toLowerCase())) {
      if (list.length >= limit) break
      list.push(queued(entry, Date.now()))
    }
    return list
  },
  text: (list, say) =>
    list.length === 0
      ? say({ en: 'The queue is empty.', fr: 'La file d’attente est vide.' })
      : columns(
          [
            [
              'ID',
              say({ en: 'STATUS', fr: 'ÉTAT' }),
              'DESTINATION',
              say({ en: 'FROM', fr: 'DE' }),
              say({ en: 'TO', fr: 'À' }),
              say({ en: 'NEXT TRY', fr: 'PROCHAIN ESSAI' }),
              say({ en: 'LAST ERROR', fr: 'DERNIÈRE ERREUR' }),
            ],
            ...list.map((one) => [
              one.id,
              one.status,
              one.destination,
              one.from,
              one.recipients.length === 1
                ? one.recipients[0]!
                : say({ en: `${one.recipients.length} recipients`, fr: `${one.recipients.length} destinataires` }),
              one.nextTry,
              one.lastError.slice(0, 80),
            ]),
          ],
          '',
        ),
})

async function find(administration: Administration, id: string): Promise<QueueEntry> {
  for await (const entry of all(running(administration))) if (idOf(entry) === id) return entry
  throw new CommandFailed(
    {
      en: `There is no message ${id} in the queue. \`postrider queue list\` shows all.`,
      fr: `Il n’y a pas de message ${id} dans la file d’attente. \`postrider queue list\` les montre tous.`,
    },
    'notFound',
  )
}

export const queueShow = adminCommand<Queued>({
  name: 'queue show',
  summary: { en: 'Shows one waiting message.', fr: 'Montre un message en attente.' },
  arguments: ['id'],
  options: {},
  where: 'server',
  run: async (administration, words) => queued(await find(administration, words.need(0, 'id')), Date.now()),
  text: factText,
})

/** The commands that do one thing to one, several or all messages. */
function changing(
  name: string,
  summary: Phrase,
  done: (count: string) => Phrase,
  change: (entry: QueueEntry) => QueueChange,
  confirm = false,
): AdminCommand<unknown> {
  return adminCommand<readonly string[]>({
    name: `queue ${name}`,
    summary,
    arguments: ['id…'],
    options: {
      all: { help: { en: 'Does it to all messages.', fr: 'Agit sur tous les messages.' } },
      destination: {
        value: 'domain',
        help: { en: 'Does it to all messages for this domain.', fr: 'Agit sur tous les messages de ce domaine.' },
      },
      ...(confirm ? { yes: { help: sayYes } } : {}),
    },
    where: 'server',
    async run(administration, words) {
      const server = running(administration)
      const entries = await chosen(administration, words)
      if (confirm && !words.flag('yes'))
        throw new CommandFailed(
          {
            en: `This concerns ${entries.length} message(s) and cannot be undone. Add --yes to do it.`,
            fr: `Messages concernés : ${entries.length} ; ce sera sans retour. Ajoutez --yes pour le faire.`,
          },
          'confirm',
        )
      for (const entry of entries)
        await server.service.apply(entry.mailbox, [{ op: 'queueChange', change: change(entry) }])
      return entries.map(idOf)
    },
    text: (ids, say) => say(done(say.number(ids.length))),
  })
}

async function chosen(administration: Administration, words: Words): Promise<QueueEntry[]> {
  const destination = words.value('destination')?.toLowerCase()
  if (words.flag('all') || destination !== undefined) {
    const entries: QueueEntry[] = []
    for await (const entry of all(running(administration), destination)) entries.push(entry)
    return entries
  }
  const ids = words.rest(0)
  if (ids.length === 0)
    throw new UsageError({
      en: 'Name one or more ids, or --destination, or --all.',
      fr: 'Indiquez un ou plusieurs id, ou --destination, ou --all.',
    })
  const entries: QueueEntry[] = []
  for (const id of ids) entries.push(await find(administration, id))
  return entries
}

export const queueRetry = changing(
  'retry',
  { en: 'Tries messages now.', fr: 'Retente l’envoi de messages maintenant.' },
  (count) => ({ en: `${count} message(s) will be tried now.`, fr: `Messages retentés maintenant : ${count}.` }),
  (entry) => ({ id: entry.id, kind: 'update', due: Date.now(), held: false }),
)
export const queueHold = changing(
  'hold',
  { en: 'Keeps messages back.', fr: 'Retient des messages.' },
  (count) => ({ en: `${count} message(s) held.`, fr: `Messages retenus : ${count}.` }),
  (entry) => ({ id: entry.id, kind: 'update', held: true }),
)
export const queueRelease = changing(
  'release',
  { en: 'Lets held messages go.', fr: 'Laisse partir des messages retenus.' },
  (count) => ({ en: `${count} message(s) released.`, fr: `Messages libérés : ${count}.` }),
  (entry) => ({ id: entry.id, kind: 'update', held: false, due: Date.now() }),
)
export const queueRemove = changing(
  'remove',
  {
    en: 'Deletes waiting messages without telling their senders.',
    fr: 'Supprime des messages en attente sans prévenir leurs expéditeurs.',
  },
  (count) => ({ en: `${count} message(s) removed.`, fr: `Messages supprimés : ${count}.` }),
  (entry) => ({ id: entry.id, kind: 'remove' }),
  true,
)
