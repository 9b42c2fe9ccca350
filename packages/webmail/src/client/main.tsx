/** The start: what came with the page is read, the frame drawn, then the server followed. */
import { render } from 'preact'
import type { StartData } from '../start.ts'
import { App, setApp } from './app.ts'
import { takeKept } from './compose/kept.ts'
import { composeShared } from './compose/shared.ts'
import { compose, composeMailto } from './compose/open.ts'
import { listenForKeys } from './keys.ts'
import { usePanes } from './shell/panes.ts'
import { Shell } from './shell/shell.tsx'
import { trustedScript } from './mail/trusted.ts'
import { keptStart } from './offline/begin.ts'
import { forgetSignOut, signOutIsDue } from './offline/sign-out.ts'
import { Vault } from './offline/vault.ts'
import { followRecords } from './store/records.ts'
import { useSettings } from './store/settings.ts'
import { nameOf, t } from './text/text.ts'

async function start(): Promise<void> {
  const root = document.querySelector<HTMLElement>('#app')
  const came = JSON.parse(document.querySelector('#start')?.textContent ?? '{}') as StartData
  if (root === null) return
  const preferences = came.responses?.find((one) => one[0] === 'Preferences/get')?.[1].list as
    | readonly Readonly<Record<string, unknown>>[]
    | undefined
  await useSettings(preferences?.[0])
  const base = root.dataset.base ?? '/mail/'
  const data = came.offline === true ? await keptStart(Date.now()) : came
  if (data === undefined) return locked(root)
  if (came.offline !== true && signOutIsDue()) {
    await fetch(data.signOut, { method: 'POST', headers: data.headers })
    forgetSignOut()
    await Vault.wipe()
    return location.assign(data.signIn)
  }
  const app = new App(data, base)
  setApp(app)
  const device = keepHere(app)
  app.deviceReady = device.then(() => app.device.peek())
  if (came.offline === true) await device
  usePanes()
  render(<Shell />, root)
  listenForKeys()
  if (data.responses === undefined || app.sharedBy !== undefined) await app.sync.run()
  app.sync.start()
  // In a request of its own: without a network others of this turn are answered from the device.
  setTimeout(() => followRecords(app.client, app.store, preferences === undefined))
  if (app.store.identities.peek().length === 0)
    app.client.call('Identity/get', { ids: null }).then(
      ({ list }) => {
        app.store.identities.value = list
      },
      () => {},
    )
  const inbox = (): string | undefined => app.store.byRole.peek().get('inbox')?.id
  app.store.onArrived = (emails) => {
    const [first] = emails.filter((one) => one.mailboxIds[inbox() ?? ''] === true && one.keywords.$seen !== true)
    if (first !== undefined)
      app.said.value = t('newMailArrived', {
        name: first.from?.[0] === undefined ? '' : nameOf(first.from[0]),
        subject: first.subject ?? '',
      })
  }
  const { pathname, search } = location
  if (pathname === `${base}compose`) {
    const mailto = new URLSearchParams(search).get('mailto')
    history.replaceState(null, '', base)
    app.goFolder('inbox')
    if (new URLSearchParams(search).get('shared') === '1') void device.then(() => composeShared())
    else if (mailto === null) compose({})
    else composeMailto(mailto)
  }
  if (app.sharedBy === undefined) for (const kept of takeKept()) compose(kept)
  if ('serviceWorker' in navigator)
    navigator.serviceWorker.register(trustedScript(`${base}sw.js`), { scope: base }).catch(() => {})
}

/** Opens what this device keeps, unless it is not to keep anything. */
async function keepHere(app: App): Promise<void> {
  if (app.start.computer === 'public') return Vault.wipe()
  // Others' mail is not kept on this device.
  if (app.sharedBy !== undefined) return
  const { accountId } = app.client
  const vault = await Vault.open(accountId, app.start.offlineKey)
  if (vault === undefined) return
  const { Device } = await import('./offline/device.ts')
  const device = new Device(vault, app)
  app.device.value = device
  device.start()
}

/** Without a network and without a session there is nothing to show: what is kept opens after the next sign-in. */
function locked(root: HTMLElement): void {
  const section = document.createElement('main')
  section.className = 'locked'
  const head = document.createElement('h1')
  head.textContent = t('lockedTitle')
  const text = document.createElement('p')
  text.textContent = t('lockedText')
  const again = document.createElement('button')
  again.className = 'button primary'
  again.textContent = t('tryAgain')
  again.onclick = () => location.reload()
  section.append(head, text, again)
  root.append(section)
  addEventListener('online', () => location.reload())
}

void start()
