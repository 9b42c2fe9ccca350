import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Flag } from '@postrider/domain'
import { decodeUtf7 } from '@postrider/wire/imap'
import { sortFlags } from './flag-names.ts'
import { withCrlf } from './line-ends.ts'
import { readManifest } from './manifest.ts'
import {
  MAX_MAIL_BYTES,
  type MailSource,
  type SourceFolder,
  type SourceMail,
  TransferError,
  tooManyBytes,
} from './types.ts'

/** Letters behind `:2,`: the Maildir specification; P is Courier's and Dovecot's $Forwarded. */
export const letterBits = {
  D: Flag.draft,
  F: Flag.flagged,
  P: Flag.forwarded,
  R: Flag.answered,
  S: Flag.seen,
  T: Flag.deleted,
} as const
/** Folders inside one another are looked for so deep. */
const MAX_DEPTH = 64
const FIRST_PLAUSIBLE = Date.UTC(1980, 0, 1)

export const isMaildir = (folder: string): boolean => existsSync(join(folder, 'cur')) && existsSync(join(folder, 'new'))

const lines = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])

/** UIDs by file name without flags: Dovecot's list (versions 1 and 3) or Courier's. */
function uidList(folder: string): { uids: Map<string, number>; validity: number; next: number } | undefined {
  for (const name of ['dovecot-uidlist', 'courierimapuiddb']) {
    const [head = '', ...rest] = lines(join(folder, name))
    const numbers = /^3 .*?\bV(\d+).*? N(\d+)/.exec(head) ?? /^1 (\d+) (\d+)/.exec(head)
    if (numbers === null) continue
    const uids = new Map<string, number>()
    for (const line of rest) {
      const entry = head.startsWith('3') ? /^(\d+) (?:.*? )?:(.+)$/.exec(line) : /^(\d+) (.+)$/.exec(line)
      if (entry !== null) uids.set((entry[2] as string).split(':2,')[0] as string, Number(entry[1]))
    }
    return { uids, validity: Number(numbers[1]), next: Number(numbers[2]) }
  }
  return undefined
}

/** Dovecot's letters for keywords: lines of number and name. */
function keywordLetters(folder: string): Map<string, string> {
  const words = lines(join(folder, 'dovecot-keywords')).flatMap((line) => {
    const match = /^(\d+) (.+)$/.exec(line)
    return match === null ? [] : [[String.fromCharCode(97 + Number(match[1])), match[2] as string] as const]
  })
  return new Map(words)
}

/** The mail of a file that another program may have renamed since it was listed. Packed ones (Dovecot's zlib) are unpacked. */
function readMail(folder: string, sub: string, name: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(join(folder, sub, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const base = name.split(':2,')[0] as string
    const now = readdirSync(join(folder, 'cur')).find((one) => one.split(':2,')[0] === base)
    if (now === undefined) throw new TransferError({ en: 'it is gone', fr: 'il n’est plus là' })
    bytes = readFileSync(join(folder, 'cur', now))
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes, { maxOutputLength: MAX_MAIL_BYTES })
  if (bytes.length > MAX_MAIL_BYTES) throw new TransferError(tooManyBytes(bytes.length))
  return withCrlf(bytes)
}

/**
 * When the mail came: the file's time, as Dovecot has it. A file copied without its time is younger than its name says: then the
 * name counts.
 */
function receivedOf(path: string, name: string): number | undefined {
  const mtime = Math.round(statSync(path).mtimeMs)
  const named = Number(/^(\d{9,11})\./.exec(name)?.[1] ?? 0) * 1000
  return named >= FIRST_PLAUSIBLE && named + 1_000 < mtime ? named : mtime
}

function* list(folder: string): Generator<{ sub: string; name: string }> {
  for (const sub of ['cur', 'new'])
    for (const name of existsSync(join(folder, sub)) ? readdirSync(join(folder, sub)).sort() : [])
      if (!name.startsWith('.')) yield { sub, name }
}

function folderAt(folder: string, given: Pick<SourceFolder, 'path' | 'role' | 'subscribed'>): SourceFolder {
  const known = uidList(folder)
  return {
    ...given,
    ...(known === undefined ? {} : { uids: { validity: known.validity, next: known.next } }),
    weight: [...list(folder)].length,
    async *mails(): AsyncIterable<SourceMail> {
      const letters = keywordLetters(folder)
      const found = [...list(folder)].map((one) => ({
        ...one,
        uid: known?.uids.get(one.name.split(':2,')[0] as string),
      }))
      // Files without a UID came last.
      found.sort((a, b) => (a.uid ?? Number.POSITIVE_INFINITY) - (b.uid ?? Number.POSITIVE_INFINITY) || 0)
      for (const { sub, name, uid } of found) {
        const path = join(folder, sub, name)
        let received: number | undefined
        try {
          received = receivedOf(path, name)
        } catch {
          // renamed meanwhile: `read` looks for it, and the mail's own date counts
          received = undefined
        }
        const info = name.split(':2,')[1] ?? ''
        const bits = Object.entries(letterBits).reduce(
          (all, [letter, bit]) => (info.includes(letter) ? all | bit : all),
          0,
        )
        const words = sortFlags([...info].flatMap((letter) => letters.get(letter) ?? []))
        yield {
          where: path,
          ...(uid === undefined ? {} : { uid }),
          flags: bits | words.flags,
          keywords: words.keywords,
          received,
          weight: 1,
          read: async () => readMail(folder, sub, name),
        }
      }
    },
  }
}

/** Folders of a Maildir: `.Name.Sub` beside each other (Maildir++) or folders inside one another. */
function* tree(
  folder: string,
  path: readonly string[],
  depth = 0,
): Generator<{ folder: string; path: readonly string[] }> {
  if (isMaildir(folder)) yield { folder, path }
  if (depth >= MAX_DEPTH) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || ['cur', 'new', 'tmp'].includes(entry.name)) continue
    const inner = join(folder, entry.name)
    const plain = (name: string): string => decodeUtf7(name) ?? name
    if (entry.name.startsWith('.')) {
      if (isMaildir(inner)) yield { folder: inner, path: [...path, ...entry.name.slice(1).split('.').map(plain)] }
    } else yield* tree(inner, [...path, plain(entry.name)], depth + 1)
  }
}

function subscriptions(folder: string): Set<string> | undefined {
  const dovecot = lines(join(folder, 'subscriptions'))
  const separator = dovecot[0]?.startsWith('V') ? '\t' : '.'
  const courier = lines(join(folder, 'courierimapsubscribed')).map((line) => line.replace(/^INBOX\.?/, ''))
  const all = [
    ...(separator === '\t' ? dovecot.slice(2) : dovecot).map((line) => line.split(separator)),
    ...courier.map((line) => line.split('.')),
  ].filter((path) => path.join('') !== '')
  if (all.length === 0) return undefined
  return new Set(all.map((path) => path.map((name) => decodeUtf7(name) ?? name).join('\0')))
}

/** A Maildir with its subfolders as Dovecot, Courier and others lay them out. */
export function maildirSource(root: string): MailSource {
  return {
    kind: 'maildir',
    async folders() {
      const manifest = readManifest(root)
      if (manifest !== undefined)
        return manifest.folders.map(({ path, role, subscribed, at }) =>
          folderAt(join(root, at), { path, subscribed, role: role ?? undefined }),
        )
      const subscribed = subscriptions(root)
      return [...tree(root, [])].map(({ folder, path }) =>
        folderAt(folder, {
          path,
          ...(subscribed === undefined ? {} : { subscribed: subscribed.has(path.join('\0')) }),
        }),
      )
    },
    close: async () => {},
  }
}
