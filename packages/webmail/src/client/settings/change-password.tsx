/** A new password: behind the old one. This session goes on, all others end. */
import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { t } from '../text/text.ts'
import { post } from './account-calls.ts'
import { Guarded } from './guarded.tsx'

export function ChangePassword({ rules }: { readonly rules: { readonly length: number } }): JSX.Element {
  const [open, setOpen] = useState(false)
  const [wanted, setWanted] = useState('')
  const [again, setAgain] = useState('')
  const hint = useId()
  const close = (): void => {
    setOpen(false)
    setWanted('')
    setAgain('')
  }
  const field = (label: string, value: string, set: (text: string) => void): JSX.Element => (
    <label class="field">
      <span>{label}</span>
      <input
        type="password"
        autocomplete="new-password"
        required
        value={value}
        aria-describedby={hint}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  )
  return (
    <section class="part wide" aria-labelledby="own-password">
      <h3 id="own-password">{t('password')}</h3>
      <p class="hint">{t('passwordHint')}</p>
      {open ? (
        <Guarded
          label={t('changePassword')}
          question={t('oldPassword')}
          onCancel={close}
          act={async (password) => {
            await post('/web/account/password', { password, wanted, again })
            close()
            app.tell(t('passwordChanged'))
          }}
        >
          <p class="hint" id={hint}>
            {t('passwordRules', { n: rules.length })}
          </p>
          {field(t('newPassword'), wanted, setWanted)}
          {field(t('newPasswordAgain'), again, setAgain)}
        </Guarded>
      ) : (
        <button type="button" class="button" onClick={() => setOpen(true)}>
          {t('changePassword')}
        </button>
      )}
    </section>
  )
}
