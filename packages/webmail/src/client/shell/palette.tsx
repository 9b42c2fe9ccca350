/** Ctrl+K: commands and folders by name, each with its key, so that one learns it. */
import type { JSX } from 'preact'
import { app } from '../app.ts'
import { commands, folderCommands, keysOf, shownKey } from '../commands.ts'
import { t } from '../text/text.ts'
import { Sheet } from '../ui/dialog.tsx'
import { type Choice, Chooser } from './chooser.tsx'

export function Palette(): JSX.Element {
  const close = (): void => {
    app.shown.value = undefined
  }
  const choices: Choice[] = [
    ...commands
      .filter((one) => one.id !== 'palette' && one.id !== 'back' && (one.when?.() ?? true))
      .map((one) => {
        const [key] = keysOf(one)
        return {
          label: t(one.text),
          icon: one.icon,
          keyHint: key === undefined ? undefined : shownKey(key),
          run: one.run,
        }
      }),
    ...folderCommands().map((one) => ({ ...one, icon: 'folder' as const })),
  ]
  return (
    <Sheet label={t('palette')} bare class="chooser-sheet" onClose={close}>
      <Chooser label={t('paletteHint')} choices={choices} onClose={close} />
    </Sheet>
  )
}
