import { type Directory, DomainError, type MailboxId } from '@postrider/domain'
import type { RouterPorts } from '@postrider/link'

/** How long a copy of the directory may take to hear of a move that an owner knows of already. */
const PATIENCE_MS = 10_000

/** How a router hears of mailboxes that moved: from the directory of its process. */
export function whereabouts(
  directory: Pick<Directory, 'mailbox' | 'watch'>,
): Required<Pick<RouterPorts, 'relocated' | 'watch'>> {
  const knows = (mailbox: MailboxId, epoch: number): boolean => (directory.mailbox(mailbox)?.epoch ?? epoch) >= epoch
  return {
    async relocated(mailbox, epoch) {
      if (knows(mailbox, epoch)) return
      const heard = Promise.withResolvers<void>()
      const timer = setTimeout(
        () => heard.reject(new DomainError('unavailable', `the new home of mailbox ${mailbox} is not known yet`)),
        PATIENCE_MS,
      )
      const stop = directory.watch(() => {
        if (knows(mailbox, epoch)) heard.resolve()
      })
      try {
        await heard.promise
      } finally {
        clearTimeout(timer)
        stop()
      }
    },
    watch: (changed) => void directory.watch(() => changed()),
  }
}
