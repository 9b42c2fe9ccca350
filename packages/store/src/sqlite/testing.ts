import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import type { Clock, FolderId, MailboxId, NewItem } from '@postrider/domain'
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './index.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A temporary folder that goes when all tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-store-'))
  folders.push(folder)
  return folder
}

export class TestClock implements Clock {
  time = Date.UTC(2026, 10, 21)
  now(): number {
    return this.time
  }
  monotonic(): number {
    return performance.now()
  }
}

/** A small mail, ready to be added. */
export function testMail(subject: string, body = 'body', given: Partial<NewItem> = {}): NewItem {
  const bytes = Buffer.from(`From: a@example.com\r\nTo: b@example.com\r\nSubject: ${subject}\r\n\r\n${body}\r\n`)
  return {
    flags: 0,
    keywords: [],
    received: 1_790_000_000_000,
    associated: false,
    size: bytes.length,
    original: { bytes },
    index: new Uint8Array(20),
    promoted: {
      class: 'IPM.Note',
      subject,
      fromAddress: 'a@example.com',
      fromName: 'a@example.com',
      displayTo: 'b@example.com',
      displayCc: '',
      sent: undefined,
      messageId: '',
      preview: body.slice(0, 100),
      hasAttachments: false,
      importance: 1,
      conversation: '00',
    },
    props: new Map(),
    recipients: [],
    attachments: [],
    ...given,
  }
}

export const testMailbox = 1 as MailboxId

export interface TestStore {
  readonly store: SqliteStore
  readonly folder: string
  readonly inbox: FolderId
  readonly trash: FolderId
}

/** An open store with mailbox 1 in database `db`; closed after the test. Opens what is in `folder` if there is something. */
export async function testStore(
  t: TestContext,
  options: Partial<SqliteStoreOptions> & { readonly folder?: string } = {},
): Promise<TestStore> {
  const folder = options.folder ?? temporaryFolder()
  const store = await openSqliteStore({ databases: ['db'], reserveBytes: 64 * 1024, ...options, folder })
  t.after(() => store.close())
  await store.create(testMailbox, { language: 'en', quota: undefined, database: 'db' })
  const made = await store.folders(testMailbox)
  const role = (name: string): FolderId => made.find((one) => one.role === name)?.id as FolderId
  return { store, folder, inbox: role('inbox'), trash: role('deleteditems') }
}

/** Takes what the redo log holds into the database, as a search of texts does: a segment ends only then. */
export async function fold(store: SqliteStore, inbox: FolderId): Promise<void> {
  const query = { kind: 'text', field: 'body', value: 'pattern', match: 'words' } as const
  await store.search(testMailbox, { folders: [inbox], query, order: 'uid', offset: 0, limit: 1 })
}
