/**
 * The welcome: a new installation's first mailbox holds one mail, with the owner's own settings in it. In: the directory and where the
 * listeners really are; out: one item in the inbox. Invariant: once, however often a start is cut off. Read next: letter.ts.
 */
import { type Clock, isDomainError, mailItem, type MailboxService } from '@postrider/domain'
import type { Site } from '@postrider/protocols/autodiscover'
import type { DirectoryStore } from '@postrider/store/directory'
import { welcomeLetter } from './letter.ts'

/** Directory setting: the address whose mailbox still lacks its welcome. */
export const WELCOME_DUE = 'welcomeDue'
const DAY_MS = 86_400_000

/** Puts the welcome into the mailbox it is due in, if it is. Resolves when it is durable. */
export async function welcome(
  directory: DirectoryStore,
  service: Pick<MailboxService, 'apply' | 'folders'>,
  clock: Clock,
  site: Site,
): Promise<void> {
  const due = directory.setting(WELCOME_DUE)
  if (typeof due !== 'string') return
  const entry = [...directory.mailboxes()].find((one) => one.address === due)
  const inbox =
    entry === undefined ? undefined : (await service.folders(entry.mailbox)).find(({ role }) => role === 'inbox')
  if (entry !== undefined && inbox !== undefined) {
    const { address, displayName, language } = entry
    const from = [...directory.mailboxes()].find((one) => one.isAdministrator)?.address ?? address
    const now = clock.now()
    const item = mailItem(welcomeLetter({ address, displayName, language, from }, site, now), { received: now })
    try {
      await service.apply(entry.mailbox, [
        { op: 'once', key: 'welcome', keepMs: 365 * DAY_MS },
        { op: 'add', folder: inbox.id, item },
      ])
    } catch (error) {
      if (!isDomainError(error, 'duplicate')) throw error
    }
  }
  await directory.setSetting(WELCOME_DUE, undefined)
}
