import { type Say, verbatim } from '@postrider/domain'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DirectoryStore } from '@postrider/store/directory'
import { type RepairReport, repairDatabase } from '@postrider/store/sqlite'
import { type ServerStatus, type StoreReport, settleMailboxes, storeReport, withAddresses } from '../administration.ts'
import { adminCommand, CommandFailed } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import { notRunning } from '../cli/phrases.ts'
import { databasesInUse, type Loaded, postgresServer } from '../config/load.ts'
import { openStore } from '../home/open-store.ts'

const megabytes = (now: ServerStatus, say: Say): string => say.number(Math.round(now.memoryBytes / 1_048_576))
const connections = (count: number, say: Say): string =>
  say({ en: `${say.number(count)} connections`, fr: `connexions : ${say.number(count)}` })

export const status = adminCommand<ServerStatus>({
  name: 'status',
  summary: { en: 'Shows what the running server does.', fr: 'Montre ce que fait le serveur en marche.' },
  arguments: [],
  options: {},
  where: 'server',
  async run({ server }) {
    if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
    return server.status()
  },
  text: (now, say) =>
    [
      say({
        en: `postrider ${now.version}, process ${now.pid}, up ${say.number(now.uptimeSeconds)} s, ${megabytes(now, say)} MB`,
        fr: `postrider ${now.version}, processus ${now.pid}, en marche depuis ${say.number(now.uptimeSeconds)} s, ${megabytes(now, say)} Mo`,
      }),
      columns(
        Object.entries(now.listeners).map(([name, { host, port }]) => [
          name,
          `${host}:${port}`,
          connections(now.connections[name] ?? 0, say),
        ]),
      ),
      say({ en: `${now.held} held requests`, fr: `Requêtes en attente : ${now.held}` }),
    ].join('\n'),
})

export const reload = adminCommand<readonly string[]>({
  name: 'reload',
  summary: {
    en: 'Reads configuration and certificate again; sessions stay.',
    fr: 'Relit la configuration et le certificat ; les sessions restent.',
  },
  arguments: [],
  options: {},
  where: 'server',
  async run({ server }, _words, say) {
    if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
    return (await server.reload()).map(say)
  },
  text: (lines, say) =>
    lines.length === 0 ? say({ en: 'Nothing changed.', fr: 'Rien n’a changé.' }) : lines.join('\n'),
})

export const storeCheck = adminCommand<StoreReport>({
  name: 'store check',
  summary: {
    en: 'Reads the mailbox databases from end to end and compares every checksum.',
    fr: 'Lit les bases de boîtes d’un bout à l’autre et compare chaque somme de contrôle.',
  },
  arguments: [],
  options: {
    quick: {
      help: {
        en: 'Leaves out the messages themselves: tables and counters only.',
        fr: 'Omet les messages eux-mêmes : seulement les tables et les compteurs.',
      },
    },
  },
  notes: [
    {
      en: 'Changes nothing, and users go on working. Fails (1) when something does not fit.',
      fr: 'Ne change rien, et les utilisateurs continuent à travailler. Échoue (1) quand quelque chose ne concorde pas.',
    },
  ],
  where: 'either',
  async run({ server, directory, loaded }, words, say) {
    const originals = !words.flag('quick')
    const report =
      server === undefined
        ? await checkStopped(loaded, directory, originals, say)
        : await server.checkStore(originals, say)
    if (report.problems.length > 0) throw new CommandFailed(verbatim(report.problems.join('\n')), 'corrupt')
    return report
  },
  text({ items, mailboxes, verifiedBytes }, say) {
    const [all, boxes, bytes] = [items, mailboxes, verifiedBytes].map(say.number)
    return say({
      en: `${all} items in ${boxes} mailboxes, ${bytes} bytes of messages read: all well.`,
      fr: `Éléments : ${all} ; boîtes : ${boxes} ; octets de messages lus : ${bytes}. Tout va bien.`,
    })
  },
})

/** What was done with all databases, or would be. */
interface RepairOutcome {
  readonly applied: boolean
  readonly databases: readonly RepairReport[]
}

export const storeRepair = adminCommand<RepairOutcome>({
  name: 'store repair',
  summary: {
    en: 'Makes mailbox databases sound again from what they still have, and names what is lost.',
    fr: 'Rend saines les bases de boîtes à partir de ce qu’elles ont encore, et nomme ce qui est perdu.',
  },
  arguments: [],
  options: {
    apply: {
      help: {
        en: 'Does it. Without this it only says what it would do.',
        fr: 'Le fait. Sans cette option, dit seulement ce qui serait fait.',
      },
    },
  },
  notes: [
    {
      en: 'Stop the server first, and copy the data folder. Indexes, counters, places and the search database are made anew; lost messages stay listed and are never served.',
      fr: 'Arrêtez d’abord le serveur et copiez le dossier de données. Index, compteurs, places et base de recherche sont refaits ; les messages perdus restent dans les listes et ne sont jamais servis.',
    },
  ],
  where: 'either',
  async run({ server, directory, loaded }, words) {
    if (server !== undefined)
      throw new CommandFailed({
        en: 'The server runs. Stop it first: repairing needs the databases for itself.',
        fr: 'Le serveur est en marche. Arrêtez-le d’abord : la réparation veut les bases pour elle seule.',
      })
    if (postgresServer(loaded.config) !== undefined)
      throw new CommandFailed({
        en: 'The mailboxes are in a PostgreSQL server: repair them with its own tools.',
        fr: 'Les boîtes sont dans un serveur PostgreSQL : réparez-les avec ses propres outils.',
      })
    const applied = words.flag('apply')
    const databases: RepairReport[] = []
    for (const name of databasesInUse(loaded, directory)) {
      const folder = join(loaded.dataFolder, 'mailboxes', name)
      if (existsSync(folder)) databases.push(await repairDatabase({ name, folder, now: Date.now() }, applied))
    }
    const named = databases.map((one) => ({
      ...one,
      repaired: one.repaired.map((line) => withAddresses(line, directory)),
      lost: one.lost.map((line) => withAddresses(line, directory)),
    }))
    return { applied, databases: named }
  },
  text({ applied, databases }, say) {
    const lines = (kind: 'repaired' | 'lost'): string[] =>
      databases.flatMap((one) => one[kind].map((line) => `  ${one.database}: ${line}`))
    const [repaired, lost] = [lines('repaired'), lines('lost')]
    if (repaired.length + lost.length === 0)
      return say({ en: 'All well: nothing to repair.', fr: 'Tout va bien : rien à réparer.' })
    const done = applied
      ? { en: 'Repaired:', fr: 'Réparé :' }
      : { en: 'Would be repaired (--apply does it):', fr: 'Serait réparé (--apply le fait) :' }
    return [
      ...(repaired.length > 0 ? [say(done), ...repaired] : []),
      ...(lost.length > 0 ? [say({ en: 'Lost:', fr: 'Perdu :' }), ...lost] : []),
    ].join('\n')
  },
})

/** The same while the server is stopped: the databases are opened here. */
async function checkStopped(
  loaded: Loaded,
  directory: DirectoryStore,
  originals: boolean,
  say: Say,
): Promise<StoreReport> {
  const store = await openStore({
    folder: loaded.dataFolder,
    databases: databasesInUse(loaded, directory),
    server: postgresServer(loaded.config),
  })
  try {
    await settleMailboxes(directory, store)
    return await storeReport(await store.check({ originals }), directory, store, say)
  } finally {
    await store.close()
  }
}
