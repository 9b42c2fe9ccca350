import type { Principal } from '@postrider/domain'
import { accountIdOf } from '@postrider/protocols/jmap'
import type { WebContext } from './context.ts'
import { ask, type Mail } from './mail.ts'

interface Newest {
  readonly id?: string
  readonly from?: string
  readonly subject?: string
}

/** The newest unread mail of the inbox in a line: what a notice on a phone says. Empty when there is none. */
export async function newestUnread(context: Pick<WebContext, 'jmap'>, principal: Principal): Promise<Newest> {
  const accountId = accountIdOf(principal.mailbox)
  type Ids = { readonly ids: readonly string[] }
  const boxes = await ask<Ids>(context, principal, 'Mailbox/query', { accountId, filter: { role: 'inbox' } })
  const { ids } = await ask<Ids>(context, principal, 'Email/query', {
    accountId,
    filter: { inMailbox: boxes.ids[0] ?? '', notKeyword: '$seen' },
    sort: [{ property: 'receivedAt', isAscending: false }],
    limit: 1,
  })
  const properties = ['from', 'subject']
  const { list } = await ask<{ list: readonly Mail[] }>(context, principal, 'Email/get', { accountId, ids, properties })
  const [mail] = list
  if (mail === undefined) return {}
  const sender = mail.from?.[0]
  return { id: mail.id, from: sender?.name || sender?.email || '', subject: mail.subject ?? '' }
}
