/** The settings, at once in effect, kept on the server. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { lazy, Suspense } from '../shell/lazy.tsx'
import type { Identity } from '../jmap/types.ts'
import { type Settings, set, settings, type SwipeAct } from '../store/settings.ts'
import { language, t, type TextKey } from '../text/text.ts'
import { Account } from './account.tsx'
import { Choice, KeyPreset } from './choice.tsx'
import { Notifications } from './notifications.tsx'

const Rules = lazy(() => import('./rules.tsx').then((one) => one.Rules))
const Sweeps = lazy(() => import('./sweeps.tsx').then((one) => one.Sweeps))
const Replies = lazy(() => import('./replies.tsx').then((one) => one.Replies))
const CategoryList = lazy(() => import('./lists.tsx').then((one) => one.CategoryList))
const Senders = lazy(() => import('./lists.tsx').then((one) => one.Senders))
const Templates = lazy(() => import('./templates.tsx').then((one) => one.Templates))
const Security = lazy(() => import('./security.tsx').then((one) => one.Security))
const Keys = lazy(() => import('./keys.tsx').then((one) => one.Keys))
const Devices = lazy(() => import('./devices.tsx').then((one) => one.Devices))

const pages = {
  appearance: 'appearance',
  general: 'general',
  signatures: 'signatures',
  rules: 'rules',
  categories: 'categories',
  senders: 'senders',
  templates: 'templates',
  autoReply: 'autoReply',
  notifications: 'notices',
  account: 'account',
  security: 'security',
  keys: 'keys',
  devices: 'devices',
} as const satisfies Record<string, TextKey>
type Page = keyof typeof pages

export function SettingsPage({ page }: { readonly page: string }): JSX.Element {
  const now: Page = page in pages ? (page as Page) : 'appearance'
  return (
    <div class="settings">
      <nav aria-label={t('settings')}>
        <h1>{t('settings')}</h1>
        {(Object.keys(pages) as Page[]).map((one) => (
          <a
            key={one}
            href={app.address({ kind: 'settings', page: one })}
            aria-current={one === now ? 'page' : undefined}
            // On a phone the names are one line that scrolls.
            ref={one === now ? (link) => link?.scrollIntoView({ block: 'nearest', inline: 'center' }) : undefined}
            onClick={(event) => {
              event.preventDefault()
              app.go({ kind: 'settings', page: one })
            }}
          >
            {t(pages[one])}
          </a>
        ))}
      </nav>
      <section class="settings-page" aria-label={t(pages[now])}>
        <h2>{t(pages[now])}</h2>
        <Part page={now} />
      </section>
    </div>
  )
}

function Part({ page }: { readonly page: Page }): JSX.Element {
  switch (page) {
    case 'appearance':
      return <Appearance />
    case 'general':
      return <General />
    case 'signatures':
      return <Signatures />
    case 'rules':
      return (
        <>
          <Suspense of={Rules} />
          <Suspense of={Sweeps} />
        </>
      )
    case 'categories':
      return <Suspense of={CategoryList} />
    case 'senders':
      return <Suspense of={Senders} />
    case 'templates':
      return <Suspense of={Templates} />
    case 'autoReply':
      return <Suspense of={Replies} />
    case 'notifications':
      return <Notifications />
    case 'account':
      return <Account />
    case 'security':
      return <Suspense of={Security} />
    case 'keys':
      return <Suspense of={Keys} />
    case 'devices':
      return <Suspense of={Devices} />
  }
}

function Appearance(): JSX.Element {
  const now: Settings = settings.value
  return (
    <>
      <Choice
        label={t('theme')}
        value={now.theme}
        options={[
          ['system', t('system')],
          ['light', t('light')],
          ['dark', t('dark')],
        ]}
        onChange={(theme) => set({ theme })}
      />
      <Choice
        label={t('contrast')}
        value={now.contrast}
        options={[
          ['normal', t('contrastNormal')],
          ['more', t('contrastMore')],
        ]}
        onChange={(contrast) => set({ contrast })}
      />
      <Choice
        label={t('density')}
        value={now.density}
        options={[
          ['compact', t('compact')],
          ['normal', t('normal')],
          ['roomy', t('roomy')],
        ]}
        onChange={(density) => set({ density })}
      />
      <Choice
        label={t('pane')}
        value={now.pane}
        options={[
          ['right', t('right')],
          ['bottom', t('bottom')],
          ['off', t('off')],
        ]}
        onChange={(pane) => set({ pane })}
      />
      <Choice
        label={t('language')}
        value={now.language || (language.value as 'en' | 'fr')}
        options={[
          ['en', 'English'],
          ['fr', 'Français'],
        ]}
        onChange={(chosen) => set({ language: chosen })}
      />
    </>
  )
}

function General(): JSX.Element {
  const now = settings.value
  const swipes: readonly (readonly [SwipeAct, string])[] = [
    ['archive', t('toArchive')],
    ['trash', t('toTrash')],
    ['read', t('markRead')],
    ['flag', t('flag')],
    ['move', t('moveTo')],
    ['snooze', t('snooze')],
    ['none', t('none')],
  ]
  return (
    <>
      <Choice
        label={t('conversations')}
        value={now.conversations}
        options={[
          [true, t('on')],
          [false, t('off')],
        ]}
        onChange={(conversations) => set({ conversations })}
      />
      <label class="field zone">
        <span>{t('zone')}</span>
        <select value={now.zone} onChange={(event) => set({ zone: event.currentTarget.value })}>
          <option value="">{t('zoneBrowser')}</option>
          {[...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])].map((one) => (
            <option key={one} value={one}>
              {one.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <Choice
        label={t('afterAct')}
        value={now.afterAct}
        options={[
          ['next', t('nextMail')],
          ['list', t('backToList')],
        ]}
        onChange={(afterAct) => set({ afterAct })}
      />
      <Choice
        label={t('undoSend')}
        value={now.undoSeconds}
        options={([0, 5, 10, 20, 30] as const).map((n) => [n, n === 0 ? t('off') : t('seconds', { n })] as const)}
        onChange={(undoSeconds) => set({ undoSeconds })}
      />
      <Choice
        label={t('pictures')}
        value={now.pictures}
        options={[
          ['ask', t('ask')],
          ['always', t('always')],
        ]}
        onChange={(pictures) => set({ pictures })}
      />
      {app.device.value !== undefined && (
        <>
          <Choice
            label={t('offlineDays')}
            value={now.offlineDays}
            options={([0, 7, 30, 90] as const).map(
              (n) => [n, n === 0 ? t('offlineNone') : t('offlineN', { n })] as const,
            )}
            onChange={(offlineDays) => set({ offlineDays })}
          />
          <p class="hint">{t('offlineDaysHint')}</p>
        </>
      )}
      <Choice
        label={t('focusedInbox')}
        value={now.focused}
        options={[
          [true, t('on')],
          [false, t('off')],
        ]}
        onChange={(focused) => set({ focused })}
      />
      <p class="hint">{t('focusedHint')}</p>
      <KeyPreset />
      <Choice
        label={t('swipeRight')}
        value={now.swipeRight}
        options={swipes}
        onChange={(swipeRight) => set({ swipeRight })}
      />
      <Choice
        label={t('swipeLeft')}
        value={now.swipeLeft}
        options={swipes}
        onChange={(swipeLeft) => set({ swipeLeft })}
      />
    </>
  )
}

function Signatures(): JSX.Element {
  const [identities, setIdentities] = useState<readonly Identity[]>(app.store.identities.peek())
  useEffect(() => {
    app.client.call('Identity/get', { ids: null }).then(
      ({ list }) => {
        app.store.identities.value = list
        setIdentities(list)
      },
      () => app.tell(t('failed')),
    )
  }, [])
  return (
    <>
      {identities.map((one) => (
        <SignatureForm key={one.id} identity={one} />
      ))}
    </>
  )
}

function SignatureForm({ identity }: { readonly identity: Identity }): JSX.Element {
  const [name, setName] = useState(identity.name)
  const [text, setText] = useState(identity.textSignature)
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault()
        app.client
          .call('Identity/set', { update: { [identity.id]: { name, textSignature: text, htmlSignature: '' } } })
          .then(
            ({ notUpdated }) => {
              const problem = notUpdated?.[identity.id]
              if (problem !== undefined) return app.tell(t('refused', { problem: problem.description ?? problem.type }))
              app.store.identities.value = app.store.identities
                .peek()
                .map((one) => (one.id === identity.id ? { ...one, name, textSignature: text, htmlSignature: '' } : one))
              app.tell(t('saved'))
            },
            () => app.tell(t('failed')),
          )
      }}
    >
      <h3>{identity.email}</h3>
      <label class="field">
        <span>{t('name')}</span>
        <input type="text" value={name} autocomplete="name" onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{t('signature')}</span>
        <textarea rows={5} value={text} dir="auto" onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button primary">
        {t('save')}
      </button>
    </form>
  )
}
