/** Notices of new mail on this device. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { pushIsOn, pushPossible, turnPushOff, turnPushOn } from '../store/push.ts'
import { t } from '../text/text.ts'

export function Notifications(): JSX.Element {
  const [on, setOn] = useState(false)
  const [busy, setBusy] = useState(false)
  const possible = pushPossible()
  useEffect(() => {
    pushIsOn().then(setOn, () => {})
  }, [])
  const change = (wanted: boolean): void => {
    setBusy(true)
    const work = wanted ? turnPushOn() : turnPushOff().then(() => false)
    work
      .then(
        (now) => {
          setOn(now)
          if (wanted && !now) app.tell(t('noticesRefused'))
        },
        () => app.tell(t('noticesFailed')),
      )
      .finally(() => setBusy(false))
  }
  return (
    <>
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={on}
          disabled={!possible || busy}
          onChange={(event) => change(event.currentTarget.checked)}
        />
        <span>{t('noticesOn')}</span>
      </label>
      <p class="hint">{t(possible ? 'noticesHint' : 'noticesImpossible')}</p>
    </>
  )
}
