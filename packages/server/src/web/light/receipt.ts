import { type Html, html } from '../html.ts'
import { type Mail, receiptField } from '../mail.ts'
import { identitiesOf } from './compose.ts'
import type { Folder } from './folders-of.ts'
import { csrfField } from './page.ts'
import type { Visit } from './visit.ts'

/** The sender asks whether the mail was read: RFC 8098. Nothing is told unless the reader says so, and one is asked once. */

/** The question, when it was asked by somebody else and not answered. */
export function receiptOf(visit: Visit, mail: Mail, folder: Folder | undefined): Html | false {
  const [asks] = mail[receiptField] ?? []
  const own = folder !== undefined && ['sent', 'drafts', 'junk'].includes(folder.role ?? '')
  if (asks === undefined || own || mail.keywords.$mdnsent !== undefined || mail.keywords.$draft !== undefined)
    return false
  const from = mail.from?.[0]
  const name = from?.name || from?.email || asks.email
  return html`<form method="post" action="/light/mail/${mail.id}">${csrfField(visit.session)}<div class="bar"><span>${visit.say('receiptAsked', { name })}</span> <button name="act" value="receipt">${visit.say('receiptSend')}</button><button name="act" value="no-receipt">${visit.say('receiptNo')}</button></div></form>`
}

/** Tells, or remembers that nothing is to be told. */
export async function answerReceipt(visit: Visit, mail: Mail, tells: boolean): Promise<void> {
  const { say } = visit
  const subject = mail.subject ?? ''
  const here = `/light/mail/${mail.id}`
  const [identity] = await identitiesOf(visit)
  if (!tells || identity === undefined) {
    await visit.ask('Email/set', { update: { [mail.id]: { 'keywords/$mdnsent': true } } })
    return visit.done(here)
  }
  const { notSent } = await visit.ask<{ notSent: Readonly<Record<string, { readonly type: string }>> | null }>(
    'MDN/send',
    {
      identityId: identity.id,
      send: {
        receipt: {
          forEmailId: mail.id,
          subject: say('receiptSubject', { subject }),
          textBody: say('receiptText', { subject }),
          disposition: { actionMode: 'manual-action', sendingMode: 'mdn-sent-manually', type: 'displayed' },
        },
      },
    },
  )
  const why = notSent?.receipt?.type
  const said = why === undefined || why === 'mdnAlreadySent'
  visit.done(here, { text: said ? say('receiptSent') : say('notSent', { why }) })
}
