import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FolderId, MailboxId, NewItem } from '@postrider/domain'
import { openSqliteStore, type SqliteStore } from '../src/sqlite/index.ts'

/** A mail of about `bytes` bytes with an index as large as a real one, ready to be added. */
export function benchItem(n: number, bytes = 4096): NewItem {
  const head = `From: a${n}@example.com\r\nTo: b@example.com\r\nSubject: mail ${n}\r\nMessage-ID: <${n}@bench>\r\n\r\n`
  const original = Buffer.alloc(bytes, 'lorem ipsum dolor sit amet \r\n')
  original.write(head)
  return {
    flags: 0,
    keywords: [],
    received: 1_760_000_000_000 + n,
    associated: false,
    size: original.length,
    original: { bytes: original },
    index: Buffer.alloc(600, 'x'),
    promoted: {
      class: 'IPM.Note',
      subject: `mail ${n}`,
      fromAddress: `a${n}@example.com`,
      fromName: `a${n}@example.com`,
      displayTo: 'b@example.com',
      displayCc: '',
      sent: 1_760_000_000_000,
      messageId: `<${n}@bench>`,
      preview: 'lorem ipsum dolor sit amet',
      hasAttachments: false,
      importance: 1,
      conversation: n.toString(16).padStart(32, '0'),
    },
    props: new Map([[0x0039_0040, 130_000_000_000_000_000n]]),
    recipients: [{ type: 1, name: '', address: 'b@example.com' }],
    attachments: [],
  }
}

export interface BenchStore {
  readonly store: SqliteStore
  readonly folder: string
  readonly mailboxes: readonly MailboxId[]
  readonly inbox: FolderId
  close(): Promise<void>
}

/** A store in a temporary folder (or below BENCH_FOLDER) with some mailboxes. */
export async function benchStore(mailboxes: number, databases: readonly string[] = ['db1']): Promise<BenchStore> {
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'postrider-bench-'))
  const store = await openSqliteStore({ folder, databases })
  const ids = Array.from({ length: mailboxes }, (_, i) => (i + 1) as MailboxId)
  await Promise.all(
    ids.map((id, i) =>
      store.create(id, { language: 'en', quota: undefined, database: databases[i % databases.length] as string }),
    ),
  )
  const folders = await store.folders(1 as MailboxId)
  const inbox = folders.find((one) => one.role === 'inbox')?.id as FolderId
  const close = async (): Promise<void> => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { store, folder, mailboxes: ids, inbox, close }
}

export const ms = (n: number): string => `${n.toFixed(2)} ms`
export function percentile(values: number[], p: number): number {
  values.sort((a, b) => a - b)
  return values[Math.min(values.length - 1, Math.floor(values.length * p))] ?? 0
}
