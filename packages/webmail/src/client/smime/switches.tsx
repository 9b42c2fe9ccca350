/** Sign and Encrypt, in a window of writing. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Protect } from '../compose/open.ts'
import type { Address } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { keyFor, loadKeys, ownKeys } from './keys.ts'
import { certificatesOf } from './protect.ts'

/** How often certificates that are missing are looked for again. */
const LOOKS = 5
const LOOK_AGAIN_MS = 4_000

export function Switches({
  from,
  recipients,
  value,
  onChange,
}: {
  readonly from: string
  readonly recipients: readonly Address[]
  readonly value: Protect
  readonly onChange: (value: Protect) => void
}): JSX.Element | null {
  const [missing, setMissing] = useState<readonly string[]>()
  useEffect(() => void loadKeys().catch(() => app.tell(t('failed'))), [])
  const key = ownKeys.value === undefined ? undefined : keyFor(from)
  const addresses = recipients.map((one) => one.email.toLowerCase())
  useEffect(() => {
    if (key === undefined || addresses.length === 0) return setMissing(undefined)
    let wanted = true
    let again: ReturnType<typeof setTimeout> | undefined
    const look = async (times: number): Promise<void> => {
      let found: readonly string[] | undefined
      try {
        const known = await certificatesOf(addresses)
        found = addresses.filter((one) => !known.has(one))
      } catch {
        // The server is away: what one may do is not known.
      }
      if (!wanted) return
      setMissing(found)
      // A mail that has just come may not be found yet.
      if (found?.length !== 0 && times > 0) again = setTimeout(() => void look(times - 1), LOOK_AGAIN_MS)
    }
    void look(LOOKS)
    return () => {
      wanted = false
      clearTimeout(again)
    }
  }, [addresses.join(), key])
  if (key === undefined) return value.encrypt ? <p class="hint smime-hint">{t('encryptNoKey')}</p> : null
  const possible = missing?.length === 0
  return (
    <fieldset class="compose-protect">
      <legend class="visually-hidden">{t('keys')}</legend>
      <label>
        <input
          type="checkbox"
          checked={value.sign || value.encrypt}
          disabled={value.encrypt}
          onChange={(event) => onChange({ ...value, sign: event.currentTarget.checked })}
        />
        {t('sign')}
      </label>
      <label>
        <input
          type="checkbox"
          checked={value.encrypt}
          disabled={!possible && !value.encrypt}
          onChange={(event) => onChange({ ...value, encrypt: event.currentTarget.checked })}
        />
        {t('encrypt')}
      </label>
      {missing !== undefined && missing.length > 0 && (
        <span class="hint">{t('encryptMissing', { names: missing.join(', ') })}</span>
      )}
    </fieldset>
  )
}
