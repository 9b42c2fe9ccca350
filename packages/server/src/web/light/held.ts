import { html, type Html } from '../html.ts'
import type { Mail } from '../mail.ts'
import type { UndoCall } from './flash.ts'
import { csrfField } from './page.ts'
import { people } from './read.ts'
import type { Visit } from './visit.ts'

/** Mails that wait on the server for their time: RFC 8621 §7.5 (`undoStatus`). */

interface Waiting {
  readonly id: string
  readonly emailId: string
  readonly sendAt: string
}
async function waitingOf(visit: Visit): Promise<readonly Waiting[]> {
  const { ids } = await visit.ask<{ ids: readonly string[] }>('EmailSubmission/query', {
    filter: { undoStatus: 'pending' },
  })
  if (ids.length === 0) return []
  const { list } = await visit.ask<{ list: readonly Waiting[] }>('EmailSubmission/get', {
    ids,
    properties: ['id', 'emailId', 'sendAt'],
  })
  return [...list].sort((a, b) => (a.sendAt < b.sendAt ? -1 : 1))
}

/** What takes a sending back: it is cancelled, then the mail is a draft again. */
export async function unsending(visit: Visit, submission: string, emailId: string): Promise<readonly UndoCall[]> {
  const drafts = (await visit.folders()).find(({ role }) => role === 'drafts')
  return [
    ['EmailSubmission/set', { update: { [submission]: { undoStatus: 'canceled' } } }],
    [
      'Email/set',
      {
        update: {
          [emailId]: {
            'keywords/$draft': true,
            ...(drafts === undefined ? {} : { mailboxIds: { [drafts.id]: true } }),
          },
        },
      },
    ],
  ]
}

export async function heldPage(visit: Visit): Promise<void> {
  const { say, session } = visit
  const waiting = await waitingOf(visit)
  const { list } =
    waiting.length === 0
      ? { list: [] }
      : await visit.ask<{ list: readonly Pick<Mail, 'id' | 'subject' | 'to'>[] }>('Email/get', {
          ids: waiting.map(({ emailId }) => emailId),
          properties: ['id', 'subject', 'to'],
        })
  const mails = new Map(list.map((one) => [one.id, one]))
  const row = ({ id, emailId, sendAt }: Waiting): Html => {
    const mail = mails.get(emailId)
    return html`<tr><th scope="row"><a href="/light/mail/${emailId}">${mail?.subject?.trim() || say('noSubject')}</a></th><td>${people(mail?.to?.slice(0, 3) ?? null)}</td><td>${visit.date(sendAt)}</td><td><form method="post" action="/light/held">${csrfField(session)}<input type="hidden" name="id" value="${id}"><button>${say('cancelSending')}</button></form></td></tr>`
  }
  const body =
    waiting.length === 0
      ? html`<p>${say('heldNone')}</p>`
      : html`<table><thead><tr><th scope="col">${say('subject')}</th><th scope="col">${say('to')}</th><th scope="col">${say('sendAt')}</th><th scope="col">${say('cancelSending')}</th></tr></thead><tbody>${waiting.map(row)}</tbody></table>`
  await visit.page(say('held'), body)
}

export async function cancelHeld(visit: Visit): Promise<void> {
  const { say, fields } = visit
  const found = (await waitingOf(visit)).find(({ id }) => id === fields.get('id'))
  if (found === undefined) return visit.done('/light/held', { text: say('tooLate') })
  for (const [name, args] of await unsending(visit, found.id, found.emailId)) {
    const { notUpdated } = await visit.ask<{ notUpdated: Readonly<Record<string, unknown>> | null }>(name, args)
    if (Object.keys(notUpdated ?? {}).length > 0) return visit.done('/light/held', { text: say('tooLate') })
  }
  visit.done(`/light/compose?draft=${found.emailId}`, { text: say('sendUndone') })
}
