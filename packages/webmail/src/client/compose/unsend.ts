/** Taking back what waits on the server: RFC 8621 §7.5 (`undoStatus`). */
import { rowProperties } from '../../start.ts'
import { app } from '../app.ts'
import type { Id, Submission } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { editDraft } from './open.ts'

/** The submission of a mail that has not left yet. */
export async function pendingOf(emailId: Id): Promise<Submission | undefined> {
  const query = app.client.call('EmailSubmission/query', { filter: { emailIds: [emailId], undoStatus: 'pending' } })
  const { list } = await app.client.call('EmailSubmission/get', {
    ids: query.ref('/ids'),
    properties: ['id', 'emailId', 'sendAt', 'undoStatus'],
  })
  return list[0]
}

/** Cancels it; the mail opens again as a draft. */
export async function unsend(submission: Id, emailId: Id): Promise<void> {
  try {
    const answer = await app.client.call('EmailSubmission/set', {
      update: { [submission]: { undoStatus: 'canceled' } },
    })
    if (answer.notUpdated?.[submission] !== undefined) return app.tell(t('tooLate'))
    const drafts = app.store.byRole.peek().get('drafts')
    if (drafts === undefined) return
    await app.client.call('Email/set', {
      update: { [emailId]: { mailboxIds: { [drafts.id]: true }, 'keywords/$draft': true } },
    })
    const { list } = await app.client.call('Email/get', { ids: [emailId], properties: rowProperties })
    app.store.putEmails(list, undefined)
    app.tell(t('sendUndone'))
    await editDraft(emailId)
  } catch {
    app.tell(t('failed'))
  }
}
