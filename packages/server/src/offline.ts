import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openDirectory } from '@postrider/store/directory'
import type { Administration } from './administration.ts'
import { databaseNames, type Loaded } from './config/load.ts'
import { lockFolder } from './control/lock.ts'
import { prepareDirectory } from './first-start.ts'

export const DIRECTORY_FILE = 'directory.db'

/** The data folder, made if need be, closed to other users. */
export function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
}

/** Administration of a data folder whose server does not run. Throws FolderInUse when it does. */
export async function withOfflineAdministration<T>(
  loaded: Loaded,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  prepareFolder(loaded.dataFolder)
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
