/** Mailboxes and folders of others, below one's own, each under its owner; opened in a page of their own address. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { app, folderName } from '../app.ts'
import type { Id, Mailbox } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'
import { folderIcon, inOrder } from './folders.tsx'

interface Owner {
  readonly accountId: Id
  readonly name: string
  readonly mailboxes: readonly Mailbox[]
}
const owners = signal<readonly Owner[]>([])

async function look(): Promise<void> {
  const { accounts } = app.client.session
  const others = Object.entries(accounts).filter(([id]) => id !== app.client.accountId)
  const found = await Promise.all(
    others.map(async ([accountId, { name }]) => {
      try {
        const { list } = await app.client.call('Mailbox/get', { accountId, ids: null })
        return { accountId, name, mailboxes: list }
      } catch {
        // Taken back, or out of reach: the next look shows it.
        return { accountId, name, mailboxes: [] }
      }
    }),
  )
  owners.value = found.filter(({ mailboxes }) => mailboxes.length > 0)
}

export function SharedFolders(): JSX.Element {
  useEffect(() => void look(), [])
  return (
    <>
      {owners.value.map(({ accountId, name, mailboxes }) => (
        <section key={accountId} class="shared-folders" aria-label={name}>
          <h2 dir="auto">{accountId === app.ownAccount ? t('myMailbox') : name}</h2>
          {inOrder(mailboxes).map(({ mailbox, level }) => (
            <a key={mailbox.id} class="folder" style={{ '--level': level }} href={app.addressIn(accountId, mailbox)}>
              <span class="twist" aria-hidden="true" />
              <Icon name={folderIcon(mailbox)} />
              <span class="folder-name" dir="auto">
                {folderName(mailbox)}
              </span>
              {mailbox.unreadEmails > 0 && (
                <span class="count">
                  {mailbox.unreadEmails > 9999 ? '9999+' : mailbox.unreadEmails}
                  <span class="visually-hidden"> {t('unread')}</span>
                </span>
              )}
            </a>
          ))}
        </section>
      ))}
    </>
  )
}
