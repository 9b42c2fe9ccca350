/** The sender asks whether the mail was read: RFC 8098. Nothing is told unless the reader says so, and one is asked once. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Email, Id } from '../jmap/types.ts'
import { marks } from '../store/acts.ts'
import { nameOf, t } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'

/** Asked for, by somebody else, and not answered. */
const wantsReceipt = ({ keywords, mailboxIds }: Pick<Email, 'keywords' | 'mailboxIds'>): boolean => {
  const roles = app.store.byRole.peek()
  const own = ['sent', 'drafts', 'junk'].some((role) => mailboxIds[roles.get(role)?.id ?? ''] === true)
  return keywords.$mdnsent !== true && keywords.$draft !== true && !own
}

export function Receipt({ email }: { readonly email: Email }): JSX.Element | null {
  const [working, setWorking] = useState(false)
  const now = app.store.email(email.id).value ?? email
  if (!wantsReceipt(now)) return null
  const settle = (): void => void app.acts.change([email.id], marks.keyword('$mdnsent', true))
  const tell = async (): Promise<void> => {
    setWorking(true)
    try {
      const problem = await send(email, email.subject ?? '')
      if (problem !== undefined && problem !== 'mdnAlreadySent') return app.tell(t('refused', { problem }))
      settle()
      app.tell(t('receiptSent'))
    } catch {
      app.tell(t('failed'))
    } finally {
      setWorking(false)
    }
  }
  const from = email.from?.[0]
  return (
    <div class="consent">
      <Icon name="read" />
      <span>{t('receiptAsked', { name: from === undefined ? '' : nameOf(from) })}</span>
      <button type="button" class="button" disabled={working} onClick={() => void tell()}>
        {t('receiptSend')}
      </button>
      <button type="button" class="link-button" onClick={settle}>
        {t('receiptNo')}
      </button>
    </div>
  )
}

/** Sends it; answers why not. */
async function send({ id }: { readonly id: Id }, subject: string): Promise<string | undefined> {
  const identity = app.store.identities.peek()[0]
  if (identity === undefined) return 'identity'
  const { notSent } = await app.client.call('MDN/send', {
    identityId: identity.id,
    send: {
      receipt: {
        forEmailId: id,
        subject: t('receiptSubject', { subject }),
        textBody: t('receiptText', { subject }),
        disposition: { actionMode: 'manual-action', sendingMode: 'mdn-sent-manually', type: 'displayed' },
      },
    },
  })
  return notSent?.receipt?.type
}
