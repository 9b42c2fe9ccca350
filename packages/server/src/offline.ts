import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { openDirectory } from '@postrider/store/directory'
import type { Administration } from './administration.ts'
import { databaseNames, type Loaded } from './config/load.ts'
import { lockFolder } from './control/lock.ts'
import { prepareDirectory } from './first-start.ts'
import { SpokenError } from '@postrider/domain'
import { readIdentity } from './nodes/identity.ts'

export const DIRECTORY_FILE = 'directory.db'

/** The data folder, made if need be, closed to other users. */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(resolve(folder))
    chmodSync(folder, 0o700)
  } catch (error) {
    const { message } = error as Error
    throw new SpokenError({
      en: `The data folder ${folder} cannot be used: ${message}. Name one that this user may write to in POSTRIDER_DATA.`,
      fr: `Le dossier de données ${folder} n’est pas utilisable : ${message}. Indiquez dans POSTRIDER_DATA un dossier où cet utilisateur peut écrire.`,
    })
  }
}

/** By hand, level for level: Node's own `recursive` never comes back where the parent is there and nothing can be made in it (/proc). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}

/** Root works on another user's folder as that user: files of root's in it would be closed to the server. */
function becomeOwner(folder: string): void {
  if (process.geteuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  if (uid === 0) return
  process.setgroups?.([gid])
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** Administration of a data folder whose server does not run. Throws FolderInUse when it does. */
export async function withOfflineAdministration<T>(
  loaded: Loaded,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  prepareFolder(loaded.dataFolder)
  becomeOwner(loaded.dataFolder)
  const head = readIdentity(loaded.dataFolder)?.head
  if (head !== undefined)
    throw new SpokenError({
      en: `The directory is on the node ${head.name}: start the server here, or ask there.`,
      fr: `L’annuaire est sur le nœud ${head.name} : démarrez le serveur ici, ou demandez là-bas.`,
    })
  const lock = lockFolder(loaded.dataFolder)
  try {
    const file = join(loaded.dataFolder, DIRECTORY_FILE)
    const directory = openDirectory({ file, databases: databaseNames(loaded.config) })
    try {
      await prepareDirectory(directory, loaded)
      return await work({ directory, loaded, server: undefined })
    } finally {
      directory.close()
    }
  } finally {
    lock.release()
  }
}
