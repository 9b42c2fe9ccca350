import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SpokenError } from '@postrider/domain'

/** The data folder is in use by another process; `pid` when it could be read. */
export class FolderInUse extends SpokenError {
  override readonly name = 'FolderInUse'
  readonly pid: number | undefined
  constructor(folder: string, pid: number | undefined) {
    const who = pid === undefined ? { en: '', fr: '' } : { en: ` (process ${pid})`, fr: ` (processus ${pid})` }
    super({
      en: `The data folder ${folder} is in use by another postrider${who.en}.`,
      fr: `Le dossier de données ${folder} est utilisé par un autre postrider${who.fr}.`,
    })
    this.pid = pid
  }
}

const LOCK = 'postrider.lock'
const PID = 'postrider.pid'

/**
 * One process per data folder. The lock is SQLite's on a file of its own: the system lets go of it when the process ends, however it
 * ends, so there is no stale lock to clean up. Throws FolderInUse.
 */
export function lockFolder(folder: string): { release(): void } {
  const db = new DatabaseSync(join(folder, LOCK))
  try {
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!/locked|busy/i.test((error as Error).message)) throw error
    throw new FolderInUse(folder, pidOf(folder))
  }
  writeFileSync(join(folder, PID), `${process.pid}\n`)
  return { release: () => db.close() }
}

function pidOf(folder: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(folder, PID), 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}
