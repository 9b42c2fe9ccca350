import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, type Meter, SpokenError } from '@postrider/domain'
import type { DirectoryStore } from '@postrider/store/directory'
import type { Confirmed } from '@postrider/store/sqlite'
import type { Loaded } from '../config/load.ts'
import { keyFile } from './key.ts'
import { askFence, type PrimaryReport, Sender } from './sender.ts'
import { type FenceState, readFence, type Role, writeFence } from './state.ts'
import { readKey, serveStreams } from './stream.ts'

/** What a data folder is; undefined: a server without a standby. */
export function roleOf({ config, dataFolder }: Loaded): Role | undefined {
  const state = readFence(dataFolder)
  if (state !== undefined) return state.role
  return config['standby.role'] === 'off' ? undefined : config['standby.role']
}

const replaced = (state: FenceState): SpokenError =>
  new SpokenError({
    en: `Another server has taken over (epoch ${state.by}, here ${state.epoch}; known since ${state.at}): this one must not serve. To make it the other's standby: postrider standby rejoin. What it holds is moved aside then, and kept.`,
    fr: `Un autre serveur a pris la relève (époque ${state.by}, ici ${state.epoch} ; connu depuis ${state.at}) : celui-ci ne doit plus servir. Pour en faire le secours de l’autre : postrider standby rejoin. Ce qu’il contient est alors mis de côté, et gardé.`,
  })

/** The standby's side of a primary, while it runs. */
export interface Followed {
  logged(database: string, seq: number, degraded: boolean): void
  /** How far the standby is; everything where there is none. */
  synced(database: string): number
  /** Tells the owners again how far all are. */
  confirm(database: string): void
  /** Resolves when the standby has the directory as it is, or is away. */
  shareDirectory(): Promise<void>
  report(): PrimaryReport | undefined
  close(): Promise<void>
}

/**
 * Before a primary serves: makes sure that nobody has taken over, as far as it can be known. Afterwards `follow` keeps the standby up to date and tells when
 * somebody does. Rejects with SpokenError when this server must not serve.
 */
export async function openFollowed(
  loaded: Loaded,
  options: {
    readonly log: Logger
    readonly meter: Meter
    readonly confirm: (database: string, confirmed: Confirmed) => void
    readonly fenced: (error: SpokenError) => void
    /** How far others are who follow a database. */
    readonly others: (database: string) => number
  },
): Promise<{ follow(directory: DirectoryStore, databases: readonly string[]): Promise<Followed> }> {
  const { config, dataFolder } = loaded
  const { log, meter } = options
  const state: FenceState = readFence(dataFolder) ?? { role: 'primary', epoch: 1 }
  if (state.role === 'fenced') throw replaced(state)
  if (config['store.driver'] !== 'sqlite')
    throw new SpokenError({
      en: 'A standby follows mailboxes in files; with PostgreSQL, use its own replication.',
      fr: 'Un serveur de secours suit des boîtes en fichiers ; avec PostgreSQL, utilisez sa propre réplication.',
    })
  const key = readKey(keyFile(loaded))
  const fence = (by: number): SpokenError => {
    const fenced: FenceState = { ...state, role: 'fenced', by, at: new Date().toISOString() }
    writeFence(dataFolder, fenced)
    return replaced(fenced)
  }
  const to = config['standby.to']
  const by = to === '' ? undefined : await askFence(to, key, state.epoch)
  if (by !== undefined) throw fence(by)
  writeFence(dataFolder, state)
  const here = config['standby.listen']
  return {
    async follow(directory, databases) {
      // Whoever believes to be the primary of an earlier epoch is told at once.
      const listener =
        here === ''
          ? undefined
          : await serveStreams(here, key, (stream) => {
              void (async () => {
                const [first] = await stream.batch()
                const late = first?.message.kind === 'hello' && first.message.epoch < state.epoch
                await stream.send(
                  late ? { kind: 'fenced', epoch: state.epoch } : { kind: 'refused', reason: 'a primary, no standby' },
                )
                stream.end()
              })().catch(() => stream.close())
            })
      const sender =
        to === ''
          ? undefined
          : new Sender({
              dataFolder,
              to,
              key,
              epoch: state.epoch,
              databases,
              wait: config['standby.wait'],
              keepBytes: config['standby.keep'],
              copyDirectory: () => copyOf(directory),
              confirm: options.confirm,
              others: options.others,
              fenced: (epoch) => options.fenced(fence(epoch)),
              log: log.child({ part: 'standby' }),
              meter,
            })
      return {
        logged: (database, seq, degraded) => sender?.logged(database, seq, degraded),
        synced: (database) => sender?.synced(database) ?? Number.MAX_SAFE_INTEGER,
        confirm: (database) => sender?.confirm(database),
        shareDirectory: async () => sender?.shareDirectory(),
        report: () => sender?.report(),
        async close() {
          await sender?.close()
          await listener?.close()
        },
      }
    },
  }
}

/** The directory as it is now, as the bytes of a file. */
export function copyOf(directory: DirectoryStore): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-directory-'))
  try {
    const file = join(folder, 'directory.db')
    directory.copyTo(file)
    return readFileSync(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
