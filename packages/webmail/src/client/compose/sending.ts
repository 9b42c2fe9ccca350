/** Sending: asked back where something is missing, held on the server so that it can be undone, on this device while the server is away. */
import { app } from '../app.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { Address, Id } from '../jmap/types.ts'
import { settings } from '../store/settings.ts'
import { longDate, t } from '../text/text.ts'
import { ask } from '../ui/dialog.tsx'
import { isAddress } from './address.ts'
import type { Draft } from './drafting.ts'
import { forgetKept, keptOf } from './kept.ts'
import { type Beginning, closeWindow, compose, type Protect } from './open.ts'
import { emailOf, envelopeOf, mentionsAttachment, textOfHtml, type Written } from './outgoing.ts'
import { unsend } from './unsend.ts'

interface Sending {
  readonly start: Beginning
  readonly draft: Draft
  readonly written: Written
  readonly protect: Protect
  /** Not at once but then. */
  readonly until: Date | undefined
}

const recipientsOf = ({ to, cc, bcc }: Written): readonly Address[] => [...to, ...cc, ...bcc]

/** Whether it may leave as it is; asks where something looks forgotten. */
export async function ready({
  start,
  written,
  protect,
}: Pick<Sending, 'start' | 'written' | 'protect'>): Promise<boolean> {
  const all = recipientsOf(written)
  const say = (text: string): false => {
    app.tell(text)
    return false
  }
  if (all.length === 0) return say(t('noRecipients'))
  const bad = all.find((one) => !isAddress(one.email))
  if (bad !== undefined) return say(t('badAddress', { address: bad.email }))
  if (start.secret === true && !protect.encrypt && !(await ask(t('clearAnswer'), t('sendAnyway')))) return false
  if (written.subject.trim() === '' && !(await ask(t('sendNoSubject'), t('sendAnyway')))) return false
  const own = textOfHtml(written.html.replace(/<blockquote[\s\S]*/i, ''))
  const forgotten =
    written.attached.every((one) => one.cid !== undefined) &&
    mentionsAttachment(`${written.subject} ${own}`) &&
    start.subject === ''
  return !forgotten || ask(t('forgottenAttachment'), t('sendAnyway'))
}

/** The server is away: the mail waits on this device. False where nothing may be kept. */
async function onDevice({ start, draft, written, until }: Sending): Promise<boolean> {
  const device = app.device.peek()
  const roles = app.store.byRole.peek()
  const drafts = roles.get('drafts')
  const sent = roles.get(until === undefined ? 'sent' : 'scheduled') ?? roles.get('sent')
  const { identity } = written
  if (device === undefined || identity === undefined || drafts === undefined || sent === undefined) return false
  const id = crypto.randomUUID()
  await device.outbox.put({
    id,
    at: Date.now(),
    messageId: draft.messageId,
    email: emailOf(written, drafts.id),
    identityId: identity.id,
    envelope: envelopeOf(identity.email, recipientsOf(written), until === undefined ? { seconds: 0 } : { until }),
    moved: { [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true, 'keywords/$draft': null },
    ...(start.answers === undefined ? {} : { answers: start.answers }),
    beginning: { ...keptOf(start, written, undefined), messageId: draft.messageId },
  })
  forgetKept(start.key)
  closeWindow(start.key)
  app.offer(t('outboxWaits'), () => void device.edit(id))
  return true
}

/** Sends; false when it stays in its window, which was said. */
export async function send(sending: Sending): Promise<boolean> {
  const { draft, protect } = sending
  if (protect.sign || protect.encrypt) return sendProtected(sending)
  if (!(await draft.save()) || draft.id() === undefined) {
    if (!app.reached.peek() && (await onDevice(sending))) return true
    app.tell(t('sendFailed', { problem: t('offlineBar') }))
    return false
  }
  return submit(sending, draft.id(), (submission, emailId) => void unsend(submission, emailId))
}

/** Signed here, encrypted where that is wanted. There is no outbox for it: the key is asked when the server is there. */
async function sendProtected(sending: Sending): Promise<boolean> {
  const { start, draft, written, protect } = sending
  const drafts = app.store.byRole.peek().get('drafts')
  if (drafts === undefined) return false
  let emailId: Id
  try {
    await draft.stop()
    const { putProtected } = await import('../smime/protect.ts')
    emailId = await putProtected(written, draft.messageId, protect, drafts.id)
  } catch (error) {
    const problem = error instanceof OfflineError ? t('offlineBar') : error instanceof Error ? error.message : ''
    app.tell(t('sendFailed', { problem }))
    return false
  }
  const takeBack = async (submission: Id): Promise<void> => {
    // The mail as it went cannot be changed: what was written is opened again instead.
    const answer = await app.client.call('EmailSubmission/set', {
      update: { [submission]: { undoStatus: 'canceled' } },
    })
    if (answer.notUpdated?.[submission] !== undefined) return app.tell(t('tooLate'))
    app.acts.destroy([emailId])
    compose({ ...keptOf(start, written, undefined), secret: protect.encrypt, protect })
    app.tell(t('sendUndone'))
  }
  const sent = await submit(
    sending,
    emailId,
    (submission) => void takeBack(submission).catch(() => app.tell(t('failed'))),
  )
  const draftId = draft.id()
  if (sent && draftId !== undefined) app.acts.destroy([draftId])
  if (!sent) app.acts.destroy([emailId])
  return sent
}

/** RFC 8621 §7.5. `back`: takes it back while it waits. */
async function submit(
  sending: Sending,
  emailId: Id | undefined,
  back: (submission: Id, emailId: Id) => void,
): Promise<boolean> {
  const { start, written, until, protect } = sending
  const { undoSeconds } = settings.peek()
  const { identity } = written
  const roles = app.store.byRole.peek()
  const drafts = roles.get('drafts')
  const sent = roles.get(until === undefined ? 'sent' : 'scheduled') ?? roles.get('sent')
  if (emailId === undefined || drafts === undefined || sent === undefined || identity === undefined) {
    app.tell(t('failed'))
    return false
  }
  try {
    const answer = await app.client.call('EmailSubmission/set', {
      create: {
        send: {
          identityId: identity.id,
          emailId,
          envelope: envelopeOf(
            identity.email,
            recipientsOf(written),
            until === undefined ? { seconds: undoSeconds } : { until },
          ),
        },
      },
      onSuccessUpdateEmail: {
        '#send': { [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true, 'keywords/$draft': null },
      },
    })
    const made = answer.created?.send
    if (made === undefined) {
      const problem = answer.notCreated?.send
      throw new JmapError(problem?.description ?? problem?.type ?? 'serverFail')
    }
    if (start.answers !== undefined) {
      const { id, keyword } = start.answers
      app.acts.change([id], ({ mailboxIds, keywords }) => ({
        mailboxIds,
        keywords: { ...keywords, [keyword]: true },
      }))
    }
    closeWindow(start.key)
    const takeBack = (): void => back(made.id, emailId)
    if (until !== undefined) app.offer(t('scheduledFor', { time: longDate(until.toISOString()) }), takeBack)
    else if (undoSeconds > 0) app.offer(t('sentIn', { n: undoSeconds }), takeBack, undoSeconds * 1_000)
    else app.tell(t('sentDone'))
    return true
  } catch (error) {
    if (error instanceof OfflineError && !protect.sign && !protect.encrypt && (await onDevice(sending))) return true
    app.tell(
      t('sendFailed', {
        problem: error instanceof OfflineError ? t('offlineBar') : error instanceof Error ? error.message : '',
      }),
    )
    return false
  }
}
