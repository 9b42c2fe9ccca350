import { type MailboxId, type MailboxService, type Phrase, type Say, verbatim } from '@postrider/domain'
import { type Administration, settleMailboxes } from '../administration.ts'
import { CommandFailed } from '../cli/command.ts'
import { notRunning } from '../cli/phrases.ts'
import { databasesInUse, type Loaded, postgresServer } from '../config/load.ts'
import { FolderInUse } from '../control/lock.ts'
import { linkServer, NotRunning, type OpenLink } from '../control/socket.ts'
import { openStore } from '../home/open-store.ts'
import { withOfflineAdministration } from '../offline.ts'
import { reasonOf } from '../cli/reasons.ts'

/** The mailbox a command works on, in the running server or over the data folder. */
export interface OpenMailbox {
  readonly service: MailboxService
  readonly mailbox: MailboxId
  readonly address: string
  readonly running: boolean
}

interface LinkResult {
  readonly mailbox: number
  readonly address: string
}
/** A start or another command holds the data folder for a moment: worth waiting for, ms. */
const PATIENCE_MS = 10_000

/** The server's side: one import a mailbox at a time. */
export function linkOpener(administration: () => Administration): OpenLink {
  const importing = new Set<MailboxId>()
  return ({ positionals: [address = '', purpose] }, language) => {
    const failed = (code: string, phrase: Phrase) => ({
      answer: { ok: false as const, code, message: phrase[language] },
    })
    try {
      const { directory, server } = administration()
      if (server === undefined) return failed('notRunning', notRunning)
      const entry = directory.identity(address)
      if (purpose === 'import' && importing.has(entry.mailbox))
        return failed('busy', {
          en: `Another import into ${entry.address} is under way.`,
          fr: `Un autre import dans ${entry.address} est en cours.`,
        })
      if (purpose === 'import') importing.add(entry.mailbox)
      return {
        answer: { ok: true, result: { mailbox: entry.mailbox, address: entry.address } satisfies LinkResult },
        service: server.service,
        close() {
          if (purpose === 'import') importing.delete(entry.mailbox)
        },
      }
    } catch (error) {
      return failed('notFound', reasonOf(error))
    }
  }
}

/** Works on a mailbox, whether the server runs or not. */
export async function withMailbox<T>(
  loaded: Loaded,
  address: string,
  purpose: 'import' | 'export',
  say: Say,
  work: (open: OpenMailbox) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      const link = await linkServer(loaded.dataFolder, { positionals: [address, purpose], options: {} }, say.language)
      try {
        if (!link.answer.ok) throw new CommandFailed(verbatim(link.answer.message), link.answer.code)
        const { mailbox, address: found } = link.answer.result as LinkResult
        return await work({ service: link.service, mailbox: mailbox as MailboxId, address: found, running: true })
      } finally {
        link.close()
      }
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!(error instanceof NotRunning) && !missing) throw error
    }
    try {
      return await withOfflineAdministration(loaded, async ({ directory }) => {
        const store = await openStore({
          folder: loaded.dataFolder,
          databases: databasesInUse(loaded, directory),
          server: postgresServer(loaded.config),
        })
        try {
          await settleMailboxes(directory, store)
          const entry = directory.identity(address)
          return await work({ service: store, mailbox: entry.mailbox, address: entry.address, running: false })
        } finally {
          await store.close()
        }
      })
    } catch (error) {
      if (!(error instanceof FolderInUse) || performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
