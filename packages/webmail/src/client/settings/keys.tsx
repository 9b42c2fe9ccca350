/** Signing and encryption: the user's own keys on this device, imported from a file with its password. */
import { SmimeError } from '@postrider/wire/smime'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { forgetKey, importKey, loadKeys, ownKeys } from '../smime/keys.ts'
import { longDate, t, type TextKey } from '../text/text.ts'
import { ask } from '../ui/dialog.tsx'
import { IconButton } from '../ui/icon.tsx'

const problemTexts: Readonly<Record<string, TextKey>> = {
  wrongPassword: 'keyWrongPassword',
  unsupported: 'keyUnsupported',
  noCertificate: 'keyNoCertificate',
  tooLarge: 'faultTooLarge',
}

export function Keys(): JSX.Element {
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const file = useRef<HTMLInputElement>(null)
  useEffect(() => void loadKeys().catch(() => app.tell(t('failed'))), [])
  const take = async (): Promise<void> => {
    const chosen = file.current?.files?.[0]
    if (chosen === undefined) return setProblem(t('keyChoose'))
    setBusy(true)
    setProblem('')
    try {
      await importKey(new Uint8Array(await chosen.arrayBuffer()), password)
      setPassword('')
      if (file.current !== null) file.current.value = ''
      app.tell(t('keyImported'))
    } catch (error) {
      if (!(error instanceof SmimeError)) throw error
      setProblem(t(problemTexts[error.problem] ?? 'keyUnreadable'))
    } finally {
      setBusy(false)
    }
  }
  const keys = ownKeys.value ?? []
  return (
    <>
      <p>{t('keysAbout')}</p>
      <p class="hint">{t(app.device.value === undefined ? 'keysPublic' : 'keysPrivate')}</p>
      {keys.length > 0 && (
        <ul class="sessions" aria-label={t('ownKeys')}>
          {keys.map((key) => {
            const { subjectName, issuerName, addresses, notAfter } = key.certificate
            return (
              <li key={addresses.join() + notAfter}>
                <div>
                  <strong dir="auto">{addresses[0] ?? subjectName}</strong>
                  <div class="hint">
                    {t('keyFrom', { name: issuerName, time: longDate(new Date(notAfter).toISOString()) })}
                  </div>
                </div>
                <IconButton
                  icon="trash"
                  label={t('removeNamed', { name: addresses[0] ?? subjectName })}
                  onClick={() =>
                    void ask(t('keyForget'), t('remove')).then((yes) => {
                      if (yes) void forgetKey(key)
                    })
                  }
                />
              </li>
            )
          })}
        </ul>
      )}
      <form
        class="form"
        aria-label={t('importKey')}
        onSubmit={(event) => {
          event.preventDefault()
          void take()
        }}
      >
        <h3>{t('importKey')}</h3>
        <label class="field">
          <span>{t('keyFile')}</span>
          <input ref={file} type="file" accept=".p12,.pfx,application/x-pkcs12" />
        </label>
        <label class="field">
          <span>{t('keyPassword')}</span>
          <input
            type="password"
            autocomplete="off"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        {problem !== '' && <p role="alert">{problem}</p>}
        <button type="submit" class="button primary" disabled={busy}>
          {t('importKey')}
        </button>
      </form>
    </>
  )
}
