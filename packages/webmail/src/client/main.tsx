/** The start: what came with the page is read, the frame drawn, then the server followed. */
import { render } from 'preact'
import type { StartData } from '../start.ts'
import { App, setApp } from './app.ts'
import { takeKept } from './compose/kept.ts'
import { compose, composeMailto } from './compose/open.ts'
import { listenForKeys } from './keys.ts'
import { Shell } from './shell/shell.tsx'
import { trustedScript } from './mail/trusted.ts'
import { useSettings } from './store/settings.ts'
import { nameOf, t } from './text/text.ts'

async function start(): Promise<void> {
  const root = document.querySelector<HTMLElement>('#app')
  const data = JSON.parse(document.querySelector('#start')?.textContent ?? '{}') as StartData
  if (root === null) return
  await useSettings()
  const base = root.dataset.base ?? '/mail/'
  const app = new App(data, base)
  setApp(app)
  render(<Shell />, root)
  listenForKeys()
  if (data.responses === undefined) await app.sync.run()
  app.sync.start()
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
    if (mailto === null) compose({})
    else composeMailto(mailto)
  }
  for (const kept of takeKept()) compose(kept)
  if ('serviceWorker' in navigator)
    navigator.serviceWorker.register(trustedScript(`${base}sw.js`), { scope: base }).catch(() => {})
}

void start()
