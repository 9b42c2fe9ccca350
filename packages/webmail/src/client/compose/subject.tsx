/** The line a message is about: of what one writes, and of a template. */
import type { JSX } from 'preact'
import { t } from '../text/text.ts'

/** What other programs show of a subject without cutting lines. */
const LONGEST = 900

export const SubjectField = ({
  class: name,
  value,
  onInput,
}: {
  readonly class: string
  readonly value: string
  readonly onInput: (subject: string) => void
}): JSX.Element => (
  <label class={name}>
    <span>{t('subject')}</span>
    <input
      type="text"
      value={value}
      dir="auto"
      maxLength={LONGEST}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  </label>
)
