/** Every command once: its name, its keys in both presets, when it makes sense. Keys, palette, help sheet and menus read this table. */
import { app, folderName, placeOf } from './app.ts'
import { compose, replyTo } from './compose/open.ts'
import { archive, destroy, isFlagged, isUnread, junk, setFlag, setRead, targets, trash } from './mail/acts.ts'
import { anchorOf, followUpItems, snoozeMenu } from './mail/marking.ts'
import { openMenu } from './ui/menu.tsx'
import { set, settings } from './store/settings.ts'
import { t, type TextKey } from './text/text.ts'
import type { IconName } from './ui/icon.tsx'

export interface Command {
  readonly id: string
  readonly text: TextKey
  readonly icon?: IconName
  /** As shown and matched: `Ctrl+K`, `Shift+I`, `g i`. */
  readonly outlook?: readonly string[]
  readonly gmail?: readonly string[]
  readonly when?: () => boolean
  readonly run: () => void
}

const inMail = (): boolean => app.place.peek().kind !== 'settings'
const some = (): boolean => inMail() && targets().length > 0
const one = (): boolean => inMail() && targets().length === 1
const mark = (): boolean => some() && app.may.peek().mark
const remove = (): boolean => some() && app.may.peek().remove
const own = (): boolean => some() && app.sharedBy === undefined
const has = (role: string) => (): boolean => remove() && app.store.byRole.peek().has(role)

/** Moves the cursor; with a reading pane the mail is opened as well. */
export function step(by: number): void {
  const list = app.list.peek()
  const total = list?.total.peek() ?? 0
  if (list === undefined || total === 0) return
  const open = app.openEmail.peek()
  const at = open === undefined ? app.cursor.peek() : list.indexOf(open)
  const next = Math.max(0, Math.min(total - 1, (at < 0 ? app.cursor.peek() : at) + by))
  app.cursor.value = next
  const id = list.at(next)
  if (open !== undefined && id !== undefined) app.open(id, { replace: true })
}

const goTo = (role: string) => (): void => app.goFolder(role)
const panes = ['right', 'bottom', 'off'] as const

export const commands: readonly Command[] = [
  { id: 'compose', text: 'newMail', icon: 'edit', outlook: ['n', 'Ctrl+Alt+N'], gmail: ['c'], run: () => compose({}) },
  {
    id: 'reply',
    text: 'reply',
    icon: 'reply',
    outlook: ['r', 'Ctrl+Alt+R'],
    gmail: ['r'],
    when: one,
    run: () => void replyTo('reply', targets()[0]),
  },
  {
    id: 'replyAll',
    text: 'replyAll',
    icon: 'replyAll',
    outlook: ['Shift+R'],
    gmail: ['a'],
    when: one,
    run: () => void replyTo('replyAll', targets()[0]),
  },
  {
    id: 'forward',
    text: 'forward',
    icon: 'forward',
    outlook: ['Shift+F'],
    gmail: ['f'],
    when: () => one() && own(),
    run: () => void replyTo('forward', targets()[0]),
  },
  {
    id: 'archive',
    text: 'toArchive',
    icon: 'archive',
    outlook: ['e'],
    gmail: ['e'],
    when: has('archive'),
    run: () => void archive(targets()),
  },
  {
    id: 'trash',
    text: 'toTrash',
    icon: 'trash',
    outlook: ['Delete', 'Backspace'],
    gmail: ['#', 'Delete'],
    when: remove,
    run: () => void trash(targets()),
  },
  {
    id: 'destroy',
    text: 'destroy',
    outlook: ['Shift+Delete'],
    gmail: ['Shift+Delete'],
    when: remove,
    run: () => void destroy(targets()),
  },
  {
    id: 'junk',
    text: 'toJunk',
    icon: 'junk',
    outlook: ['j'],
    gmail: ['!'],
    when: has('junk'),
    run: () => void junk(targets()),
  },
  {
    id: 'move',
    text: 'moveTo',
    icon: 'move',
    outlook: ['v'],
    gmail: ['v'],
    when: remove,
    run: () => {
      app.shown.value = 'move'
    },
  },
  {
    id: 'snooze',
    text: 'snooze',
    icon: 'clock',
    outlook: ['b'],
    gmail: ['b'],
    when: own,
    run: () => snoozeMenu(targets(), anchorOf(targets()[0])),
  },
  {
    id: 'categorise',
    text: 'categorise',
    icon: 'tag',
    outlook: ['c'],
    gmail: ['l'],
    when: own,
    run: () => {
      app.shown.value = 'categorise'
    },
  },
  {
    id: 'followUp',
    text: 'followUp',
    icon: 'flag',
    outlook: ['Shift+G'],
    gmail: ['Shift+S'],
    when: own,
    run: () => openMenu(t('followUp'), followUpItems(targets()), anchorOf(targets()[0])),
  },
  {
    id: 'sweep',
    text: 'sweep',
    icon: 'sweep',
    when: () => own() && one() && app.place.peek().kind === 'folder',
    run: () => {
      app.shown.value = 'sweep'
    },
  },
  {
    id: 'people',
    text: 'people',
    icon: 'people',
    outlook: ['g p'],
    gmail: ['g c'],
    run: () => {
      app.shown.value = 'people'
    },
  },
  {
    id: 'held',
    text: 'held',
    icon: 'clock',
    run: () => {
      app.shown.value = 'held'
    },
  },
  {
    id: 'outbox',
    text: 'outbox',
    icon: 'clock',
    run: () => {
      app.shown.value = 'outbox'
    },
  },
  {
    id: 'rules',
    text: 'rules',
    icon: 'settings',
    run: () => app.go({ kind: 'settings', page: 'rules' }),
  },
  {
    id: 'read',
    text: 'markRead',
    icon: 'read',
    outlook: ['q'],
    gmail: ['Shift+I'],
    when: () => mark() && targets().some(isUnread),
    run: () => void setRead(targets(), true),
  },
  {
    id: 'unread',
    text: 'markUnread',
    icon: 'unread',
    outlook: ['u'],
    gmail: ['Shift+U'],
    when: () => mark() && !targets().every(isUnread),
    run: () => void setRead(targets(), false),
  },
  {
    id: 'flag',
    text: 'flag',
    icon: 'flag',
    outlook: ['Insert'],
    gmail: ['s'],
    when: mark,
    run: () => setFlag(targets(), !targets().every(isFlagged)),
  },
  { id: 'undo', text: 'undo', icon: 'undo', outlook: ['z', 'Ctrl+Z'], gmail: ['z'], run: () => app.undoLast() },
  { id: 'next', text: 'next', outlook: ['Ctrl+.'], gmail: ['j'], when: inMail, run: () => step(1) },
  { id: 'previous', text: 'previous', outlook: ['Ctrl+,'], gmail: ['k'], when: inMail, run: () => step(-1) },
  {
    id: 'open',
    text: 'open',
    outlook: ['o'],
    gmail: ['o'],
    when: inMail,
    run: () => app.open(app.list.peek()?.at(app.cursor.peek())),
  },
  { id: 'back', text: 'back', outlook: ['Escape'], gmail: ['u', 'Escape'], when: inMail, run: () => back() },
  {
    id: 'search',
    text: 'searchMail',
    icon: 'search',
    outlook: ['/', 'Alt+Q'],
    gmail: ['/'],
    run: () => document.querySelector<HTMLElement>('#search')?.focus(),
  },
  { id: 'inbox', text: 'inbox', icon: 'inbox', outlook: ['g i'], gmail: ['g i'], run: goTo('inbox') },
  { id: 'drafts', text: 'drafts', icon: 'drafts', outlook: ['g d'], gmail: ['g d'], run: goTo('drafts') },
  { id: 'sent', text: 'sent', icon: 'sent', outlook: ['g s'], gmail: ['g t'], run: goTo('sent') },
  { id: 'goArchive', text: 'goToArchive', outlook: ['g a'], gmail: ['g a'], run: goTo('archive') },
  {
    id: 'selectAll',
    text: 'selectAll',
    outlook: ['Ctrl+A'],
    gmail: ['* a', 'Ctrl+A'],
    when: inMail,
    run: () => selectAll(),
  },
  {
    id: 'refresh',
    text: 'refresh',
    icon: 'refresh',
    outlook: ['F9'],
    gmail: ['Shift+N'],
    when: inMail,
    run: () => void app.sync.run(),
  },
  {
    id: 'print',
    text: 'print',
    icon: 'print',
    outlook: ['Ctrl+P'],
    gmail: ['Ctrl+P'],
    when: () => app.openEmail.peek() !== undefined,
    run: () => print(),
  },
  {
    id: 'pane',
    text: 'togglePane',
    run: () => set({ pane: panes[(panes.indexOf(settings.peek().pane) + 1) % 3] ?? 'right' }),
  },
  {
    id: 'theme',
    text: 'toggleTheme',
    run: () => set({ theme: getComputedStyle(document.documentElement).colorScheme === 'dark' ? 'light' : 'dark' }),
  },
  { id: 'conversations', text: 'conversations', run: () => set({ conversations: !settings.peek().conversations }) },
  { id: 'focusNext', text: 'focusNext', outlook: ['F6'], gmail: ['F6'], run: () => nextPane() },
  {
    id: 'settings',
    text: 'settings',
    icon: 'settings',
    outlook: ['g o'],
    gmail: ['g o'],
    run: () => app.go({ kind: 'settings', page: 'appearance' }),
  },
  {
    id: 'palette',
    text: 'palette',
    outlook: ['Ctrl+K'],
    gmail: ['Ctrl+K'],
    run: () => {
      app.shown.value = 'palette'
    },
  },
  {
    id: 'shortcuts',
    text: 'shortcuts',
    icon: 'keyboard',
    outlook: ['?'],
    gmail: ['?'],
    run: () => {
      app.shown.value = 'shortcuts'
    },
  },
  { id: 'signOut', text: 'signOut', icon: 'signOut', run: () => void app.signOut() },
]

export const keysOf = (command: Command): readonly string[] => {
  const { keys } = settings.value
  return keys === 'off'
    ? command.id === 'palette' || command.id === 'focusNext'
      ? (command.outlook ?? [])
      : []
    : (command[keys] ?? [])
}
export const hintOf = (id: string): string | undefined => {
  const command = commands.find((one) => one.id === id)
  const [first] = command === undefined ? [] : keysOf(command)
  return first === undefined ? undefined : shownKey(first)
}
/** For eyes: `n` is the key N. */
export const shownKey = (key: string): string =>
  key
    .replace(/\b([a-z])\b/g, (letter) => letter.toUpperCase())
    .replace('Delete', 'Del')
    .replace('Escape', 'Esc')

export function selectAll(): void {
  const list = app.list.peek()
  if (list !== undefined) app.selected.value = new Set(list.known())
}
export function back(): void {
  if (app.selected.peek().size > 0) {
    app.selected.value = new Set()
    app.wholeFolder.value = false
  } else if (app.openEmail.peek() !== undefined) {
    app.open(undefined)
    requestAnimationFrame(() => focusList())
  } else if (app.place.peek().kind === 'search') app.goFolder('inbox')
}
export const focusList = (): void => document.querySelector<HTMLElement>('.list-rows [tabindex="0"]')?.focus()

const landmarks = ['.folders [tabindex="0"]', '#search', '.list-rows [tabindex="0"]', '.reader']
function nextPane(): void {
  const all = landmarks.flatMap((one) => {
    const found = document.querySelector<HTMLElement>(one)
    return found === null || found.offsetParent === null ? [] : [found]
  })
  const now = all.findIndex(
    (one) => one === document.activeElement || one.closest('section,nav,main')?.contains(document.activeElement),
  )
  all[(now + 1) % all.length]?.focus()
}

/** For the palette: folders as commands. */
export const folderCommands = (): readonly { readonly label: string; readonly run: () => void }[] =>
  [...app.store.mailboxes.peek().values()].map((one) => ({
    label: t('goTo', { name: folderName(one) }),
    run: () => app.goFolder(placeOf(one)),
  }))
