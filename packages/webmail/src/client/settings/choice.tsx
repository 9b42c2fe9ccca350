/** One of a few, as buttons beside each other: a radio group. */
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { set, settings } from '../store/settings.ts'
import { t } from '../text/text.ts'

export function Choice<T extends string | number | boolean>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string
  readonly value: T
  readonly options: readonly (readonly [T, string])[]
  readonly onChange: (value: T) => void
}): JSX.Element {
  const name = useId()
  return (
    <fieldset class="choice-field">
      <legend>{label}</legend>
      <div class="segments">
        {options.map(([one, text]) => (
          <label key={String(one)}>
            <input type="radio" name={name} checked={value === one} onChange={() => onChange(one)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

export const KeyPreset = (): JSX.Element => (
  <Choice
    label={t('keyboard')}
    value={settings.value.keys}
    options={[
      ['outlook', 'Outlook'],
      ['gmail', 'Gmail'],
      ['off', t('off')],
    ]}
    onChange={(keys) => set({ keys })}
  />
)
