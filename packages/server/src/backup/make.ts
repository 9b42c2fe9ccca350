import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { backupPostgres, type PostgresPlace } from '@postrider/store/postgres'
import { type BackupSegment, backupDatabase, checkBackup, snapshot } from '@postrider/store/sqlite'
import { CommandFailed } from '../cli/command.ts'
import { DIRECTORY_FILE } from '../offline.ts'
import { syncFolder, writeAtomically } from '../transfer/write-file.ts'
import { positionOf } from './archive.ts'
import { type BackupManifest, DATA, type LogPosition, MANIFEST, setsIn } from './sets.ts'

export interface BackupReport {
  readonly set: string
  readonly databases: number
  readonly items: number
  readonly bytes: number
  /** Bytes of segments that were already in an earlier set. */
  readonly shared: number
}

/** Of the running server, or made anew by itself. */
const leftOut =
  /^(?:control\.sock|postrider\.(?:lock|pid)|backup\.lock|standby\.(?:json|key)|ready\.json|mailboxes|before-.*|backup-work|restoring-from|directory\.db(?:-wal|-shm|-sums)?|.*\.new)$/

/** Makes a set in `target` and reads it back; `place`: the server that has the mailboxes, if they are not files; `link`: the
 * set is in the data folder's file system, to go on elsewhere. Rejects with CommandFailed; what was half made is taken away again. */
export async function makeBackup(
  dataFolder: string,
  target: string,
  options: { readonly now: number; readonly place: PostgresPlace | undefined; readonly link?: boolean },
): Promise<BackupReport> {
  const { now, place, link = false } = options
  const home = join(dataFolder, 'mailboxes')
  if (!existsSync(join(dataFolder, DIRECTORY_FILE)) || !existsSync(home))
    throw new CommandFailed(
      {
        en: `${dataFolder} holds no mailboxes in files: there is nothing to back up.`,
        fr: `${dataFolder} ne contient pas de boîtes en fichiers : il n’y a rien à sauvegarder.`,
      },
      'notFound',
    )
  const set = join(target, new Date(now).toISOString().replaceAll(':', '-'))
  const before = setsIn(target).at(-1)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(target))
    if (/^\d{4}-.*Z$/.test(name) && !existsSync(join(target, name, MANIFEST)))
      rmSync(join(target, name), { recursive: true })
  mkdirSync(join(set, DATA, 'mailboxes'), { recursive: true, mode: 0o700 })
  try {
    const databases = new Map<string, readonly BackupSegment[]>()
    const positions = new Map<string, LogPosition>()
    let items = 0
    const kept = place === undefined ? 'mailbox.sqlite' : 'segments'
    for (const name of readdirSync(home).filter((one) => existsSync(join(home, one, kept)))) {
      const folder = join(set, DATA, 'mailboxes', name)
      const known = before?.manifest.databases[name]
      const earlier =
        before === undefined || known === undefined
          ? undefined
          : { folder: join(before.folder, DATA, 'mailboxes', name), segments: known }
      const from = join(home, name)
      const position = place === undefined ? positionOf(from) : undefined
      databases.set(
        name,
        place === undefined
          ? await backupDatabase(from, folder, { ...(earlier === undefined ? {} : { before: earlier }), link })
          : await backupPostgres(place, name, {
              from,
              to: folder,
              link,
              ...(earlier === undefined ? {} : { before: earlier }),
            }),
      )
      const behind = position === undefined ? undefined : positionOf(from)
      if (position !== undefined && behind?.stream === position.stream)
        positions.set(name, { stream: position.stream, before: position.seq, after: behind.seq, at: Date.now() })
      const { problems, items: count } = await checkBackup(name, folder)
      if (problems.length > 0) {
        const list = problems.map(({ kind, detail }) => `${kind}: ${detail}`).join('; ')
        throw new CommandFailed(
          {
            en: `The backup of ${name} is not whole: ${list}`,
            fr: `La sauvegarde de ${name} n’est pas complète : ${list}`,
          },
          'corrupt',
        )
      }
      items += count
    }
    copyTree(join(home, '.numbers'), join(set, DATA, 'mailboxes', '.numbers'))
    // Behind the mailboxes: who is in it then and not in them is made anew, empty, by a restore.
    await snapshot(join(dataFolder, DIRECTORY_FILE), join(set, DATA, DIRECTORY_FILE))
    copyTree(dataFolder, join(set, DATA), leftOut)
    const manifest: BackupManifest = {
      version: 1,
      made: new Date(now).toISOString(),
      databases: Object.fromEntries(databases),
      ...(positions.size === 0 ? {} : { positions: Object.fromEntries(positions) }),
    }
    syncFolder(join(set, DATA))
    writeAtomically(join(set, MANIFEST), JSON.stringify(manifest))
    syncFolder(set)
    const all = [...databases].flatMap(([name, list]) => list.map((one) => ({ name, ...one })))
    const old = (name: string, segment: number) =>
      before?.manifest.databases[name]?.find((one) => one.segment === segment)
    const shared = all.filter((one) => {
      const earlier = old(one.name, one.segment)
      return earlier?.sealed === true && earlier.bytes === one.bytes && earlier.ino === one.ino
    })
    const sum = (list: readonly { readonly bytes: number }[]): number =>
      list.reduce((total, one) => total + one.bytes, 0)
    return { set, databases: databases.size, items, bytes: sum(all), shared: sum(shared) }
  } catch (error) {
    rmSync(set, { recursive: true, force: true })
    throw error
  }
}

/** Copies files and folders; sockets and the like are passed over. */
export function copyTree(from: string, to: string, except = /^$/): void {
  if (!existsSync(from)) return
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (except.test(entry.name)) continue
    const [source, goal] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyTree(source, goal)
    else if (entry.isFile()) copyFileSync(source, goal)
  }
  syncFolder(to)
}
