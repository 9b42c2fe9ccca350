import type { Say } from '@postrider/domain'
import type { ServerStatus } from '../administration.ts'
import { ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import { unwrap } from '../cli/run.ts'
import { askServer } from '../control/socket.ts'
import { largest, quantile, readSamples, type Samples, total } from '../operations/samples.ts'

const DEFAULT_SECONDS = 2
const MAX_SECONDS = 3_600

/** One look at the server. */
interface Look {
  /** ms of this process's clock. */
  readonly at: number
  readonly status: ServerStatus
  readonly samples: Samples
}

/** What a view shows; --json prints it. Rates are per second between two looks, times in ms. */
interface View {
  readonly version: string
  readonly uptimeSeconds: number
  readonly memoryBytes: number
  /** Share of one core. */
  readonly processor: number
  readonly connections: Readonly<Record<string, number>>
  readonly held: number
  readonly rates: Readonly<Record<Rate, number>>
  /** p99; null when nothing happened. */
  readonly times: Readonly<Record<Time, number | null>>
  readonly queue: { readonly messages: number; readonly oldestSeconds: number; readonly connections: number }
  /** Stalls since the start, and the longest of the last minute in ms. */
  readonly stalls: { readonly count: number; readonly longest: number }
}

/** The counters that make each rate. */
const rates = {
  connections: ['postrider_connections_total'],
  logins: ['postrider_logins_total'],
  accepted: ['postrider_transport_messages_total'],
  sent: ['postrider_queue_results_total'],
  activesync: ['postrider_activesync_request_seconds_count'],
  imap: ['postrider_imap_command_seconds_count'],
  http: ['postrider_http_requests_total'],
  commits: ['postrider_store_commits_total'],
} as const
type Rate = keyof typeof rates

const times = {
  activesync: 'postrider_activesync_request_seconds',
  imap: 'postrider_imap_command_seconds',
  commits: 'postrider_store_commit_seconds',
} as const
type Time = keyof typeof times

export const top: LocalCommand = {
  name: 'top',
  summary: {
    en: 'Shows what the running server does, live: connections, held requests, deliveries, queue, stalls.',
    fr: 'Montre en direct ce que fait le serveur : connexions, requêtes en attente, messages reçus, file, blocages.',
  },
  arguments: [],
  options: {
    interval: {
      value: 'number',
      help: { en: 'Seconds between two looks (2).', fr: 'Secondes entre deux relevés (2).' },
    },
    count: {
      value: 'number',
      help: {
        en: 'Ends after so many views; without a terminal after one.',
        fr: 'S’arrête après ce nombre de vues ; sans terminal après une seule.',
      },
    },
  },
  notes: [{ en: 'Ctrl-C ends it.', fr: 'Ctrl-C pour terminer.' }],
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const seconds = amount(words.value('interval'), DEFAULT_SECONDS, MAX_SECONDS)
    const live = terminal.redraw !== undefined && !json
    const views = amount(words.value('count'), live ? Number.POSITIVE_INFINITY : 1, Number.POSITIVE_INFINITY)
    const folder = loaded().dataFolder
    let before = await look(folder, say)
    for (let n = 0; n < views; n++) {
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
      const after = await look(folder, say)
      const view = compare(before, after)
      const text = json ? JSON.stringify(view) : draw(view, say)
      if (live) terminal.redraw?.(text)
      else terminal.out(text)
      before = after
    }
    return ExitCode.ok
  },
}

function amount(text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (value > 0 && value <= most) return value
  throw new UsageError({
    en: `'${text}' is not a number that makes sense here.`,
    fr: `« ${text} » n’est pas un nombre possible ici.`,
  })
}

async function look(folder: string, say: Say): Promise<Look> {
  const ask = async (command: string): Promise<unknown> =>
    unwrap(await askServer(folder, { command, words: { positionals: [], options: {} }, language: say.language }))
  const status = (await ask('status')) as ServerStatus
  const { prometheus } = (await ask('metrics')) as { readonly prometheus: string }
  return { at: performance.now(), status, samples: readSamples(prometheus) }
}

function compare(before: Look, after: Look): View {
  const seconds = (after.at - before.at) / 1_000
  const sum = ({ samples }: Look, names: readonly string[]): number =>
    names.reduce((all, name) => all + total(samples, name), 0)
  // A restart in between sets counters back.
  const rate = (names: readonly string[]): number => Math.max(0, sum(after, names) - sum(before, names)) / seconds
  const { samples, status } = after
  return {
    version: status.version,
    uptimeSeconds: status.uptimeSeconds,
    memoryBytes: status.memoryBytes,
    processor: rate(['postrider_process_cpu_seconds_total']),
    connections: status.connections,
    held: status.held,
    rates: mapValues(rates, rate),
    times: mapValues(times, (name) => {
      const worst = quantile(before.samples, samples, name, 0.99)
      return worst === undefined ? null : worst * 1_000
    }),
    queue: {
      messages: total(samples, 'postrider_queue_messages'),
      oldestSeconds: largest(samples, 'postrider_queue_oldest_seconds'),
      connections: total(samples, 'postrider_queue_connections'),
    },
    stalls: {
      count: total(samples, 'postrider_event_loop_stalls_total'),
      longest: largest(samples, 'postrider_event_loop_longest_stall_seconds') * 1_000,
    },
  }
}

const mapValues = <K extends string, V, W>(table: Readonly<Record<K, V>>, of: (value: V) => W): Record<K, W> =>
  Object.fromEntries(Object.entries<V>(table).map(([key, value]) => [key, of(value)])) as Record<K, W>

function draw(view: View, say: Say): string {
  const whole = (value: number): string => say.number(Math.round(value))
  const fine = (value: number): string => say.number(Math.round(value * 10) / 10)
  const time = (value: number | null): string => (value === null ? '–' : `${fine(value)} ms`)
  const row = (name: string, rate: Rate, worst?: Time): string[] => [
    name,
    `${fine(view.rates[rate])}/s`,
    worst === undefined ? '' : `p99 ${time(view.times[worst])}`,
  ]
  const open = Object.entries(view.connections).filter(([, count]) => count > 0)
  const all = open.reduce((sum, [, count]) => sum + count, 0)
  const [up, memory, processor] = [
    whole(view.uptimeSeconds),
    whole(view.memoryBytes / 1_048_576),
    whole(view.processor * 100),
  ]
  return [
    say({
      en: `postrider ${view.version}, up ${up} s, ${memory} MB, processor ${processor} %`,
      fr: `postrider ${view.version}, en marche depuis ${up} s, ${memory} Mo, processeur ${processor} %`,
    }),
    '',
    columns([
      [
        say({ en: 'connections', fr: 'connexions' }),
        whole(all),
        open.map(([name, count]) => `${name} ${whole(count)}`).join(', '),
      ],
      [say({ en: 'held requests', fr: 'requêtes en attente' }), whole(view.held), ''],
      [
        say({ en: 'queue', fr: 'file d’envoi' }),
        whole(view.queue.messages),
        say({
          en: `oldest ${whole(view.queue.oldestSeconds)} s, ${whole(view.queue.connections)} connections out`,
          fr: `plus ancien ${whole(view.queue.oldestSeconds)} s, connexions sortantes : ${whole(view.queue.connections)}`,
        }),
      ],
      row(say({ en: 'new connections', fr: 'nouvelles connexions' }), 'connections'),
      row(say({ en: 'logins', fr: 'authentifications' }), 'logins'),
      row(say({ en: 'mails accepted', fr: 'messages acceptés' }), 'accepted'),
      row(say({ en: 'mails sent on', fr: 'messages envoyés' }), 'sent'),
      row('ActiveSync', 'activesync', 'activesync'),
      row('IMAP', 'imap', 'imap'),
      row('HTTP', 'http'),
      row(say({ en: 'commits', fr: 'écritures' }), 'commits', 'commits'),
      [
        say({ en: 'stalls', fr: 'blocages' }),
        whole(view.stalls.count),
        say({
          en: `longest now ${fine(view.stalls.longest)} ms`,
          fr: `le plus long ${fine(view.stalls.longest)} ms`,
        }),
      ],
    ]),
  ].join('\n')
}
