import {
  DomainError,
  type Folder,
  type MailboxEntry,
  type MailboxService,
  MAX_BLOB_CHUNK,
  MAX_GET,
  type Mid,
} from '@postrider/domain'
import type { DirectoryStore } from '@postrider/store/directory'
import type { StoreReport } from './administration.ts'

/** A pause between two pieces of work, so that users do not notice the check. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Reads every item and every original of every mailbox through the mailbox service, which compares checksums as it reads, and holds
 * folder counters against the rows. Runs beside normal work.
 */
export async function checkStore(directory: DirectoryStore, service: MailboxService): Promise<StoreReport> {
  const problems: string[] = []
  let mailboxes = 0
  let items = 0
  let bytes = 0
  for (const entry of [...directory.mailboxes()]) {
    mailboxes++
    const say = (text: string): void => void problems.push(`${entry.address}: ${text}`)
    try {
      for (const folder of await service.folders(entry.mailbox)) {
        const found = await service.scan(entry.mailbox, { folder: folder.id, columns: ['mid'], associated: true })
        const expected = folder.total + folder.hidden
        // Somebody may have written between the two questions: only a folder that stands still can be compared.
        if (found.count !== expected && (await stands(service, entry, folder)))
          say(`folder ${folder.name} counts ${expected} items and has ${found.count}`)
        for (let at = 0; at < found.count; at += MAX_GET) {
          const mids = [...found.mid.subarray(at, at + MAX_GET)] as Mid[]
          const read = await readItems(service, entry, mids, say)
          items += read.items
          bytes += read.bytes
        }
      }
    } catch (error) {
      say(reason(error))
    }
  }
  return { mailboxes, items, bytes, problems }
}

async function stands(service: MailboxService, entry: MailboxEntry, folder: Folder): Promise<boolean> {
  const now = (await service.folders(entry.mailbox)).find((one) => one.id === folder.id)
  return now !== undefined && now.contentChange === folder.contentChange && now.hidden === folder.hidden
}

async function readItems(
  service: MailboxService,
  entry: MailboxEntry,
  mids: readonly Mid[],
  say: (text: string) => void,
): Promise<{ items: number; bytes: number }> {
  const columns = ['promoted', 'index', 'original', 'props', 'recipients', 'attachments', 'keys'] as const
  let bytes = 0
  let items = 0
  for (const mid of mids) {
    await breathe()
    try {
      const [item] = await service.get(entry.mailbox, { by: { mids: [mid] }, columns: [...columns] })
      if (item === undefined) continue
      items++
      if (item.original === undefined) continue
      let size = 0
      for (;;) {
        const chunk = await service.blob(entry.mailbox, item.original, size, size + MAX_BLOB_CHUNK)
        size += chunk.length
        if (chunk.length < MAX_BLOB_CHUNK) break
      }
      bytes += size
      if (size !== item.size) say(`item ${mid} has ${size} bytes instead of ${item.size}`)
    } catch (error) {
      say(`item ${mid}: ${reason(error)}`)
    }
  }
  return { items, bytes }
}

const reason = (error: unknown): string =>
  error instanceof DomainError ? error.message : error instanceof Error ? error.message : String(error)
