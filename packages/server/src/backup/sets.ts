import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Phrase } from '@postrider/domain'
import type { BackupSegment } from '@postrider/store/sqlite'

export const MANIFEST = 'backup.json'
/** Below a set: what goes into a data folder. */
export const DATA = 'data'

/** The copied tables have all entries of the log up to `before`, and none far behind `after`, which was its last one at `at`, ms. */
export interface LogPosition {
  readonly stream: string
  readonly before: number
  readonly after: number
  readonly at: number
}

export interface BackupManifest {
  readonly version: 1
  readonly made: string
  readonly databases: Readonly<Record<string, readonly BackupSegment[]>>
  /** Where the commit logs were, of databases that keep one. */
  readonly positions?: Readonly<Record<string, LogPosition>>
}
export interface BackupSet {
  readonly folder: string
  readonly manifest: BackupManifest
}

export const noSuchBackup = (target: string): Phrase => ({
  en: `There is no such backup in ${target}.`,
  fr: `Aucune sauvegarde ne convient dans ${target}.`,
})

/** The complete sets of a folder, oldest first. */
export function setsIn(target: string): BackupSet[] {
  if (!existsSync(target)) return []
  return readdirSync(target)
    .sort()
    .flatMap((name) => {
      const folder = join(target, name)
      const file = join(folder, MANIFEST)
      if (!existsSync(file)) return []
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as BackupManifest
      return manifest.version === 1 ? [{ folder, manifest }] : []
    })
}
