import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Say } from '@postrider/domain'
import { openDirectory } from '@postrider/store/directory'
import { openSqliteStore } from '@postrider/store/sqlite'
import { CommandFailed } from '../cli/command.ts'
import type { Loaded } from '../config/load.ts'
import { DIRECTORY_FILE } from '../offline.ts'
import { exportMailbox } from '../transfer/exporter.ts'
import { Importer, type ImportReport } from '../transfer/importer.ts'
import { withMailbox } from '../transfer/open.ts'
import { emlSource } from '../transfer/trees.ts'
import { type BackupSet, DATA, noSuchBackup, setsIn } from './sets.ts'

export interface MailboxRestoreReport extends ImportReport {
  readonly set: string
  readonly made: string
  readonly into: string
}

/**
 * Brings the mails of one mailbox as they were in a backup into a folder of the mailbox as it is; the server may run. Doing it twice brings
 * nothing twice. The backup is only read. Rejects with CommandFailed.
 */
export async function restoreMailbox(
  loaded: Loaded,
  target: string,
  options: {
    readonly address: string
    readonly into: string | undefined
    readonly at?: number
    readonly now: () => number
    readonly say: Say
  },
): Promise<MailboxRestoreReport> {
  const { address, at, now, say } = options
  const set = setsIn(target).findLast(({ manifest }) => at === undefined || Date.parse(manifest.made) <= at)
  if (set === undefined) throw new CommandFailed(noSuchBackup(target), 'notFound')
  const into = options.into ?? `Restored ${set.manifest.made.slice(0, 16).replaceAll(':', '.')}`
  const work = mkdtempSync(join(tmpdir(), 'postrider-restore-'))
  try {
    const mails = join(work, 'mails')
    await takeOut(set, work, address, mails, say)
    const report = await withMailbox(loaded, address, 'import', say, ({ service, mailbox }) =>
      new Importer({
        service,
        mailbox,
        source: emlSource(mails),
        into: into.split('/').filter(Boolean),
        now,
        say,
      }).run(),
    )
    return { ...report, set: set.folder, made: set.manifest.made, into }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Writes the mails of a mailbox of a backup into a folder, over a copy of its tables. */
async function takeOut(set: BackupSet, work: string, address: string, mails: string, say: Say): Promise<void> {
  const file = join(work, DIRECTORY_FILE)
  copyFileSync(join(set.folder, DATA, DIRECTORY_FILE), file)
  const directory = openDirectory({ file, databases: Object.keys(set.manifest.databases) })
  try {
    const { mailbox, database } = directory.identity(address)
    const [from, to] = [resolve(set.folder, DATA, 'mailboxes', database), join(work, 'mailboxes', database)]
    mkdirSync(join(to, 'segments'), { recursive: true })
    copyFileSync(join(from, 'mailbox.sqlite'), join(to, 'mailbox.sqlite'))
    for (const { segment, sealed } of set.manifest.databases[database] ?? []) {
      const name = join('segments', `${String(segment).padStart(8, '0')}.seg`)
      // The open one may be written to, even by a store that only reads: it must not be the backup's.
      if (sealed) symlinkSync(join(from, name), join(to, name))
      else copyFileSync(join(from, name), join(to, name))
    }
    const store = await openSqliteStore({ folder: work, databases: [database], reserveBytes: 0 })
    try {
      await exportMailbox({ service: store, mailbox, target: mails, format: 'eml', say })
    } finally {
      await store.close()
    }
  } finally {
    directory.close()
  }
}
