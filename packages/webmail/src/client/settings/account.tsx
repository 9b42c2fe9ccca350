/** My account: who one is, the twelve values for mail programs (R46–R49), where one is signed in. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { longDate, t } from '../text/text.ts'

interface Reach {
  readonly server: string
  readonly port: number
  readonly encryption: string
}
type Service = 'pop3' | 'imap' | 'submission'
type ClientSettings = Readonly<Record<Service, { readonly inside?: Reach; readonly outside?: Reach }>>
interface SignedIn {
  readonly id: string
  readonly created: number
  readonly lastAct: number
  readonly address: string
  readonly agent: string
  readonly current: boolean
}

async function read<T>(path: string): Promise<T> {
  return (await (await app.client.request(path)).json()) as T
}

export function Account(): JSX.Element {
  const [values, setValues] = useState<ClientSettings>()
  const [sessions, setSessions] = useState<readonly SignedIn[]>([])
  const load = (): void => {
    read<ClientSettings>('/web/settings').then(setValues, () => app.tell(t('failed')))
    read<{ readonly sessions: readonly SignedIn[] }>('/web/sessions').then(
      (answer) => setSessions(answer.sessions),
      () => app.tell(t('failed')),
    )
  }
  useEffect(load, [])
  const end = (which: { readonly id: string } | { readonly others: true }): void => {
    app.client
      .request('/web/sessions/end', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(which),
      })
      .then(load, () => app.tell(t('failed')))
  }
  return (
    <>
      <section class="part" aria-labelledby="my-account">
        <h3 id="my-account">{t('myAccount')}</h3>
        <p>{app.signedInAs}</p>
        <PageLink page="security" text={t('security')} />
        <PageLink page="devices" text={t('devices')} />
      </section>
      <section class="part" aria-labelledby="pop-imap">
        <h3 id="pop-imap">{t('clientSettings')}</h3>
        {values !== undefined && <Values values={values} />}
        <p class="hint">{t('keepCopy')}</p>
      </section>
      <section class="part" aria-labelledby="signed-in">
        <h3 id="signed-in">{t('sessions')}</h3>
        <ul class="sessions">
          {sessions.map((one) => (
            <li key={one.id}>
              <span>
                {programOf(one.agent)}
                <small>
                  {one.address}, {longDate(new Date(one.lastAct).toISOString())}
                </small>
              </span>
              {one.current ? (
                <small>{t('thisSession')}</small>
              ) : (
                <button type="button" class="button" onClick={() => end({ id: one.id })}>
                  {t('endSession')}
                </button>
              )}
            </li>
          ))}
        </ul>
        {sessions.length > 1 && (
          <button type="button" class="button" onClick={() => end({ others: true })}>
            {t('endOthers')}
          </button>
        )}
      </section>
    </>
  )
}

function PageLink({ page, text }: { readonly page: string; readonly text: string }): JSX.Element {
  return (
    <p>
      <a
        href={app.address({ kind: 'settings', page })}
        onClick={(event) => {
          event.preventDefault()
          app.go({ kind: 'settings', page })
        }}
      >
        {text}
      </a>
    </p>
  )
}

function Values({ values }: { readonly values: ClientSettings }): JSX.Element {
  const cell = (reach: Reach | undefined, none: string): JSX.Element =>
    reach === undefined ? (
      <td>{none}</td>
    ) : (
      <td>
        {t('serverName')}
        {t('colon')}
        <b>{reach.server}</b>
        <br />
        {t('port')}
        {t('colon')}
        <b>{String(reach.port)}</b>
        <br />
        {t('encryption')}
        {t('colon')}
        <b>{reach.encryption}</b>
      </td>
    )
  const rows: readonly [string, Service][] = [
    ['POP', 'pop3'],
    ['IMAP', 'imap'],
    ['SMTP', 'submission'],
  ]
  return (
    <div class="table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">{t('inside')}</th>
            <th scope="col">{t('outside')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, service]) => (
            <tr key={service}>
              <th scope="row">{name}</th>
              {cell(values[service].inside, t('notOffered'))}
              {cell(values[service].outside, t('notConfigured'))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Browser and system out of a User-Agent, for people. */
function programOf(agent: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1]
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1]
  return (
    [browser === 'Edg' ? 'Edge' : browser, system].filter((one) => one !== undefined).join(', ') || agent.slice(0, 60)
  )
}
