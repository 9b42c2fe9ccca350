import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  allColumns,
  changeNumber,
  type FolderId,
  itemColumns,
  type MailboxId,
  type MailboxService,
  mailItem,
  type Mid,
  silentLog,
  systemClock,
} from '@postrider/domain'
import { routeMailboxes } from '@postrider/link'
import { type DirectoryStore, openDirectory } from '@postrider/store/directory'
import { openSqliteStore, type SqliteStore } from '@postrider/store/sqlite'
import { whereabouts } from '../home/whereabouts.ts'
import { Mover, type MoverOptions } from './mover.ts'

export const init = { language: 'en', quota: undefined } as const
export const mailBytes = (subject: string, body = 'body'): Buffer =>
  Buffer.from(
    `From: a@example.com\r\nTo: b@example.com\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@x>\r\n\r\n${body}\r\n`,
  )
export const mail = (subject: string, body?: string) =>
  mailItem(mailBytes(subject, body), { received: 1_790_000_000_000 })

/** A program's inside: two owners with a database each (or one with both), a directory, a router, a mover. All of it can fall and start again. */
export class World {
  readonly folder: string
  readonly together: boolean
  stores: SqliteStore[] = []
  directory!: DirectoryStore
  service!: MailboxService
  mover!: Mover
  mailbox = 0 as MailboxId
  /** The mover stands still for ever, as if killed: nobody waits for it. */
  fell = false

  constructor(t: TestContext, together: boolean) {
    this.together = together
    this.folder = mkdtempSync(join(tmpdir(), 'postrider-move-'))
    t.after(async () => {
      await this.stop()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  async start(step?: MoverOptions['step']): Promise<this> {
    const databases = ['one', 'two']
    this.directory = openDirectory({
      file: join(this.folder, 'directory.db'),
      databases: ['one'],
      hashCost: { N: 16, r: 1, p: 1 } as never,
    })
    const options = { folder: this.folder, reserveBytes: 65_536 }
    this.stores = this.together
      ? [await openSqliteStore({ ...options, databases })]
      : await Promise.all(databases.map((name) => openSqliteStore({ ...options, databases: [name] })))
    const ownerOf = (name: string): SqliteStore | undefined =>
      this.together ? this.stores[0] : this.stores[databases.indexOf(name)]
    this.service = routeMailboxes({
      ...whereabouts(this.directory),
      databaseOf: (mailbox) => this.directory.mailbox(mailbox)?.database,
      ownerOf,
      owners: () => this.stores,
    })
    this.mover = this.newMover(step)
    if (this.directory.domains().length === 0) {
      await this.directory.addDomain('example.com', 'Authoritative')
      const { mailbox, database } = await this.directory.addMailbox({ address: 'alice@example.com' })
      await this.service.create(mailbox, { ...init, database })
    }
    this.mailbox = this.directory.identity('alice@example.com').mailbox
    return this
  }
  newMover(step?: MoverOptions['step']): Mover {
    const { directory, service } = this
    return new Mover({
      directory,
      service,
      clock: systemClock,
      log: silentLog,
      ...(step === undefined ? {} : { step }),
    })
  }

  async stop(): Promise<void> {
    if (!this.fell) await this.mover?.close()
    this.fell = false
    await Promise.all(this.stores.map((store) => store.close()))
    this.stores = []
    this.directory?.close()
  }
  /** Everything falls and comes back. */
  async restart(step?: MoverOptions['step']): Promise<void> {
    await this.stop()
    await this.start(step)
    this.mover.resume()
  }

  get database(): string {
    return this.directory.mailbox(this.mailbox)?.database ?? ''
  }
  async folder_(role: string): Promise<FolderId> {
    return (await this.service.folders(this.mailbox)).find((one) => one.role === role)?.id as FolderId
  }
  add(folder: FolderId, subject: string, body?: string) {
    return this.service.apply(this.mailbox, [{ op: 'add', folder, item: mail(subject, body) }])
  }
  /** Until the newest move is over. */
  async over(): Promise<void> {
    await until(() => this.mover.reports().every(({ state }) => state !== 'moving' && state !== 'finishing'))
  }

  /** Everything that can be asked about a mailbox; equal before and after a move. */
  async picture(): Promise<unknown> {
    const { service, mailbox } = this
    const { database: _, epoch: __, ...info } = await service.info(mailbox)
    const folders = await service.folders(mailbox)
    const rows = []
    for (const { id } of folders) {
      const packed = await service.scan(mailbox, { folder: id, columns: [...allColumns], associated: true })
      const mids = Array.from(packed.mid) as Mid[]
      const items = mids.length === 0 ? [] : await service.get(mailbox, { by: { mids }, columns: itemColumns })
      const contents = []
      for (const { original, attachments = [], ...rest } of items) {
        const bytes = original === undefined ? undefined : Buffer.from(await service.blob(mailbox, original)).toString()
        const parts = []
        for (const { source, ...attachment } of attachments)
          parts.push({
            ...attachment,
            source: 'blob' in source ? Buffer.from(await service.blob(mailbox, source.blob)).toString() : source,
          })
        contents.push({ ...rest, bytes, parts })
      }
      rows.push({ packed, contents })
    }
    const changes = await service.changes(mailbox, { since: changeNumber(0), limit: 10_000 })
    const states = []
    for (const client of ['eas', 'pop3', 'delivery']) states.push(await service.state(mailbox, client))
    const queue = (await service.queueList({ limit: 1_000 })).map(({ original: _ref, ...entry }) => entry)
    return { info, folders, rows, changes, states, permissions: await service.permissions(mailbox), queue }
  }
}

/** Waits for a condition, not for a time. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await condition())) {
    assert.ok(performance.now() < end, 'it does not happen')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
