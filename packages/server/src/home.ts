import type { Logger, MailboxService, Meter } from '@postrider/domain'
import { openSqliteStore } from '@postrider/store/sqlite'

/** The home of the mailboxes, as the rest of the program holds it. */
export interface MailboxHome {
  readonly service: MailboxService
  /** Undefined when every database writes, else why not. */
  health(): Promise<string | undefined>
  close(): Promise<void>
}

export interface HomeOptions {
  readonly folder: string
  readonly databases: readonly string[]
  readonly log: Logger
  readonly meter: Meter
}

/** Opens the mailbox databases of the data folder. */
export async function openHome({ folder, databases, log, meter }: HomeOptions): Promise<MailboxHome> {
  const store = await openSqliteStore({ folder, databases, log: log.child({ part: 'store' }), meter })
  return {
    service: store,
    async health() {
      const stopped = store.health().find((one) => one.stopped !== undefined)
      return stopped === undefined ? undefined : `${stopped.database}: ${stopped.stopped}`
    },
    close: () => store.close(),
  }
}
