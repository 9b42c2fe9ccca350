/** What the server sweeps of itself: seen and ended here, begun from a message. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app, folderName } from '../app.ts'
import type { Id, SweepRule } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { IconButton } from '../ui/icon.tsx'

export function Sweeps(): JSX.Element | null {
  const [all, setAll] = useState<readonly SweepRule[]>()
  const load = (): void => {
    app.client.call('Sweep/get', { ids: null }).then(
      ({ list }) => setAll(list),
      () => app.tell(t('failed')),
    )
  }
  useEffect(load, [])
  const nameOf = (id: Id): string => {
    const mailbox = app.store.mailboxes.value.get(id)
    return mailbox === undefined ? '?' : folderName(mailbox)
  }
  if (all === undefined) return null
  return (
    <section class="part wide" aria-label={t('sweeps')}>
      <h3>{t('sweeps')}</h3>
      <p class="hint">{t('sweepsHint')}</p>
      {all.length === 0 && <p class="hint">{t('sweepsNone')}</p>}
      <ul class="lines">
        {all.map((one) => (
          <li key={one.id}>
            <span class="line-text" dir="auto">
              {t(one.keep === 'newest' ? 'sweepNewestLine' : 'sweepDaysLine', {
                from: one.fromAddress,
                folder: nameOf(one.mailboxId),
                n: one.n,
                to: one.moveTo === null ? t('trash') : nameOf(one.moveTo),
              })}
            </span>
            <IconButton
              icon="trash"
              label={t('removeNamed', { name: one.fromAddress })}
              onClick={() => {
                app.client.call('Sweep/set', { destroy: [one.id] }).then(load, () => app.tell(t('failed')))
              }}
            />
          </li>
        ))}
      </ul>
    </section>
  )
}
