/** Where to: the folders by what one types. For mails and for folders. */
import type { JSX } from 'preact'
import { app, folderName } from '../app.ts'
import { moveTo, targets } from '../mail/acts.ts'
import { t } from '../text/text.ts'
import { Sheet } from '../ui/dialog.tsx'
import { folderIcon, folderToMove, inOrder } from './folders.tsx'
import { mayMoveInto, moveFolder } from './moving.tsx'
import { type Choice, Chooser } from './chooser.tsx'

export function FolderPicker(): JSX.Element {
  const folder = folderToMove.value
  const close = (): void => {
    app.shown.value = undefined
    folderToMove.value = undefined
  }
  const here = app.mailbox.value?.id
  const choices: Choice[] = inOrder(app.store.mailboxes.value.values())
    .filter(({ mailbox }) =>
      folder === undefined
        ? mailbox.id !== here && mailbox.myRights.mayAddItems
        : mayMoveInto(folder, mailbox, app.store.mailboxes.value),
    )
    .map(({ mailbox, level }) => ({
      label: folderName(mailbox),
      icon: folderIcon(mailbox),
      level,
      run: () => void (folder === undefined ? moveTo(targets(), mailbox) : moveFolder(folder, mailbox.id)),
    }))
  if (folder !== undefined && mayMoveInto(folder, null, app.store.mailboxes.value))
    choices.unshift({ label: t('topLevel'), icon: 'folder', run: () => void moveFolder(folder, null) })
  const label = folder === undefined ? t('moveTo') : t('moveFolder')
  return (
    <Sheet label={label} bare class="chooser-sheet" onClose={close}>
      <Chooser label={label} choices={choices} onClose={close} />
    </Sheet>
  )
}
