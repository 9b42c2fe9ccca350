import { createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { openDirectory } from '@postrider/store/directory'
import type { PostgresPlace } from '@postrider/store/postgres'
import { parseS3Url, S3, type S3Options } from '@postrider/store/s3'
import { CommandFailed } from '../cli/command.ts'
import type { Loaded } from '../config/load.ts'
import { DIRECTORY_FILE, prepareFolder } from '../offline.ts'
import { type BackupReport, makeBackup } from './make.ts'
import { type BackupManifest, DATA, MANIFEST, noSuchBackup } from './sets.ts'
import { bucketShelf, folderShelf, type Shelf } from './shelf.ts'

/** Beside a set's manifest: where the files of the set are. */
const FILES = 'files.json'
/** Closed segments, which sets share, and all else by set. */
const SHARED = 'segments/'
const SETS = 'sets/'
/** Largest list, and what is fetched at once, bytes. */
const LIST_BYTES = 256 * 1024 * 1024
const PART_BYTES = 8 * 1024 * 1024

/** Path below the set → object with its bytes. */
type Files = Readonly<Record<string, { readonly key: string; readonly size: number }>>

export const isBucket = (target: string): boolean => target.startsWith('s3://')

/** Throws CommandFailed for what is no bucket, or has its secret on the command line, where others see it. */
function optionsOf(target: string): S3Options {
  const { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey } = process.env
  const options = parseS3Url(target, { accessKey, secretKey })
  if (options === undefined || /^s3:\/\/[^/]*@/.test(target))
    throw new CommandFailed(
      {
        en: 'A bucket is written as s3://host/bucket/folder?region=…, without keys: they come from the environment.',
        fr: 'Un seau s’écrit s3://hôte/seau/dossier?region=…, sans clés : elles viennent de l’environnement.',
      },
      'usage',
    )
  return options
}
const open = (target: string): S3 => new S3(optionsOf(target))

/** What is archived beside the sets. */
export const shelfAt = (target: string): Shelf =>
  isBucket(target) ? bucketShelf(optionsOf(target)) : folderShelf(target)

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else yield path
  }
}

/** Keys of the segments that never change: number, length and file say which it is. */
function sharedKeys({ databases }: BackupManifest): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const [name, segments] of Object.entries(databases))
    for (const { segment, bytes, sealed, ino, mtime } of segments) {
      const file = join(DATA, 'mailboxes', name, 'segments', `${String(segment).padStart(8, '0')}.seg`)
      const isObject = segment >= 2 ** 20
      if (sealed && (isObject || ino > 0)) keys.set(file, `${SHARED}${name}/${segment}-${bytes}-${ino}-${mtime}`)
    }
  return keys
}

/**
 * Makes a set in the data folder (closed segments by links), reads it back, and sends to a bucket what is not there yet; the manifest comes last. The
 * store confirms the checksum of every object. Rejects with CommandFailed or DomainError; a set without a manifest is none.
 */
export async function backupToBucket(
  dataFolder: string,
  target: string,
  options: { readonly now: number; readonly place: PostgresPlace | undefined; readonly keep?: number },
): Promise<BackupReport> {
  const s3 = open(target)
  const work = join(dataFolder, 'backup-work')
  rmSync(work, { recursive: true, force: true })
  try {
    const there = new Map<string, number>()
    for await (const { key, size } of s3.list(SHARED)) there.set(key, size)
    const report = await makeBackup(dataFolder, work, { ...options, link: true })
    const manifest = JSON.parse(readFileSync(join(report.set, MANIFEST), 'utf8')) as BackupManifest
    const shared = sharedKeys(manifest)
    const set = `${SETS}${relative(work, report.set)}/`
    const files: Record<string, { key: string; size: number }> = {}
    let saved = 0
    for (const path of filesBelow(report.set)) {
      const name = relative(report.set, path)
      if (name === MANIFEST) continue
      const { size } = statSync(path)
      const key = shared.get(name) ?? `${set}${name}`
      files[name] = { key, size }
      if (there.get(key) === size) saved += size
      else await s3.put(key, size === 0 ? new Uint8Array(0) : { path, size })
    }
    // Somebody else may have removed what was there when this began.
    for await (const { key, size } of s3.list(SHARED)) there.set(key, size)
    await s3.put(`${set}${FILES}`, Buffer.from(JSON.stringify(files satisfies Files)))
    await s3.put(`${set}${MANIFEST}`, readFileSync(join(report.set, MANIFEST)))
    if (options.keep !== undefined) await prune(s3, options.keep)
    return { ...report, set: `${target.replace(/\?.*$/, '').replace(/\/$/, '')}/${set}`, shared: saved }
  } finally {
    rmSync(work, { recursive: true, force: true })
    s3.close()
  }
}

/** Names of the complete sets, oldest first. */
async function setNames(s3: S3): Promise<string[]> {
  const names: string[] = []
  for await (const { key } of s3.list(SETS))
    if (key.endsWith(`/${MANIFEST}`) && key.split('/').length === 3)
      names.push(key.slice(SETS.length, -MANIFEST.length - 1))
  return names.sort()
}

const filesOf = async (s3: S3, name: string): Promise<Files> =>
  JSON.parse(Buffer.from((await s3.get(`${SETS}${name}/${FILES}`, { limit: LIST_BYTES })) ?? []).toString()) as Files

/** Removes all but the newest sets, manifests first, and then the segments that none of the others has. */
async function prune(s3: S3, keep: number): Promise<void> {
  const names = await setNames(s3)
  for (const name of names.slice(0, -keep)) {
    await s3.remove(`${SETS}${name}/${MANIFEST}`)
    const keys: string[] = []
    for await (const { key } of s3.list(`${SETS}${name}/`)) keys.push(key)
    for (const key of keys) await s3.remove(key)
  }
  const used = new Set<string>()
  for (const name of names.slice(-keep)) for (const { key } of Object.values(await filesOf(s3, name))) used.add(key)
  const unused: string[] = []
  for await (const { key } of s3.list(SHARED)) if (!used.has(key)) unused.push(key)
  for (const key of unused) await s3.remove(key)
}

/**
 * Brings a set of a bucket to the data folder's file system: the youngest made at `at` or before; with `address` only what that mailbox needs.
 * Answers the folder of sets with it. Rejects with CommandFailed or DomainError.
 */
export async function fetchSet(
  { dataFolder }: Loaded,
  target: string,
  options: { readonly at?: number; readonly address?: string },
): Promise<{ readonly folder: string; remove(): void }> {
  const s3 = open(target)
  prepareFolder(dataFolder)
  const folder = join(dataFolder, 'restoring-from')
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  remove()
  try {
    let found: { name: string; manifest: BackupManifest } | undefined
    for (const name of (await setNames(s3)).reverse()) {
      const bytes = await s3.get(`${SETS}${name}/${MANIFEST}`, { limit: LIST_BYTES })
      const manifest = JSON.parse(Buffer.from(bytes ?? []).toString()) as BackupManifest
      if (options.at !== undefined && Date.parse(manifest.made) > options.at) continue
      found = { name, manifest }
      break
    }
    if (found === undefined) throw new CommandFailed(noSuchBackup(target), 'notFound')
    const { name, manifest } = found
    const set = join(folder, name)
    const files = await filesOf(s3, name)
    const fetch = async (file: string): Promise<void> => {
      const object = files[file]
      if (object !== undefined) await download(s3, object, join(set, file))
    }
    const directoryFile = join(DATA, DIRECTORY_FILE)
    await fetch(directoryFile)
    let wanted = Object.keys(files).filter((file) => file !== directoryFile)
    if (options.address !== undefined) {
      const directory = openDirectory({ file: join(set, directoryFile), databases: Object.keys(manifest.databases) })
      try {
        const { database } = directory.identity(options.address)
        wanted = wanted.filter((file) => file.startsWith(join(DATA, 'mailboxes', database, '/')))
      } finally {
        directory.close()
      }
    }
    for (const file of wanted) await fetch(file)
    writeFileSync(join(set, MANIFEST), JSON.stringify(manifest))
    return { folder, remove }
  } catch (error) {
    remove()
    throw error
  } finally {
    s3.close()
  }
}

async function download(s3: S3, object: Files[string], path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const stream = createWriteStream(path, { mode: 0o600, flush: true })
  try {
    for (let at = 0; at < object.size; at += PART_BYTES) {
      const length = Math.min(PART_BYTES, object.size - at)
      const bytes = await s3.get(object.key, { from: at, length })
      if (bytes?.length !== length)
        throw new CommandFailed(
          { en: `The backup is damaged: ${object.key}`, fr: `La sauvegarde est abîmée : ${object.key}` },
          'corrupt',
        )
      await new Promise<void>((resolve, reject) => stream.write(bytes, (error) => (error ? reject(error) : resolve())))
    }
  } finally {
    await new Promise<void>((resolve, reject) =>
      stream.end((error?: Error | null) => (error ? reject(error) : resolve())),
    )
  }
}
