/** The menu of a row: by right click, the menu key, or held on touch. */
import { app } from '../app.ts'
import { hintOf } from '../commands.ts'
import { replyTo } from '../compose/open.ts'
import type { Id } from '../jmap/types.ts'
import { archive, isFlagged, isUnread, junk, mailsOf, setFlag, setRead, trash } from '../mail/acts.ts'
import { anchorOf, block, explain, followUpItems, setInference, snoozeMenu, trust } from '../mail/marking.ts'
import { settings } from '../store/settings.ts'
import { t } from '../text/text.ts'
import { type MenuItem, openMenu } from '../ui/menu.tsx'
import { toggleRow } from './selecting.ts'

export function rowMenu(event: MouseEvent | Element, id: Id): void {
  if (event instanceof Event) event.preventDefault()
  openMenu(t('actions'), rowItems(id), event)
}

export function rowItems(id: Id): MenuItem[] {
  const rows = app.selected.peek().has(id) ? [...app.selected.peek()] : [id]
  const role = app.mailbox.peek()?.role
  const unread = rows.some(isUnread)
  const flagged = rows.every(isFlagged)
  const items: MenuItem[] = []
  const may = app.may.peek()
  const own = app.sharedBy === undefined
  if (app.selected.peek().size === 0) items.push({ label: t('select'), icon: 'check', run: () => toggleRow(id) })
  if (rows.length === 1)
    items.push(
      { label: t('reply'), icon: 'reply', keyHint: hintOf('reply'), run: () => void replyTo('reply', id) },
      { label: t('replyAll'), icon: 'replyAll', keyHint: hintOf('replyAll'), run: () => void replyTo('replyAll', id) },
    )
  if (own && rows.length === 1)
    items.push({
      label: t('forward'),
      icon: 'forward',
      keyHint: hintOf('forward'),
      run: () => void replyTo('forward', id),
    })
  if (may.mark)
    items.push(
      {
        label: t(unread ? 'markRead' : 'markUnread'),
        icon: unread ? 'read' : 'unread',
        keyHint: hintOf(unread ? 'read' : 'unread'),
        apart: rows.length === 1,
        run: () => void setRead(rows, unread),
      },
      {
        label: t(flagged ? 'unflag' : 'flag'),
        icon: 'flag',
        keyHint: hintOf('flag'),
        run: () => setFlag(flagged ? rows.flatMap((one) => mailsOf(one, true)) : rows, !flagged),
      },
    )
  if (may.remove)
    items.push({
      label: t('moveTo'),
      icon: 'move',
      keyHint: hintOf('move'),
      apart: true,
      run: () => {
        if (!app.selected.peek().has(id)) app.selected.value = new Set([id])
        app.shown.value = 'move'
      },
    })
  if (own)
    items.push(
      { label: t('snooze'), icon: 'clock', keyHint: hintOf('snooze'), run: () => snoozeMenu(rows, anchorOf(id)) },
      {
        label: t('categorise'),
        icon: 'tag',
        keyHint: hintOf('categorise'),
        run: () => {
          if (!app.selected.peek().has(id)) app.selected.value = new Set([id])
          app.shown.value = 'categorise'
        },
      },
      {
        label: t('followUp'),
        icon: 'flag',
        keyHint: hintOf('followUp'),
        run: () => openMenu(t('followUp'), followUpItems(rows), anchorOf(id)),
      },
    )
  if (role === 'inbox' && settings.peek().focused) {
    const other = app.store.email(id).peek()?.inference === 'other'
    items.push({
      label: t(other ? 'toFocused' : 'toOther'),
      icon: 'inbox',
      run: () => void setInference(rows, other ? 'focused' : 'other'),
    })
    if (rows.length === 1) items.push({ label: t('focusWhy'), icon: 'inbox', run: () => void explain(id) })
  }
  if (own && rows.length === 1 && app.place.peek().kind === 'folder')
    items.push({
      label: t('sweep'),
      icon: 'sweep',
      run: () => {
        app.selected.value = new Set([id])
        app.shown.value = 'sweep'
      },
    })
  if (may.remove && role !== 'archive' && app.store.byRole.peek().has('archive'))
    items.push({ label: t('toArchive'), icon: 'archive', keyHint: hintOf('archive'), run: () => void archive(rows) })
  if (may.remove && app.store.byRole.peek().has('junk'))
    items.push({
      label: t(role === 'junk' ? 'notJunk' : 'toJunk'),
      icon: 'junk',
      keyHint: hintOf('junk'),
      run: () => void junk(rows),
    })
  if (own && rows.length === 1 && role !== 'sent' && role !== 'drafts')
    items.push(
      role === 'junk'
        ? { label: t('trustSender'), icon: 'check', run: () => void trust(id).catch(() => app.tell(t('failed'))) }
        : { label: t('blockSender'), icon: 'junk', run: () => void block(id).catch(() => app.tell(t('failed'))) },
    )
  if (may.remove)
    items.push({
      label: t('toTrash'),
      icon: 'trash',
      keyHint: hintOf('trash'),
      danger: true,
      run: () => void trash(rows),
    })
  return items
}
