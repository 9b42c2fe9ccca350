/** The folders as a tree: role first, then by name; mails are dropped on them; each has its menu. */
import { computed, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app, folderName, placeOf } from '../app.ts'
import type { Id, Mailbox } from '../jmap/types.ts'
import { emptyFolder, markAllRead, moveTo } from '../mail/acts.ts'
import { compareNames, t } from '../text/text.ts'
import { ask, askText } from '../ui/dialog.tsx'
import { Icon, IconButton, type IconName } from '../ui/icon.tsx'
import { type MenuItem, openMenu } from '../ui/menu.tsx'
import { SharedFolders } from './shared-folders.tsx'
import { dragging, dropped, mayDrop, movable, settle, TopPlace } from './moving.tsx'

const order = ['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash']
export const folderIcon = (one: Mailbox): IconName =>
  order.includes(one.role ?? '')
    ? (one.role as IconName)
    : one.role === 'scheduled' || one.role === 'snoozed'
      ? 'clock'
      : 'folder'

export interface Node {
  readonly mailbox: Mailbox
  readonly level: number
  readonly children: number
}

const CLOSED = 'postrider.closed'
const closed = signal<ReadonlySet<Id>>(new Set(readClosed()))
function readClosed(): string[] {
  try {
    return JSON.parse(globalThis.localStorage?.getItem(CLOSED) ?? '[]') as string[]
  } catch {
    return []
  }
}
function toggle(id: Id): void {
  const next = new Set(closed.peek())
  if (!next.delete(id)) next.add(id)
  closed.value = next
  localStorage.setItem(CLOSED, JSON.stringify([...next]))
}

/** In the order they are shown. */
export function inOrder(all: Iterable<Mailbox>, isClosed: (id: Id) => boolean = () => false): Node[] {
  const byParent = new Map<Id | null, Mailbox[]>()
  const known = new Map([...all].map((one) => [one.id, one]))
  for (const one of known.values()) {
    const parent = one.parentId !== null && known.has(one.parentId) ? one.parentId : null
    byParent.set(parent, [...(byParent.get(parent) ?? []), one])
  }
  const rank = (one: Mailbox): number => {
    const at = order.indexOf(one.role ?? '')
    return at < 0 ? order.length : at
  }
  const out: Node[] = []
  const visit = (parent: Id | null, level: number): void => {
    const children = byParent.get(parent) ?? []
    children.sort((a, b) => rank(a) - rank(b) || a.sortOrder - b.sortOrder || compareNames(a.name, b.name))
    for (const mailbox of children) {
      out.push({ mailbox, level, children: byParent.get(mailbox.id)?.length ?? 0 })
      if (!isClosed(mailbox.id)) visit(mailbox.id, level + 1)
    }
  }
  visit(null, 0)
  return out
}

const nodes = computed(() => inOrder(app.store.mailboxes.value.values(), (id) => closed.value.has(id)))

export function Folders(): JSX.Element {
  const current = app.mailbox.value?.id
  const onKeyDown = (event: KeyboardEvent): void => {
    const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=treeitem]')]
    const now = all.indexOf(document.activeElement as HTMLElement)
    if (now < 0) return
    const node = nodes.peek()[now]
    if (event.key === 'ArrowDown') all[now + 1]?.focus()
    else if (event.key === 'ArrowUp') all[now - 1]?.focus()
    else if (event.key === 'Home') all[0]?.focus()
    else if (event.key === 'End') all.at(-1)?.focus()
    else if (event.key === 'Enter' || event.key === ' ') all[now]?.click()
    else if ((event.key === 'ArrowRight' || event.key === 'ArrowLeft') && node !== undefined && node.children > 0) {
      if (closed.peek().has(node.mailbox.id) === (event.key === 'ArrowRight')) toggle(node.mailbox.id)
    } else if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && node !== undefined)
      openMenu(folderName(node.mailbox), folderItems(node.mailbox), all[now] as Element)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const shown = nodes.value
  const tabbable = shown.some(({ mailbox }) => mailbox.id === current) ? current : shown[0]?.mailbox.id
  return (
    <>
      {app.sharedBy !== undefined && (
        <h2 class="shared-by" dir="auto">
          {app.sharedBy}
        </h2>
      )}
      <div class="tree" role="tree" aria-label={t('folders')} tabIndex={-1} onKeyDown={onKeyDown}>
        {shown.map((node) => (
          <Folder
            key={node.mailbox.id}
            {...node}
            current={node.mailbox.id === current}
            tabbable={node.mailbox.id === tabbable}
          />
        ))}
      </div>
      <TopPlace />
      {app.sharedBy === undefined && (
        <button type="button" class="link-button new-folder" onClick={() => void newFolder(null)}>
          <Icon name="plus" /> {t('newFolder')}
        </button>
      )}
      <SharedFolders />
    </>
  )
}

function Folder({
  mailbox,
  level,
  children,
  current,
  tabbable,
}: Node & { readonly current: boolean; readonly tabbable: boolean }): JSX.Element {
  const [over, setOver] = useState(false)
  const name = folderName(mailbox)
  const isClosed = closed.value.has(mailbox.id)
  const count =
    mailbox.role === 'drafts'
      ? mailbox.totalEmails
      : mailbox.role === 'sent' || mailbox.role === 'trash'
        ? 0
        : mailbox.unreadEmails
  return (
    <div
      role="treeitem"
      class={`folder ${over ? 'over' : ''} ${count > 0 && mailbox.role !== 'drafts' ? 'has-unread' : ''}`}
      aria-level={level + 1}
      aria-selected={current}
      aria-current={current ? 'page' : undefined}
      aria-expanded={children > 0 ? !isClosed : undefined}
      tabIndex={tabbable ? 0 : -1}
      style={{ '--level': level }}
      onClick={() => app.goFolder(placeOf(mailbox))}
      onContextMenu={(event) => {
        event.preventDefault()
        openMenu(name, folderItems(mailbox), event)
      }}
      {...dragging(mailbox)}
      onDragOver={(event) => {
        const folder = mayDrop(event, mailbox)
        if (folder !== undefined) {
          if (!folder) return
          event.preventDefault()
          setOver(true)
          return
        }
        if (
          event.dataTransfer?.types.includes('application/x-postrider-rows') !== true ||
          !mailbox.myRights.mayAddItems
        )
          return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        if (mayDrop(event, mailbox) !== undefined) return dropped(mailbox)
        const rows = JSON.parse(event.dataTransfer?.getData('application/x-postrider-rows') || '[]') as Id[]
        void moveTo(rows, mailbox)
      }}
    >
      {children > 0 ? (
        <span
          class={`twist ${isClosed ? '' : 'open'}`}
          aria-hidden="true"
          onClick={(event) => {
            event.stopPropagation()
            toggle(mailbox.id)
          }}
        >
          <Icon name="forwardTo" />
        </span>
      ) : (
        <span class="twist" aria-hidden="true" />
      )}
      <Icon name={folderIcon(mailbox)} />
      <span class="folder-name" dir="auto">
        {name}
      </span>
      {count > 0 && (
        <span class="count">
          {count > 9999 ? '9999+' : count}
          {mailbox.role !== 'drafts' && <span class="visually-hidden"> {t('unread')}</span>}
        </span>
      )}
      <span class="folder-more" aria-hidden="true">
        <IconButton
          icon="more"
          label={t('folderMenu', { name })}
          tabIndex={-1}
          onClick={(event) => {
            event.stopPropagation()
            openMenu(name, folderItems(mailbox), event)
          }}
        />
      </span>
    </div>
  )
}

function folderItems(mailbox: Mailbox): MenuItem[] {
  const { myRights: rights, role } = mailbox
  const items: MenuItem[] = []
  if (mailbox.unreadEmails > 0 && app.sharedBy === undefined)
    items.push({ label: t('markAllRead'), icon: 'read', run: () => void markAllRead(mailbox) })
  if (rights.mayCreateChild) items.push({ label: t('newFolder'), icon: 'plus', run: () => void newFolder(mailbox) })
  if (movable(mailbox))
    items.push(
      { label: t('rename'), icon: 'edit', run: () => void renameFolder(mailbox) },
      {
        label: t('moveFolder'),
        icon: 'move',
        run: () => {
          folderToMove.value = mailbox
          app.shown.value = 'move'
        },
      },
    )
  if (rights.mayShare)
    items.push({
      label: t('shareFolder'),
      icon: 'people',
      run: () => {
        folderToShare.value = mailbox
        app.shown.value = 'share'
      },
    })
  if ((role === 'trash' || role === 'junk') && mailbox.totalEmails > 0 && rights.mayRemoveItems)
    items.push({
      label: t('emptyTrash'),
      icon: 'trash',
      danger: true,
      apart: true,
      run: () => void emptyFolder(mailbox),
    })
  if (role === null && rights.mayDelete)
    items.push({
      label: t('deleteFolder'),
      icon: 'trash',
      danger: true,
      apart: true,
      run: () => void deleteFolder(mailbox),
    })
  return items
}

/** The folder whose sharing is looked at. */
export const folderToShare = signal<Mailbox | undefined>(undefined)
/** The folder the picker moves; undefined: it moves mails. */
export const folderToMove = signal<Mailbox | undefined>(undefined)

async function newFolder(parent: Mailbox | null): Promise<void> {
  const name = await askText(
    parent === null ? t('newFolder') : t('newFolderIn', { name: folderName(parent) }),
    t('create'),
    { label: t('folderName'), value: '' },
  )
  if (name === undefined) return
  const answer = await app.client.call('Mailbox/set', {
    create: { new: { name: name.trim(), parentId: parent?.id ?? null } },
  })
  await settle(answer.notCreated?.new)
}
async function renameFolder(mailbox: Mailbox): Promise<void> {
  const name = await askText(t('rename'), t('save'), { label: t('folderName'), value: mailbox.name })
  if (name === undefined || name.trim() === mailbox.name) return
  const answer = await app.client.call('Mailbox/set', { update: { [mailbox.id]: { name: name.trim() } } })
  await settle(answer.notUpdated?.[mailbox.id])
}
async function deleteFolder(mailbox: Mailbox): Promise<void> {
  if (!(await ask(t('sureDeleteFolder', { name: mailbox.name, n: mailbox.totalEmails }), t('deleteFolder')))) return
  const answer = await app.client.call('Mailbox/set', { destroy: [mailbox.id], onDestroyRemoveEmails: true })
  if (app.mailbox.peek()?.id === mailbox.id) app.goFolder('inbox')
  await settle(answer.notDestroyed?.[mailbox.id])
}
