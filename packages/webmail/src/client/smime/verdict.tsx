/** The line about a signature: who signed, and whether that can be believed; the certificate on request. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { SmimeFacts } from '../jmap/types.ts'
import { longDate, t, type TextKey } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'

const statusTexts = {
  valid: 'signedValid',
  changed: 'signedChanged',
  untrusted: 'signedUntrusted',
  address: 'signedAddress',
  unreadable: 'signedUnreadable',
} as const satisfies Record<string, TextKey>

const faultTexts: Readonly<Record<string, TextKey>> = {
  expired: 'faultExpired',
  notYet: 'faultNotYet',
  unknownIssuer: 'faultIssuer',
  usage: 'faultUsage',
  weak: 'faultWeak',
  tooLarge: 'faultTooLarge',
  unsupported: 'faultUnsupported',
  noCertificate: 'faultNoCertificate',
}

export function VerdictLine({ facts }: { readonly facts: SmimeFacts }): JSX.Element | null {
  const [open, setOpen] = useState(false)
  const { status, faults, signer, signedAt } = facts
  if (status === null) return null
  const who = signer === null ? t('somebody') : signer.name || signer.addresses[0] || t('somebody')
  const why = faults.flatMap((one) => (faultTexts[one] === undefined ? [] : [t(faultTexts[one])]))
  return (
    <div class={`consent smime ${status}`} role="status">
      <Icon name={status === 'valid' ? 'check' : 'junk'} />
      <span dir="auto">{[t(statusTexts[status], { name: who }), ...why].join(' ')}</span>
      {signer !== null && (
        <button type="button" class="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t(open ? 'hideDetails' : 'certificate')}
        </button>
      )}
      {open && signer !== null && (
        <>
          <dl class="details">
            <Line
              label={t('certificateFor')}
              text={[signer.name, ...signer.addresses].filter((one) => one !== '').join(', ')}
            />
            <Line label={t('certificateBy')} text={signer.issuer} />
            <Line
              label={t('certificateDates')}
              text={[signer.notBefore, signer.notAfter].map((one) => (one === null ? '?' : longDate(one))).join(' – ')}
            />
            {signedAt !== null && <Line label={t('signedAt')} text={longDate(signedAt)} />}
            <Line label={t('certificateSerial')} text={signer.serial} />
            <Line label={t('certificatePrint')} text={signer.fingerprint.replace(/(..)(?=.)/g, '$1 ')} />
          </dl>
          <p class="hint">{t('notRevoked')}</p>
        </>
      )}
    </div>
  )
}

function Line({ label, text }: { readonly label: string; readonly text: string }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd dir="auto">{text}</dd>
    </div>
  )
}
