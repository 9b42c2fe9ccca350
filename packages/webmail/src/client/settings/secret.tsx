/** Something shown this once, to be copied. */
import type { JSX } from 'preact'
import { t } from '../text/text.ts'

export const Secret = ({ label, text }: { readonly label: string; readonly text: string }): JSX.Element => (
  <div role="status">
    <p>{label}</p>
    <pre class="codes">{text}</pre>
    <button type="button" class="button" onClick={() => void navigator.clipboard.writeText(text)}>
      {t('copy')}
    </button>
  </div>
)
