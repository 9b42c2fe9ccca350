/** A form that asks for the password again: for what nobody at a stranger's desk must do. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app } from '../app.ts'
import { t } from '../text/text.ts'
import { wrongText } from './account-calls.ts'

export function Guarded({
  label,
  question = t('confirmPassword'),
  act,
  children,
  onCancel,
  danger = false,
}: {
  readonly label: string
  /** What the field of the password is called. */
  readonly question?: string
  /** Rejects when it was refused; then the form says why and stays. */
  readonly act: (password: string) => Promise<void>
  readonly children?: ComponentChildren
  readonly onCancel?: () => void
  readonly danger?: boolean
}): JSX.Element {
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState('')
  const [working, setWorking] = useState(false)
  const run = async (): Promise<void> => {
    setWorking(true)
    setProblem('')
    try {
      await act(password)
      setPassword('')
    } catch (error) {
      setProblem(wrongText(error))
    } finally {
      setWorking(false)
    }
  }
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      {children}
      {/* For password managers: whose password it is. */}
      <input type="text" hidden readOnly autocomplete="username" value={app.signedInAs} />
      <label class="field">
        <span>{question}</span>
        <input
          type="password"
          autocomplete="current-password"
          required
          value={password}
          aria-invalid={problem !== '' ? 'true' : undefined}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="form-acts">
        <button type="submit" class={`button ${danger ? 'danger' : 'primary'}`} disabled={working}>
          {label}
        </button>
        {onCancel !== undefined && (
          <button type="button" class="button" onClick={onCancel}>
            {t('cancel')}
          </button>
        )}
      </div>
    </form>
  )
}
