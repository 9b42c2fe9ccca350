import { existsSync, readdirSync, statSync } from 'node:fs'
import { isMaildir, maildirSource } from './maildir-read.ts'
import { readManifest } from './manifest.ts'
import type { Quoting } from './mbox-lines.ts'
import { isMbox } from './mbox-read.ts'
import { emlSource, mboxSource } from './trees.ts'
import { type MailSource, TransferError } from './types.ts'

export type FileFormat = 'maildir' | 'mbox' | 'eml'

/** What lies at a path. Throws TransferError when it cannot be told. */
function formatOf(path: string, depth = 0): FileFormat | undefined {
  if (statSync(path).isFile()) return isMbox(path) ? 'mbox' : undefined
  const manifest = readManifest(path)
  if (manifest !== undefined) return manifest.format
  if (isMaildir(path)) return 'maildir'
  const entries = readdirSync(path, { withFileTypes: true })
  if (entries.some((entry) => entry.isFile() && /\.eml$/i.test(entry.name))) return 'eml'
  for (const entry of entries) {
    const inner = `${path}/${entry.name}`
    if (entry.isFile() && !entry.name.startsWith('.') && statSync(inner).size > 0 && isMbox(inner)) return 'mbox'
    if (!entry.isDirectory() || depth >= 3) continue
    const found = formatOf(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** A source of files. */
export function fileSource(path: string, format: FileFormat | undefined, quoting: Quoting): MailSource {
  if (!existsSync(path)) throw new TransferError({ en: `There is no ${path}.`, fr: `${path} n’existe pas.` })
  const is = format ?? formatOf(path)
  if (is === undefined)
    throw new TransferError({
      en: `${path} is no Maildir, no mbox and no folder of EML files. If it is one, say which with --format.`,
      fr: `${path} n’est ni un Maildir, ni un mbox, ni un dossier de fichiers EML. S’il en est un, dites lequel avec --format.`,
    })
  if (is !== 'mbox' && !statSync(path).isDirectory())
    throw new TransferError({ en: `${path} is no folder.`, fr: `${path} n’est pas un dossier.` })
  return is === 'maildir' ? maildirSource(path) : is === 'eml' ? emlSource(path) : mboxSource(path, quoting)
}
