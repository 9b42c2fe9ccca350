import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FolderRole, folderRoles, type Phrase, verbatim } from '@postrider/domain'
import { TransferError } from './types.ts'

/** Lies in the folder of an export: what file names and formats cannot hold. Two exports of equal mailboxes have equal ones. */
export const MANIFEST = 'postrider-export.json'
/** Beside the mails of an EML folder: what their files cannot hold. */
export const EML_INDEX = 'postrider-mails.json'

export type ExportFormat = 'maildir' | 'mbox' | 'eml'

export interface ManifestFolder {
  readonly path: readonly string[]
  readonly role: FolderRole | null
  readonly specialUse: string | null
  readonly subscribed: boolean
  readonly uidValidity: number
  readonly uidNext: number
  /** File or folder of its mails, below the export's. */
  readonly at: string
}
export interface Manifest {
  readonly version: 1
  readonly format: ExportFormat
  readonly folders: readonly ManifestFolder[]
}

/** What an EML file cannot say of itself, by file name. */
export interface EmlEntry {
  readonly uid: number
  readonly received: string
  readonly flags: readonly string[]
}

const isText = (value: unknown): value is string => typeof value === 'string'

/** The manifest of an export, undefined where there is none. Throws TransferError for one that is broken. */
export function readManifest(folder: string): Manifest | undefined {
  const file = join(folder, MANIFEST)
  if (!existsSync(file)) return undefined
  const broken = ({ en, fr }: Phrase): never => {
    throw new TransferError({
      en: `${file} is broken: ${en}. Take it away to import without it.`,
      fr: `${file} est abîmé : ${fr}. Ôtez-le pour importer sans lui.`,
    })
  }
  let value: Partial<Manifest>
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Manifest>
  } catch (error) {
    return broken(verbatim((error as Error).message))
  }
  if (value?.version !== 1 || !Array.isArray(value.folders))
    return broken({ en: 'it is of another version', fr: 'il est d’une autre version' })
  for (const one of value.folders as readonly Partial<ManifestFolder>[]) {
    const sound =
      Array.isArray(one.path) &&
      one.path.every(isText) &&
      isText(one.at) &&
      !one.at.startsWith('/') &&
      !one.at.split('/').includes('..') &&
      (one.role === null || folderRoles.some((role) => role === one.role))
    if (!sound) return broken({ en: 'a folder in it makes no sense', fr: 'un de ses dossiers n’a pas de sens' })
  }
  return value as Manifest
}
