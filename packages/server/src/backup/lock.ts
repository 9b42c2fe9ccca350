import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CommandFailed } from '../cli/command.ts'

const LOCK = 'backup.lock'

/** One backup of a data folder at a time: a second one would take away what the first is making. Throws CommandFailed. */
export function lockBackups(dataFolder: string): { release(): void } {
  if (!existsSync(dataFolder)) return { release() {} }
  const db = new DatabaseSync(join(dataFolder, LOCK))
  try {
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!/locked|busy/i.test((error as Error).message)) throw error
    throw new CommandFailed(
      {
        en: 'Another backup of this data folder is being made.',
        fr: 'Une autre sauvegarde de ce dossier de données est en cours.',
      },
      'busy',
    )
  }
  return { release: () => db.close() }
}
