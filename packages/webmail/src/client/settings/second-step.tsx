/** The second step at sign-in: set up with an authenticator app, its recovery codes, off. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../text/text.ts'
import { post, wrongText } from './account-calls.ts'
import { Guarded } from './guarded.tsx'
import { Secret } from './secret.tsx'

interface Now {
  readonly secondStep: 'off' | 'pending' | 'on'
  readonly recoveryLeft?: number
  readonly key?: string
  readonly qr?: string
}

export function SecondStep({ now, load }: { readonly now: Now; readonly load: () => void }): JSX.Element {
  const [open, setOpen] = useState<'begin' | 'off' | 'codes'>()
  const [code, setCode] = useState('')
  const [codes, setCodes] = useState<readonly string[]>()
  const [problem, setProblem] = useState('')
  const confirm = async (): Promise<void> => {
    try {
      const answer = await post<{ readonly codes: readonly string[] }>('/web/account/second-step', {
        act: 'confirm',
        code,
      })
      setCodes(answer.codes)
      setCode('')
      setProblem('')
      load()
    } catch (error) {
      setProblem(wrongText(error))
    }
  }
  const change = async (act: 'begin' | 'off' | 'codes', password: string): Promise<void> => {
    const answer = await post<{ readonly codes?: readonly string[] }>('/web/account/second-step', { act, password })
    setOpen(undefined)
    setCodes(answer.codes)
    load()
  }
  const acts = now.secondStep === 'on' ? (['codes', 'off'] as const) : (['begin'] as const)
  const labels = { begin: t('setUp'), off: t('turnOff'), codes: t('newCodes') }
  return (
    <section class="part wide" aria-labelledby="second-step">
      <h3 id="second-step">{t('secondStep')}</h3>
      <p>{t(now.secondStep === 'on' ? 'totpOn' : 'totpOff')}</p>
      {now.recoveryLeft !== undefined && <p class="hint">{t('codesLeft', { n: now.recoveryLeft })}</p>}
      {codes !== undefined && <Secret label={t('recoveryCodes')} text={codes.join('\n')} />}
      {now.secondStep === 'pending' && now.key !== undefined && (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault()
            void confirm()
          }}
        >
          <p>{t('totpScan')}</p>
          <img
            class="qr"
            src={`data:image/svg+xml,${encodeURIComponent(now.qr ?? '')}`}
            width={200}
            height={200}
            alt={t('qrCode')}
          />
          <code class="codes">{now.key}</code>
          <label class="field">
            <span>{t('code')}</span>
            <input
              type="text"
              inputMode="numeric"
              autocomplete="one-time-code"
              maxLength={10}
              required
              value={code}
              aria-invalid={problem !== '' ? 'true' : undefined}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          </label>
          {problem !== '' && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
          <button type="submit" class="button primary">
            {t('turnOn')}
          </button>
        </form>
      )}
      {now.secondStep !== 'pending' &&
        (open !== undefined ? (
          <Guarded
            key={open}
            label={labels[open]}
            danger={open === 'off'}
            act={(password) => change(open, password)}
            onCancel={() => setOpen(undefined)}
          />
        ) : (
          <div class="form-acts">
            {acts.map((one) => (
              <button key={one} type="button" class="button" onClick={() => setOpen(one)}>
                {labels[one]}
              </button>
            ))}
          </div>
        ))}
    </section>
  )
}
