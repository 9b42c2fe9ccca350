import { type Directory, type MailboxId, type MailboxService, movedError } from '@postrider/domain'

/** How long this node's copy of the directory may be behind that of who asks. */
const LAG_MS = 3_000

/** These name their database themselves, or concern no mailbox. */
const direct: ReadonlySet<string> = new Set(['create', 'relocate', 'queueClaim', 'queueList', 'subscribeQueue'])

/**
 * The mailboxes of this node as other nodes may ask for them: one that lives elsewhere is answered "moved, epoch n", after a moment in which this node's
 * copy of the directory may hear that it lives here now.
 */
export function hostedService(
  service: MailboxService,
  directory: Pick<Directory, 'mailbox' | 'watch'>,
  hosts: (database: string) => boolean,
): MailboxService {
  const isHere = (mailbox: MailboxId): boolean => {
    const database = directory.mailbox(mailbox)?.database
    return database !== undefined && hosts(database)
  }
  const settled = async (mailbox: MailboxId): Promise<void> => {
    const heard = Promise.withResolvers<void>()
    const stop = directory.watch(() => {
      if (isHere(mailbox)) heard.resolve()
    })
    const timer = setTimeout(() => heard.resolve(), LAG_MS)
    await heard.promise
    clearTimeout(timer)
    stop()
    const entry = directory.mailbox(mailbox)
    if (entry !== undefined && !hosts(entry.database)) throw movedError(entry.epoch)
  }
  const ask = (name: keyof MailboxService): unknown => {
    const method = service[name] as (...args: unknown[]) => Promise<unknown>
    if (direct.has(name)) return method
    return async (mailbox: MailboxId, ...args: unknown[]) => {
      if (!isHere(mailbox)) await settled(mailbox)
      return method.call(service, mailbox, ...args)
    }
  }
  return Object.fromEntries(
    (Object.keys(service) as (keyof MailboxService)[]).map((name) => [name, ask(name)]),
  ) as unknown as MailboxService
}
