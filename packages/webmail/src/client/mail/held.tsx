/** Mails that wait on the server for their time: when each goes, send it now, or take it back. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { rowProperties } from '../../start.ts'
import { app } from '../app.ts'
import { unsend } from '../compose/unsend.ts'
import type { Submission } from '../jmap/types.ts'
import { longDate, nameOf, t } from '../text/text.ts'
import { Sheet } from '../ui/dialog.tsx'

export function Held(): JSX.Element {
  const [all, setAll] = useState<readonly Submission[]>()
  const close = (): void => {
    app.shown.value = undefined
  }
  const load = async (): Promise<void> => {
    const query = app.client.call('EmailSubmission/query', { filter: { undoStatus: 'pending' } })
    const { list } = await app.client.call('EmailSubmission/get', {
      ids: query.ref('/ids'),
      properties: ['id', 'emailId', 'sendAt', 'undoStatus'],
    })
    const emails = await app.client.call('Email/get', {
      ids: list.map((one) => one.emailId),
      properties: rowProperties,
    })
    app.store.putEmails(emails.list, undefined)
    setAll([...list].sort((a, b) => (a.sendAt < b.sendAt ? -1 : 1)))
  }
  useEffect(() => {
    load().catch(() => app.tell(t('failed')))
  }, [])
  return (
    <Sheet label={t('held')} onClose={close}>
      <div class="sheet-body">
        {all === undefined ? (
          <div class="coming" aria-busy="true" />
        ) : all.length === 0 ? (
          <p class="hint">{t('heldNone')}</p>
        ) : (
          <ul class="lines">
            {all.map((one) => {
              const email = app.store.email(one.emailId).value
              return (
                <li key={one.id}>
                  <span class="line-text">
                    <strong dir="auto">{email?.subject?.trim() || t('noSubject')}</strong>
                    <small dir="auto">
                      {(email?.to ?? []).map(nameOf).join(', ')} · {t('scheduledFor', { time: longDate(one.sendAt) })}
                    </small>
                  </span>
                  <button
                    type="button"
                    class="button"
                    onClick={() => {
                      close()
                      void unsend(one.id, one.emailId)
                    }}
                  >
                    {t('cancelSending')}
                  </button>
                </li>
              )
            })}
          </ul>
        )}
      </div>
    </Sheet>
  )
}
