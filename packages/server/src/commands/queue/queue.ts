import type { QueueChange, QueueEntry } from '@postrider/domain'
import type { Administration, RunningServer } from '../../administration.ts'
import { type AdminCommand, adminCommand, CommandFailed, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
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
  if (administration.server === undefined) throw new CommandFailed('The server is not running.', 'notRunning')
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
  summary: 'Lists messages that wait to be sent.',
  arguments: [],
  options: {
    destination: { value: 'domain', help: 'Only those for this domain.' },
    limit: { value: 'number', help: 'At most so many (1000).' },
  },
  where: 'server',
  async run(administration, words) {
    const limit = Number(words.value('limit') ?? '1000')
    if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number above 0.')
    const list: Queued[] = []
    for await (const entry of all(running(administration), words.value('destination')?.toLowerCase())) {
      if (list.length >= limit) break
      list.push(queued(entry, Date.now()))
    }
    return list
  },
  text: (list) =>
    list.length === 0
      ? 'The queue is empty.'
      : columns(
          [
            ['ID', 'STATUS', 'DESTINATION', 'FROM', 'TO', 'NEXT TRY', 'LAST ERROR'],
            ...list.map((one) => [
              one.id,
              one.status,
              one.destination,
              one.from,
              one.recipients.length === 1 ? one.recipients[0]! : `${one.recipients.length} recipients`,
              one.nextTry,
              one.lastError.slice(0, 80),
            ]),
          ],
          '',
        ),
})

async function find(administration: Administration, id: string): Promise<QueueEntry> {
  for await (const entry of all(running(administration))) if (idOf(entry) === id) return entry
  throw new CommandFailed(`There is no message ${id} in the queue. \`postrider queue list\` shows all.`, 'notFound')
}

export const queueShow = adminCommand<Queued>({
  name: 'queue show',
  summary: 'Shows one waiting message.',
  arguments: ['id'],
  options: {},
  where: 'server',
  run: async (administration, words) => queued(await find(administration, words.need(0, 'id')), Date.now()),
  text: factText,
})

/** The commands that do one thing to one, several or all messages. */
function changing(
  name: string,
  summary: string,
  done: string,
  change: (entry: QueueEntry) => QueueChange,
  confirm = false,
): AdminCommand<unknown> {
  return adminCommand<readonly string[]>({
    name: `queue ${name}`,
    summary,
    arguments: ['id…'],
    options: {
      all: { help: 'Does it to all messages.' },
      destination: { value: 'domain', help: 'Does it to all messages for this domain.' },
      ...(confirm ? { yes: { help: 'Says that this is meant.' } } : {}),
    },
    where: 'server',
    async run(administration, words) {
      const server = running(administration)
      const entries = await chosen(administration, words)
      if (confirm && !words.flag('yes'))
        throw new CommandFailed(
          `This concerns ${entries.length} message(s) and cannot be undone. Add --yes to do it.`,
          'confirm',
        )
      for (const entry of entries)
        await server.service.apply(entry.mailbox, [{ op: 'queueChange', change: change(entry) }])
      return entries.map(idOf)
    },
    text: (ids) => `${ids.length} message(s) ${done}.`,
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
  if (ids.length === 0) throw new UsageError('Name one or more ids, or --destination, or --all.')
  const entries: QueueEntry[] = []
  for (const id of ids) entries.push(await find(administration, id))
  return entries
}

export const queueRetry = changing('retry', 'Tries messages now.', 'will be tried now', (entry) => ({
  id: entry.id,
  kind: 'update',
  due: Date.now(),
  held: false,
}))
export const queueHold = changing('hold', 'Keeps messages back.', 'held', (entry) => ({
  id: entry.id,
  kind: 'update',
  held: true,
}))
export const queueRelease = changing('release', 'Lets held messages go.', 'released', (entry) => ({
  id: entry.id,
  kind: 'update',
  held: false,
  due: Date.now(),
}))
export const queueRemove = changing(
  'remove',
  'Deletes waiting messages without telling their senders.',
  'removed',
  (entry) => ({ id: entry.id, kind: 'remove' }),
  true,
)
