/** `?`: all keys of the chosen preset. */
import type { JSX } from 'preact'
import { app } from '../app.ts'
import { commands, keysOf, shownKey } from '../commands.ts'
import { settings } from '../store/settings.ts'
import { t } from '../text/text.ts'
import { Sheet } from '../ui/dialog.tsx'
import { KeyPreset } from '../settings/choice.tsx'

export function Shortcuts(): JSX.Element {
  void settings.value
  return (
    <Sheet
      label={t('helpTitle')}
      class="shortcuts"
      onClose={() => {
        app.shown.value = undefined
      }}
    >
      <KeyPreset />
      <dl>
        {commands
          .map((one) => ({ one, keys: keysOf(one) }))
          .filter(({ keys }) => keys.length > 0)
          .map(({ one, keys }) => (
            <div key={one.id}>
              <dt>{t(one.text)}</dt>
              <dd>
                {keys.map((key) => (
                  <kbd key={key}>{shownKey(key)}</kbd>
                ))}
              </dd>
            </div>
          ))}
      </dl>
    </Sheet>
  )
}
