import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BlobRef,
  type Folder,
  type MailboxId,
  type MailboxService,
  MAX_BLOB_CHUNK,
  type Mid,
  type Phrase,
  type Promoted,
  type Say,
} from '@postrider/domain'
import { placesOf } from './file-names.ts'
import { type MailFolder, mailFolders } from './mail-folders.ts'
import { type ExportFormat, MANIFEST, type Manifest } from './manifest.ts'
import { writeAtomically } from './write-file.ts'
import { TransferError } from './types.ts'
import { writeEml } from './write-eml.ts'
import { writeMaildir, writeSubscriptions } from './write-maildir.ts'
import { writeMbox } from './write-mbox.ts'

/** What was exported when, so that the same export again only brings what is new. */
const RESUME = '.postrider-resume.json'
const PAGE = 200

/** A mail as the writers take it; its text is read when it is needed. */
export interface ExportMail {
  readonly uid: number
  readonly flags: number
  readonly keywords: readonly string[]
  readonly received: number
  /** In `mails` order; undefined for one that was deleted meanwhile or has no text. */
  text(): Promise<{ readonly bytes: Uint8Array; readonly sender: string } | undefined>
}
export interface ExportFolder {
  /** Where it goes. */
  readonly at: string
  readonly folder: Folder
  readonly path: readonly string[]
  readonly mails: readonly ExportMail[]
  readonly onMail: (bytes: number) => void
  readonly onWarning: (phrase: Phrase) => void
}

export interface ExportReport {
  readonly folders: number
  readonly mails: number
  /** Folders that had not changed since the export before. */
  readonly unchanged: number
  readonly warnings: readonly string[]
}
export interface ExportOptions {
  readonly service: MailboxService
  readonly mailbox: MailboxId
  readonly target: string
  readonly format: ExportFormat
  /** Says the warnings of the report. */
  readonly say: Say
  readonly onProgress?: (progress: { folder: string; mails: number; bytes: number; done: number }) => void
}

interface Resume {
  readonly guid: string
  readonly format: ExportFormat
  /** Content change by place. */
  readonly folders: Readonly<Record<string, number>>
}

function readResume(target: string): Resume | undefined {
  const file = join(target, RESUME)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Resume) : undefined
}

/** Writes all mail folders of a mailbox into a folder of files. Run again over the same folder it brings that up to date. */
export async function exportMailbox(options: ExportOptions): Promise<ExportReport> {
  const { service, mailbox, target, format } = options
  mkdirSync(target, { recursive: true })
  const { guid } = await service.info(mailbox)
  const before = readResume(target)
  if (before === undefined && readdirSync(target).length > 0)
    throw new TransferError({
      en: `${target} is not empty and holds no export of this mailbox.`,
      fr: `${target} n’est pas vide et ne contient pas d’export de cette boîte.`,
    })
  if (before !== undefined && (before.guid !== guid || before.format !== format))
    throw new TransferError({
      en: `${target} holds another export: of another mailbox, or as ${before.format}.`,
      fr: `${target} contient un autre export : d’une autre boîte, ou en ${before.format}.`,
    })
  const folders = mailFolders(await service.folders(mailbox))
  const inbox = folders.findIndex(({ folder }) => folder.role === 'inbox')
  const places = placesOf(
    folders.map(({ path }) => path),
    inbox,
    format,
  )
  const done = new Map<string, number>(Object.entries(before?.folders ?? {}))
  const remember = (): void =>
    writeAtomically(
      join(target, RESUME),
      JSON.stringify({ guid, format, folders: Object.fromEntries(done) } satisfies Resume),
    )
  // What the mailbox has no more.
  for (const place of [...done.keys()].filter((one) => !places.includes(one))) {
    rmSync(join(target, place), { recursive: true, force: true })
    done.delete(place)
  }
  remember()
  rmSync(join(target, MANIFEST), { force: true })
  const total = folders.reduce((sum, { folder }) => sum + folder.total, 0)
  const count = { mails: 0, bytes: 0, unchanged: 0, seen: 0 }
  const warnings: string[] = []
  for (const [i, one] of folders.entries()) {
    const place = places[i] as string
    const label = one.path.join('/')
    const at = join(target, place)
    if (done.get(place) === one.folder.contentChange && existsSync(at)) {
      count.unchanged++
      count.seen += one.folder.total
      continue
    }
    await write(format, {
      at,
      ...one,
      mails: await mailsOf(options, one),
      onWarning: (phrase) => warnings.push(`${label}: ${options.say(phrase)}`),
      onMail(bytes) {
        count.mails++
        count.seen++
        count.bytes += bytes
        const { mails, seen } = count
        options.onProgress?.({
          folder: label,
          mails,
          bytes: count.bytes,
          done: total === 0 ? 1 : Math.min(1, seen / total),
        })
      },
    })
    done.set(place, one.folder.contentChange)
    remember()
  }
  if (format === 'maildir') writeSubscriptions(target, folders, inbox)
  writeAtomically(join(target, MANIFEST), JSON.stringify(manifestOf(format, folders, places), null, 1))
  return { folders: folders.length, mails: count.mails, unchanged: count.unchanged, warnings }
}

const write = (format: ExportFormat, folder: ExportFolder): Promise<void> =>
  format === 'maildir' ? writeMaildir(folder) : format === 'mbox' ? writeMbox(folder) : writeEml(folder)

function manifestOf(format: ExportFormat, folders: readonly MailFolder[], places: readonly string[]): Manifest {
  return {
    version: 1,
    format,
    folders: folders.map(({ folder, path }, i) => ({
      path,
      role: folder.role ?? null,
      specialUse: folder.specialUse ?? null,
      subscribed: folder.subscribed,
      uidValidity: folder.uidValidity,
      uidNext: folder.uidNext,
      at: places[i] as string,
    })),
  }
}

/** The rows of a folder; texts are read page by page. */
async function mailsOf({ service, mailbox }: ExportOptions, { folder }: MailFolder): Promise<ExportMail[]> {
  const rows = await service.scan(mailbox, {
    folder: folder.id,
    columns: ['uid', 'mid', 'flags', 'keywords', 'received'],
  })
  const mids = Array.from(rows.mid) as Mid[]
  let page:
    | { from: number; items: Map<number, { original: BlobRef | undefined; promoted: Promoted | undefined }> }
    | undefined
  const detail = async (i: number) => {
    const from = i - (i % PAGE)
    if (page?.from !== from) {
      const items = await service.get(mailbox, {
        by: { mids: mids.slice(from, from + PAGE) },
        columns: ['original', 'promoted'],
      })
      page = { from, items: new Map(items.map(({ mid, original, promoted }) => [mid, { original, promoted }])) }
    }
    return page.items.get(mids[i] as number)
  }
  return mids.map((_, i) => ({
    uid: rows.uid[i] as number,
    flags: rows.flags[i] as number,
    keywords: rows.keywordSets[rows.keywords[i] as number] ?? [],
    received: rows.received[i] as number,
    async text() {
      const found = await detail(i)
      if (found?.original === undefined) return undefined
      return { bytes: await original(service, mailbox, found.original), sender: found.promoted?.fromAddress ?? '' }
    },
  }))
}

async function original(service: MailboxService, mailbox: MailboxId, ref: BlobRef): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let at = 0; ; at += MAX_BLOB_CHUNK) {
    const part = await service.blob(mailbox, ref, at, at + MAX_BLOB_CHUNK)
    parts.push(part)
    if (part.length < MAX_BLOB_CHUNK) return parts.length === 1 ? part : Buffer.concat(parts)
  }
}
