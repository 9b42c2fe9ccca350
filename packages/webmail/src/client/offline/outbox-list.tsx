/** What waits on this device to be sent: each with its reason, to be tried again, changed or thrown away. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Address } from '../jmap/types.ts'
import { longDate, nameOf, t } from '../text/text.ts'
import { ask, Sheet } from '../ui/dialog.tsx'
import { IconButton } from '../ui/icon.tsx'
import type { Waiting } from './outbox.ts'

const subjectOf = ({ email }: Waiting): string =>
  (typeof email.subject === 'string' ? email.subject.trim() : '') || t('noSubject')
const peopleOf = ({ email }: Waiting): string =>
  [email.to, email.cc, email.bcc]
    .flatMap((one) => (Array.isArray(one) ? (one as readonly Address[]) : []))
    .map(nameOf)
    .join(', ')

export function OutboxList(): JSX.Element {
  const device = app.device.value
  const [all, setAll] = useState<readonly Waiting[]>()
  const version = device?.outbox.version.value
  useEffect(() => {
    device?.outbox.list().then(setAll, () => app.tell(t('failed')))
  }, [device, version])
  const close = (): void => {
    app.shown.value = undefined
  }
  const remove = async (one: Waiting): Promise<void> => {
    if (await ask(t('sureRemove', { name: subjectOf(one) }), t('remove'))) await device?.outbox.drop(one.id)
  }
  return (
    <Sheet label={t('outbox')} onClose={close}>
      <div class="sheet-body">
        {all === undefined && device !== undefined ? (
          <div class="coming" aria-busy="true" />
        ) : all === undefined || all.length === 0 ? (
          <p class="hint">{t('heldNone')}</p>
        ) : (
          <>
            <ul class="lines">
              {all.map((one) => (
                <li key={one.id}>
                  <span class="line-text">
                    <strong dir="auto">{subjectOf(one)}</strong>
                    <small dir="auto">
                      {peopleOf(one)} · {longDate(new Date(one.at).toISOString())}
                    </small>
                    {one.problem === undefined ? (
                      <small>{t('outboxLineWaits')}</small>
                    ) : (
                      <small class="line-problem">{t('sendFailed', { problem: one.problem })}</small>
                    )}
                  </span>
                  <IconButton
                    icon="refresh"
                    label={t('outboxRetry', { name: subjectOf(one) })}
                    onClick={() => void device?.outbox.retry(one.id)}
                  />
                  <IconButton
                    icon="edit"
                    label={t('ruleEdit', { name: subjectOf(one) })}
                    onClick={() => {
                      close()
                      void device?.edit(one.id)
                    }}
                  />
                  <IconButton
                    icon="trash"
                    label={t('removeNamed', { name: subjectOf(one) })}
                    onClick={() => void remove(one)}
                  />
                </li>
              ))}
            </ul>
            <button type="button" class="button new-line" onClick={() => void device?.outbox.retry()}>
              {t('outboxSendAll')}
            </button>
          </>
        )}
      </div>
    </Sheet>
  )
}
