import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDomainError } from '@postrider/domain'
import { restorePostgres } from '@postrider/store/postgres'
import { checkBackup, renewRestored } from '@postrider/store/sqlite'
import { settleMailboxes } from '../administration.ts'
import { CommandFailed } from '../cli/command.ts'
import { databasesInUse, type Loaded, postgresServer } from '../config/load.ts'
import { lockFolder } from '../control/lock.ts'
import { openStore } from '../home/open-store.ts'
import { prepareFolder, withOfflineAdministration } from '../offline.ts'
import { copyTree } from './make.ts'
import { replay, replayDirectory } from './replay.ts'
import { DATA, noSuchBackup, setsIn } from './sets.ts'
import type { Shelf } from './shelf.ts'

export interface RestoreReport {
  readonly set: string
  readonly made: string
  /** The moment it was taken on to; null: that of the set. */
  readonly until: string | null
  readonly items: number
  /** Entries of the queue that wait for `postrider queue release`. */
  readonly held: number
  /** Mailboxes made between the copy of the mailboxes and that of the directory: they are there, and empty. */
  readonly empty: readonly string[]
  /** Where the data from before lie; null when there were none. */
  readonly before: string | null
  /** Schemas of the server that were moved aside. */
  readonly schemas: readonly string[]
}

/** Of the process that holds the folder. */
const stays =
  /^(?:postrider\.(?:lock|pid)|backup\.lock|standby\.(?:json|key)|before-.*|backup-work|restoring-from|restoring)$/

/**
 * Puts a set in the place of the data folder's contents: the youngest one made at `at` or before it. The server must not run. What was there
 * is moved aside, nothing is deleted. Rejects with CommandFailed or FolderInUse.
 */
export async function restoreBackup(
  loaded: Loaded,
  target: string,
  options: {
    /** Of the set. */
    readonly at?: number
    readonly replace: boolean
    readonly now: number
    /** Goes on from the set to this moment, by what the archive has. */
    readonly onTo?: { readonly moment: number; readonly shelf: Shelf }
  },
): Promise<RestoreReport> {
  const { dataFolder } = loaded
  const set = setsIn(target).findLast(
    ({ manifest }) => options.at === undefined || Date.parse(manifest.made) <= options.at,
  )
  if (set === undefined) throw new CommandFailed(noSuchBackup(target), 'notFound')
  prepareFolder(dataFolder)
  const lock = lockFolder(dataFolder)
  let before: string | null = null
  let items = 0
  let held = 0
  let until: number | undefined
  const schemas: string[] = []
  try {
    const there = readdirSync(dataFolder).filter((name) => !stays.test(name))
    if (there.length > 0 && !options.replace)
      throw new CommandFailed(
        {
          en: `${dataFolder} is not empty. Add --replace to move aside what is there.`,
          fr: `${dataFolder} n’est pas vide. Ajoutez --replace pour écarter ce qui s’y trouve.`,
        },
        'confirm',
      )
    const fresh = join(dataFolder, 'restoring')
    rmSync(fresh, { recursive: true, force: true })
    copyTree(join(set.folder, DATA), fresh)
    const { onTo } = options
    const { positions } = set.manifest
    if (onTo !== undefined && positions !== undefined)
      await replayDirectory(onTo.shelf, fresh, Date.parse(set.manifest.made), onTo.moment)
    for (const name of Object.keys(set.manifest.databases)) {
      const folder = join(fresh, 'mailboxes', name)
      const position = positions?.[name]
      if (onTo !== undefined && position !== undefined) {
        const reached = await replay(onTo.shelf, folder, {
          database: name,
          position,
          made: Date.parse(set.manifest.made),
          at: onTo.moment,
        })
        until = Math.min(until ?? reached, reached)
      }
      const { problems, items: count } = await checkBackup(name, folder)
      if (problems.length > 0)
        throw new CommandFailed(
          {
            en: `The backup is damaged: ${problems[0]?.detail ?? name}`,
            fr: `La sauvegarde est abîmée : ${problems[0]?.detail ?? name}`,
          },
          'corrupt',
        )
      items += count
      held += renewRestored(join(folder, 'mailbox.sqlite'), options.now)
      for (const end of ['-wal', '-shm']) rmSync(join(folder, `mailbox.sqlite${end}`), { force: true })
    }
    // Last of what may fail; what a server has is moved aside there.
    const place = postgresServer(loaded.config)
    if (place !== undefined)
      for (const name of Object.keys(set.manifest.databases)) {
        const folder = join(fresh, 'mailboxes', name)
        const schema = await restorePostgres(place, name, { folder, now: options.now })
        if (schema !== undefined) schemas.push(schema)
        rmSync(join(folder, 'mailbox.sqlite'))
        if (place.objects !== undefined) rmSync(join(folder, 'segments'), { recursive: true })
      }
    if (there.length > 0) {
      before = join(dataFolder, `before-restore-${new Date(options.now).toISOString().replaceAll(':', '-')}`)
      mkdirSync(before, { mode: 0o700 })
      for (const name of there) renameSync(join(dataFolder, name), join(before, name))
    }
    for (const name of readdirSync(fresh)) renameSync(join(fresh, name), join(dataFolder, name))
    rmSync(fresh, { recursive: true })
  } finally {
    lock.release()
  }
  return {
    set: set.folder,
    made: set.manifest.made,
    until: until === undefined ? null : new Date(until).toISOString(),
    items,
    held,
    empty: await settle(loaded),
    before,
    schemas,
  }
}

/** Makes mailboxes that the directory has and the databases do not. */
async function settle(loaded: Loaded): Promise<string[]> {
  return withOfflineAdministration(loaded, async ({ directory }) => {
    const store = await openStore({
      folder: loaded.dataFolder,
      databases: databasesInUse(loaded, directory),
      server: postgresServer(loaded.config),
    })
    const empty: string[] = []
    try {
      await settleMailboxes(directory, store)
      for (const entry of directory.mailboxes()) {
        try {
          await store.info(entry.mailbox)
        } catch (error) {
          if (!isDomainError(error, 'mailboxNotFound')) throw error
          const { language, quota, database } = entry
          await store.create(entry.mailbox, { language, quota, database })
          empty.push(entry.address)
        }
      }
    } finally {
      await store.close()
    }
    return empty
  })
}
