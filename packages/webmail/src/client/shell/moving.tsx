/** Folders moved to another place: dragged, or by "Move folder to…"; shown at once, undone like every act. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app, folderName } from '../app.ts'
import { OfflineError } from '../jmap/client.ts'
import type { Id, Mailbox, SetError } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'

/** The folder that is being dragged: what is under the pointer cannot read it from the event. */
const dragged = signal<Mailbox | undefined>(undefined)
const FOLDER = 'application/x-postrider-folder'

export const movable = ({ role, myRights }: Mailbox): boolean => role === null && myRights.mayRename

/** Whether a folder may be put into another, or to the top: not where it is, not into itself or what is below it. */
export function mayMoveInto(folder: Mailbox, parent: Mailbox | null, all: ReadonlyMap<Id, Mailbox>): boolean {
  if (folder.parentId === (parent?.id ?? null) || parent?.myRights.mayCreateChild === false) return false
  const seen = new Set<Id>()
  for (let at = parent; at !== null && !seen.has(at.id); at = all.get(at.parentId ?? '') ?? null) {
    if (at.id === folder.id) return false
    seen.add(at.id)
  }
  return true
}

/** Of an element that can be dragged to another folder. */
export const dragging = (mailbox: Mailbox) => ({
  draggable: movable(mailbox),
  onDragStart: (event: DragEvent): void => {
    event.dataTransfer?.setData(FOLDER, mailbox.id)
    // Where it may be dropped is drawn once the drag has begun: a change before would end it.
    setTimeout(() => {
      dragged.value = mailbox
    })
  },
  onDragEnd: (): void => {
    dragged.value = undefined
  },
})
/** Whether what is dragged over a folder is a folder, and may come in: undefined when it is something else. */
export function mayDrop(event: DragEvent, parent: Mailbox): boolean | undefined {
  if (event.dataTransfer?.types.includes(FOLDER) !== true) return undefined
  const folder = dragged.peek()
  return folder !== undefined && mayMoveInto(folder, parent, app.store.mailboxes.peek())
}
/** Takes what is dropped. */
export function dropped(parent: Mailbox | null): void {
  const folder = dragged.peek()
  dragged.value = undefined
  if (folder !== undefined && mayMoveInto(folder, parent, app.store.mailboxes.peek()))
    void moveFolder(folder, parent?.id ?? null)
}

/** While a folder is dragged: where it becomes one of the top. */
export function TopPlace(): JSX.Element | null {
  const [over, setOver] = useState(false)
  const folder = dragged.value
  if (folder === undefined || !mayMoveInto(folder, null, app.store.mailboxes.value)) return null
  return (
    <div
      class={`folder folder-top ${over ? 'over' : ''}`}
      aria-hidden="true"
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        dropped(null)
      }}
    >
      <span class="twist" />
      <Icon name="folder" />
      <span class="folder-name">{t('topLevel')}</span>
    </div>
  )
}

/** What a change of folders came to: said when it was refused, and the list read again. */
export async function settle(problem: SetError | undefined): Promise<void> {
  if (problem !== undefined)
    app.tell(
      /exist/i.test(`${problem.type} ${problem.description ?? ''}`)
        ? t('folderExists')
        : t('refused', { problem: problem.description ?? problem.type }),
    )
  await app.sync.run()
}

export async function moveFolder(mailbox: Mailbox, parentId: Id | null): Promise<void> {
  const { parentId: before } = mailbox
  if (!(await place(mailbox.id, parentId))) return
  const parent = app.store.mailboxes.peek().get(parentId ?? '')
  app.done('doneFolderMoved', 1, () => void place(mailbox.id, before), {
    name: folderName(mailbox),
    folder: parent === undefined ? t('topLevel') : folderName(parent),
  })
}

/** Shown at once, and back where it was when the server refuses. */
async function place(id: Id, parentId: Id | null): Promise<boolean> {
  const { mailboxes } = app.store
  const known = mailboxes.peek().get(id)
  if (known === undefined) return false
  const show = (parent: Id | null): void => {
    const now = mailboxes.peek().get(id)
    if (now !== undefined) mailboxes.value = new Map(mailboxes.peek()).set(id, { ...now, parentId: parent })
  }
  show(parentId)
  try {
    const answer = await app.client.call('Mailbox/set', { update: { [id]: { parentId } } })
    const problem = answer.notUpdated?.[id]
    if (problem !== undefined) show(known.parentId)
    await settle(problem)
    return problem === undefined
  } catch (error) {
    show(known.parentId)
    app.tell(t(error instanceof OfflineError ? 'offlineBar' : 'failed'))
    return false
  }
}
