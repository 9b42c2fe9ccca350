/** The frame around everything: rail, top bar, panes, bottom bar on a phone, and what floats above. */
import { lazy, Suspense } from './lazy.tsx'
import type { JSX } from 'preact'
import { app } from '../app.ts'
import { commands } from '../commands.ts'
import { ComposeHost } from '../compose/host.tsx'
import { List } from '../list/list.tsx'
import { Reader } from '../mail/reader.tsx'
import { settings } from '../store/settings.ts'
import { t } from '../text/text.ts'
import { Questions, Sheet } from '../ui/dialog.tsx'
import { Icon, IconButton, type IconName } from '../ui/icon.tsx'
import { Menu } from '../ui/menu.tsx'
import { openMenu } from '../ui/menu.tsx'
import { Divider } from './divider.tsx'
import { Folders } from './folders.tsx'
import { SearchField } from './search-field.tsx'
import { FolderPicker } from './folder-picker.tsx'

const Sharing = lazy(() => import('./sharing.tsx').then((one) => one.Sharing))
const People = lazy(() => import('./people.tsx').then((one) => one.People))
const Palette = lazy(() => import('./palette.tsx').then((one) => one.Palette))
const Shortcuts = lazy(() => import('./shortcuts.tsx').then((one) => one.Shortcuts))
const SettingsPage = lazy(() => import('../settings/settings-page.tsx').then((one) => one.SettingsPage))

const Categorise = lazy(() => import('../mail/categorise.tsx').then((one) => one.Categorise))
const Held = lazy(() => import('../mail/held.tsx').then((one) => one.Held))
const OutboxList = lazy(() => import('../offline/outbox-list.tsx').then((one) => one.OutboxList))
const Sweep = lazy(() => import('../mail/sweep.tsx').then((one) => one.Sweep))

const run = (id: string): void => commands.find((one) => one.id === id)?.run()

export function Shell(): JSX.Element {
  const place = app.place.value
  const shown = app.shown.value
  const { pane } = settings.value
  const reading = app.openEmail.value !== undefined
  const close = (): void => {
    app.shown.value = undefined
  }
  return (
    <>
      <a
        class="skip"
        href="#list"
        onClick={(event) => {
          event.preventDefault()
          document.querySelector<HTMLElement>('.list-rows [tabindex="0"]')?.focus()
        }}
      >
        {t('skipToList')}
      </a>
      <div class={`shell pane-${pane} ${reading ? 'reading' : ''} in-${place.kind}`}>
        <Rail />
        <header class="top">
          <SearchField />
          <Account />
        </header>
        {place.kind === 'settings' ? (
          <main class="main-settings">
            <Suspense of={SettingsPage} page={place.page} />
          </main>
        ) : (
          <>
            <nav class="folders" aria-label={t('folders')}>
              <NewButton />
              <Folders />
            </nav>
            <Divider pane="folders" />
            <main class="panes" id="list">
              <List />
              {pane !== 'off' && <Divider pane={pane === 'bottom' ? 'rows' : 'list'} />}
              <Reader />
            </main>
          </>
        )}
        <BottomBar />
        <Bars />
      </div>
      {shown === 'drawer' && (
        <Sheet label={t('folders')} class="drawer" onClose={close}>
          <nav aria-label={t('folders')}>
            <Folders />
          </nav>
        </Sheet>
      )}
      {shown === 'move' && <FolderPicker />}
      {shown === 'categorise' && <Suspense of={Categorise} />}
      {shown === 'held' && <Suspense of={Held} />}
      {shown === 'outbox' && <Suspense of={OutboxList} />}
      {shown === 'share' && <Suspense of={Sharing} />}
      {shown === 'sweep' && <Suspense of={Sweep} />}
      {shown === 'people' && <Suspense of={People} onClose={close} />}
      {shown === 'palette' && <Suspense of={Palette} />}
      {shown === 'shortcuts' && <Suspense of={Shortcuts} />}
      <ComposeHost />
      <Menu />
      <Questions />
      <Toasts />
    </>
  )
}

const NewButton = (): JSX.Element => (
  <button type="button" class="button primary new-button" onClick={() => run('compose')}>
    <Icon name="edit" />
    <span>{t('newMail')}</span>
  </button>
)

function Rail(): JSX.Element {
  const place = app.place.value
  const items: readonly [IconName, string, boolean, () => void][] = [
    ['mail', t('mail'), place.kind !== 'settings', () => app.goFolder('inbox')],
    ['people', t('people'), false, () => run('people')],
    ['settings', t('settings'), place.kind === 'settings', () => run('settings')],
  ]
  return (
    <nav class="rail" aria-label="Postrider">
      {items.map(([icon, label, current, go]) => (
        <button
          key={icon}
          type="button"
          class="rail-item"
          aria-current={current ? 'page' : undefined}
          aria-label={label}
          title={label}
          onClick={go}
        >
          <Icon name={icon} />
        </button>
      ))}
      <span class="grow" />
      <button
        type="button"
        class="rail-item"
        aria-label={t('shortcuts')}
        title={`${t('shortcuts')} (?)`}
        onClick={() => run('shortcuts')}
      >
        <Icon name="keyboard" />
      </button>
    </nav>
  )
}

function Account(): JSX.Element {
  return (
    <div class="top-end">
      <button type="button" class="palette-button" onClick={() => run('palette')} title={`${t('palette')} (Ctrl+K)`}>
        <span>{t('palette')}</span> <kbd>Ctrl K</kbd>
      </button>
      <IconButton
        icon="person"
        class="account-button"
        label={`${t('account')}${t('colon')}${app.signedInAs}`}
        expanded={false}
        onClick={(event) =>
          openMenu(
            app.signedInAs,
            [
              { label: t('people'), icon: 'people', run: () => run('people') },
              { label: t('settings'), icon: 'settings', run: () => run('settings') },
              { label: t('autoReply'), icon: 'clock', run: () => app.go({ kind: 'settings', page: 'autoReply' }) },
              { label: t('shortcuts'), icon: 'keyboard', keyHint: '?', run: () => run('shortcuts') },
              { label: t('signOut'), icon: 'signOut', apart: true, run: () => void app.signOut() },
            ],
            event,
          )
        }
      />
    </div>
  )
}

function BottomBar(): JSX.Element {
  const place = app.place.value
  const items: readonly [IconName, string, boolean, () => void][] = [
    ['mail', t('mail'), place.kind === 'folder', () => app.goFolder('inbox')],
    ['search', t('search'), place.kind === 'search', () => run('search')],
    ['edit', t('newShort'), false, () => run('compose')],
    [
      'folder',
      t('folders'),
      app.shown.value === 'drawer',
      () => {
        app.shown.value = 'drawer'
      },
    ],
    ['settings', t('settings'), place.kind === 'settings', () => run('settings')],
  ]
  return (
    <nav class="bottom-bar" aria-label={t('menu')}>
      {items.map(([icon, label, current, go]) => (
        <button key={icon} type="button" aria-current={current ? 'page' : undefined} onClick={go}>
          <Icon name={icon} />
          <span>{label}</span>
        </button>
      ))}
    </nav>
  )
}

function Bars(): JSX.Element | null {
  const ends = app.endsIn.value
  const waiting = app.acts.waiting.value
  if (ends !== undefined)
    return (
      <div class="bar warn" role="alert">
        {t('sessionEnds', { n: ends })}
        <button type="button" class="button" onClick={() => app.stay()}>
          {t('staySignedIn')}
        </button>
      </div>
    )
  const outbox = app.device.value?.outbox.count.value ?? 0
  if (outbox > 0)
    return (
      <div class="bar" role="status">
        {t('outboxWaiting', { n: outbox })}
        <button
          type="button"
          class="button"
          onClick={() => {
            app.shown.value = 'outbox'
          }}
        >
          {t('open')}
        </button>
      </div>
    )
  if (app.reached.value) return null
  return (
    <div class="bar" role="status">
      {waiting > 0 ? t('offlineWaiting', { n: waiting }) : t('offlineBar')}
    </div>
  )
}

function Toasts(): JSX.Element {
  const toast = app.toast.value
  return (
    <>
      <div class="visually-hidden" aria-live="polite">
        {app.said.value}
      </div>
      {toast !== undefined && (
        <div class="toast">
          <span>{toast.text}</span>
          {toast.act !== undefined && (
            <button type="button" class="toast-act" onClick={toast.act.run}>
              {toast.act.label}
            </button>
          )}
          <IconButton icon="close" label={t('close')} onClick={() => app.hush()} />
        </div>
      )}
    </>
  )
}
