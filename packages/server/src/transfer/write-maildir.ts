import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeUtf7 } from '@postrider/wire/imap'
import type { ExportFolder } from './exporter.ts'
import { flagNames } from './flag-names.ts'
import { withCrlf, withLf } from './line-ends.ts'
import type { MailFolder } from './mail-folders.ts'
import { letterBits } from './maildir-read.ts'
import { syncFolder, writeAtomically } from './write-file.ts'

const MAX_LETTERS = 26
const ours = /^\d+\.U\d+V\d+\.postrider/

/** A Maildir as Dovecot has it: flags in the names, dates as times of the files, UIDs and keywords in lists. */
export async function writeMaildir({ at, folder, path, mails, onMail, onWarning }: ExportFolder): Promise<void> {
  for (const one of ['cur', 'new', 'tmp']) mkdirSync(join(at, one), { recursive: true })
  if (folder.role !== 'inbox') writeFileSync(join(at, 'maildirfolder'), '')
  const there = new Map<string, string>()
  for (const name of readdirSync(join(at, 'cur'))) if (ours.test(name)) there.set(name.split(',S=')[0] as string, name)
  const words = keywordsOf(mails)
  if (words.length > MAX_LETTERS)
    onWarning({
      en: `${words.length} keywords, and a Maildir has letters for ${MAX_LETTERS}: the others are left out.`,
      fr: `${words.length} mots-clés, et un Maildir n’a de lettres que pour ${MAX_LETTERS} : les autres sont omis.`,
    })
  const letters = new Map(words.slice(0, MAX_LETTERS).map((word, i) => [word, String.fromCharCode(97 + i)]))
  const list: string[] = []
  for (const mail of mails) {
    const seconds = Math.max(0, Math.floor(mail.received / 1000))
    const base = `${seconds}.U${mail.uid}V${folder.uidValidity}.postrider`
    const old = there.get(base)
    there.delete(base)
    let name = old?.split(':2,')[0]
    if (name === undefined) {
      const text = await mail.text()
      if (text === undefined) continue
      const bytes = withLf(text.bytes)
      name = `${base},S=${bytes.length},W=${withCrlf(bytes).length}`
      const final = `${name}:2,${lettersOf(mail, letters)}`
      writeAtomically(join(at, 'cur', final), bytes, { mtime: mail.received, aside: join(at, 'tmp', base) })
      onMail(text.bytes.length)
    } else {
      const now = `${name}:2,${lettersOf(mail, letters)}`
      if (now !== old) renameSync(join(at, 'cur', old as string), join(at, 'cur', now))
      onMail(0)
    }
    list.push(`${mail.uid} :${name}`)
  }
  for (const name of there.values()) rmSync(join(at, 'cur', name), { force: true })
  for (const name of readdirSync(join(at, 'tmp'))) rmSync(join(at, 'tmp', name), { force: true })
  const guid = createHash('sha256')
    .update(`${folder.uidValidity}/${path.join('/')}`)
    .digest('hex')
    .slice(0, 32)
  writeAtomically(
    join(at, 'dovecot-uidlist'),
    [`3 V${folder.uidValidity} N${folder.uidNext} G${guid}`, ...list, ''].join('\n'),
  )
  writeAtomically(join(at, 'dovecot-keywords'), [...letters.keys()].map((word, i) => `${i} ${word}\n`).join(''))
  syncFolder(join(at, 'cur'))
}

type Flagged = Pick<ExportFolder['mails'][number], 'flags' | 'keywords'>

/** Everything that has no letter of its own. */
const wordsOf = ({ flags, keywords }: Flagged): string[] => [
  ...flagNames(flags, ['mdnSent', 'junk', 'notJunk']),
  ...keywords,
]
const keywordsOf = (mails: readonly Flagged[]): string[] => [...new Set(mails.flatMap(wordsOf))].sort()

/** In the order of their codes, as the specification wants. */
function lettersOf(mail: Flagged, letters: ReadonlyMap<string, string>): string {
  const known = Object.entries(letterBits).flatMap(([letter, bit]) => ((mail.flags & bit) === 0 ? [] : [letter]))
  return [...known, ...wordsOf(mail).flatMap((word) => letters.get(word) ?? [])].sort().join('')
}

/** The names that Dovecot and Courier ask for. */
export function writeSubscriptions(root: string, folders: readonly MailFolder[], inbox: number): void {
  const names = folders.flatMap(({ folder, path }, i) =>
    !folder.subscribed
      ? []
      : [i === inbox ? 'INBOX' : path.map((name) => encodeUtf7(name).replace(/\./g, '&AC4-')).join('.')],
  )
  writeAtomically(join(root, 'subscriptions'), names.map((name) => `${name}\n`).join(''))
}
