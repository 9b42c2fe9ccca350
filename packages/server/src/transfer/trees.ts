import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { sortFlags } from './flag-names.ts'
import { withCrlf } from './line-ends.ts'
import { EML_INDEX, type EmlEntry, type ManifestFolder, readManifest } from './manifest.ts'
import type { Quoting } from './mbox-lines.ts'
import { isMbox, mboxBase, readMbox } from './mbox-read.ts'
import {
  MAX_MAIL_BYTES,
  type MailSource,
  type SourceFolder,
  type SourceMail,
  TransferError,
  tooManyBytes,
} from './types.ts'

const MAX_DEPTH = 64
const visible = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))

function emlIndex(folder: string): Map<string, EmlEntry> {
  const file = join(folder, EML_INDEX)
  if (!existsSync(file)) return new Map()
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, EmlEntry>))
  } catch (error) {
    throw new TransferError({
      en: `${file} is broken: ${(error as Error).message}. Take it away to import without flags.`,
      fr: `${file} est abîmé : ${(error as Error).message}. Ôtez-le pour importer sans les indicateurs.`,
    })
  }
}

const isEml = (name: string): boolean => /\.eml$/i.test(name) && !name.startsWith('.')

async function* emlMails(folder: string): AsyncIterable<SourceMail> {
  const index = emlIndex(folder)
  for (const name of readdirSync(folder).filter(isEml).sort()) {
    const file = join(folder, name)
    const entry = index.get(name)
    const { flags, keywords } = sortFlags(entry?.flags ?? [])
    const received = entry === undefined ? undefined : Date.parse(entry.received)
    yield {
      where: file,
      ...(entry === undefined ? {} : { uid: entry.uid }),
      flags,
      keywords,
      received: received === undefined || Number.isNaN(received) ? undefined : received,
      weight: 1,
      async read() {
        const { size } = statSync(file)
        if (size > MAX_MAIL_BYTES) throw new TransferError(tooManyBytes(size))
        return withCrlf(readFileSync(file))
      },
    }
  }
}

const given = (folder: ManifestFolder): Pick<SourceFolder, 'path' | 'role' | 'subscribed' | 'uids'> => ({
  path: folder.path,
  role: folder.role ?? undefined,
  subscribed: folder.subscribed,
  uids: { validity: folder.uidValidity, next: folder.uidNext },
})

/** Folders of EML files; one file is a folder of one mail. */
export function emlSource(root: string): MailSource {
  const folderAt = (path: string, about: Pick<SourceFolder, 'path'>): SourceFolder => ({
    ...about,
    weight: readdirSync(path).filter(isEml).length,
    mails: () => emlMails(path),
  })
  function* tree(folder: string, path: readonly string[]): Generator<SourceFolder> {
    if (path.length > 0 || readdirSync(folder).some(isEml)) yield folderAt(folder, { path })
    if (path.length < MAX_DEPTH)
      for (const entry of visible(folder))
        if (entry.isDirectory()) yield* tree(join(folder, entry.name), [...path, entry.name])
  }
  return {
    kind: 'eml',
    async folders() {
      const manifest = readManifest(root)
      if (manifest === undefined) return [...tree(root, [])]
      return manifest.folders.map((one) => folderAt(join(root, one.at), given(one)))
    },
    close: async () => {},
  }
}

/** One mbox file, or folders of them: `Name`, `Name.mbox`, `Name.mbox/mbox` (Apple), `Name.sbd/` for what is inside (Thunderbird). */
export function mboxSource(root: string, quoting: Quoting): MailSource {
  const fileAt = (file: string, about: Pick<SourceFolder, 'path' | 'uids'>): SourceFolder => ({
    uids: mboxBase(file),
    ...about,
    weight: statSync(file).size,
    mails: () => readMbox(file, quoting),
  })
  function* tree(folder: string, path: readonly string[]): Generator<SourceFolder> {
    for (const entry of visible(folder)) {
      const inner = join(folder, entry.name)
      const name = entry.name.replace(/\.(?:mbox|sbd|mbx)$/i, '')
      if (entry.isDirectory()) {
        const apple = join(inner, 'mbox')
        if (/\.mbox$/i.test(entry.name) && existsSync(apple)) yield fileAt(apple, { path: [...path, name] })
        else if (path.length < MAX_DEPTH) yield* tree(inner, [...path, name])
      } else if (entry.isFile() && isMbox(inner) && (statSync(inner).size > 0 || /\.mbo?x$/i.test(entry.name)))
        yield fileAt(inner, { path: [...path, name] })
    }
  }
  return {
    kind: 'mbox',
    async folders() {
      if (statSync(root).isFile()) return [fileAt(root, { path: mboxName(root) })]
      const manifest = readManifest(root)
      if (manifest === undefined) return [...tree(root, [])]
      return manifest.folders.map((one) => fileAt(join(root, one.at), given(one)))
    },
    close: async () => {},
  }
}

/** A spool file is called like its user and is his inbox; any other file is called like its folder. */
function mboxName(file: string): readonly string[] {
  const name = basename(file).replace(/\.(?:mbox|mbx)$/i, '')
  return /\/(?:mail|spool)\/[^/]+$/.test(file) || /^(?:inbox|mbox)$/i.test(name) ? [] : [name]
}
