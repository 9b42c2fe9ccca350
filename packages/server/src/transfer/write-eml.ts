import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ExportFolder } from './exporter.ts'
import { flagNames } from './flag-names.ts'
import { EML_INDEX, type EmlEntry } from './manifest.ts'
import { syncFolder, writeAtomically } from './write-file.ts'

/** One file a mail, the bytes as they were received. Names begin with the UID; flags and dates are in the index beside them. */
export async function writeEml({ at, folder, mails, onMail }: ExportFolder): Promise<void> {
  mkdirSync(at, { recursive: true })
  const there = new Set(readdirSync(at).filter((name) => /^\d+-\d+\.eml(\.new)?$/.test(name)))
  const index = new Map<string, EmlEntry>()
  for (const mail of mails) {
    const { uid, flags, keywords, received } = mail
    const name = `${folder.uidValidity}-${String(uid).padStart(10, '0')}.eml`
    const entry: EmlEntry = {
      uid,
      received: new Date(received).toISOString(),
      flags: [...flagNames(flags), ...keywords],
    }
    if (!there.delete(name)) {
      const text = await mail.text()
      if (text === undefined) continue
      writeAtomically(join(at, name), text.bytes, { mtime: received })
      onMail(text.bytes.length)
    } else onMail(0)
    index.set(name, entry)
  }
  for (const name of there) rmSync(join(at, name), { force: true })
  writeAtomically(join(at, EML_INDEX), JSON.stringify(Object.fromEntries(index), null, 1))
  syncFolder(at)
}
