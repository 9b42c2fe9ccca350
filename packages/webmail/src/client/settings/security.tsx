/** Signing in: second step with an authenticator app, passkeys, passwords of programs. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { longDate, t, type TextKey } from '../text/text.ts'
import { ask, askText } from '../ui/dialog.tsx'
import { IconButton } from '../ui/icon.tsx'
import { post, read, wrongText } from './account-calls.ts'
import { Guarded } from './guarded.tsx'
import { makePasskey } from './passkey.ts'

interface Key {
  readonly key: string
  readonly uri: string
  readonly qr: string
}
interface Listed {
  readonly id: string
  readonly name: string
  readonly created: number
  readonly lastUsed?: number
}
interface Overview extends Partial<Key> {
  readonly secondStep: 'off' | 'pending' | 'on'
  readonly appPasswords: readonly (Listed & { readonly protocols: readonly string[] })[]
  readonly appProtocols: readonly string[]
  readonly passkeys: readonly Listed[]
  readonly passkeysPossible: boolean
}
type Part = { readonly now: Overview; readonly load: () => void }

const when = (ms: number): string => longDate(new Date(ms).toISOString())
const told = (error: unknown): void => app.tell(wrongText(error))

export function Security(): JSX.Element {
  const [now, setNow] = useState<Overview>()
  const load = (): void => {
    read<Overview>('/web/account').then(setNow, told)
  }
  useEffect(load, [])
  if (now === undefined) return <div class="coming" aria-busy="true" />
  return (
    <>
      <SecondStep now={now} load={load} />
      <Passkeys now={now} load={load} />
      <AppPasswords now={now} load={load} />
    </>
  )
}

function SecondStep({ now, load }: Part): JSX.Element {
  const [open, setOpen] = useState(false)
  const [code, setCode] = useState('')
  const [codes, setCodes] = useState<readonly string[]>()
  const [problem, setProblem] = useState('')
  const confirm = async (): Promise<void> => {
    try {
      const answer = await post<{ readonly codes: readonly string[] }>('/web/account/second-step', {
        act: 'confirm',
        code,
      })
      setCodes(answer.codes)
      setCode('')
      setProblem('')
      load()
    } catch (error) {
      setProblem(wrongText(error))
    }
  }
  const change = async (act: 'begin' | 'off', password: string): Promise<void> => {
    await post('/web/account/second-step', { act, password })
    setOpen(false)
    setCodes(undefined)
    load()
  }
  return (
    <section class="part wide" aria-labelledby="second-step">
      <h3 id="second-step">{t('secondStep')}</h3>
      <p>{t(now.secondStep === 'on' ? 'totpOn' : 'totpOff')}</p>
      {codes !== undefined && (
        <div role="status">
          <p>{t('recoveryCodes')}</p>
          <pre class="codes">{codes.join('\n')}</pre>
          <button type="button" class="button" onClick={() => void navigator.clipboard.writeText(codes.join('\n'))}>
            {t('copy')}
          </button>
        </div>
      )}
      {now.secondStep === 'pending' && now.key !== undefined && (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault()
            void confirm()
          }}
        >
          <p>{t('totpScan')}</p>
          <img
            class="qr"
            src={`data:image/svg+xml,${encodeURIComponent(now.qr ?? '')}`}
            width={200}
            height={200}
            alt={t('qrCode')}
          />
          <code class="codes">{now.key}</code>
          <label class="field">
            <span>{t('code')}</span>
            <input
              type="text"
              inputMode="numeric"
              autocomplete="one-time-code"
              maxLength={10}
              required
              value={code}
              aria-invalid={problem !== '' ? 'true' : undefined}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          </label>
          {problem !== '' && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
          <button type="submit" class="button primary">
            {t('turnOn')}
          </button>
        </form>
      )}
      {now.secondStep !== 'pending' &&
        (open ? (
          <Guarded
            label={t(now.secondStep === 'on' ? 'turnOff' : 'setUp')}
            danger={now.secondStep === 'on'}
            act={(password) => change(now.secondStep === 'on' ? 'off' : 'begin', password)}
            onCancel={() => setOpen(false)}
          />
        ) : (
          <button type="button" class="button" onClick={() => setOpen(true)}>
            {t(now.secondStep === 'on' ? 'turnOff' : 'setUp')}
          </button>
        ))}
    </section>
  )
}

function Passkeys({ now, load }: Part): JSX.Element {
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const possible = now.passkeysPossible && typeof PublicKeyCredential === 'function'
  const rename = async (one: Listed): Promise<void> => {
    const wanted = await askText(t('rename'), t('save'), { label: t('name'), value: one.name })
    if (wanted === undefined) return
    await post('/web/account/passkeys', { act: 'rename', id: one.id, name: wanted })
    load()
  }
  const remove = async (one: Listed): Promise<void> => {
    if (!(await ask(t('sureRemove', { name: one.name }), t('remove')))) return
    await post('/web/account/passkeys', { act: 'remove', id: one.id })
    load()
  }
  return (
    <section class="part wide" aria-labelledby="passkeys">
      <h3 id="passkeys">{t('passkeys')}</h3>
      <p class="hint">{t('passkeysHint')}</p>
      <ul class="lines">
        {now.passkeys.map((one) => (
          <li key={one.id}>
            <span class="line-text">
              <strong dir="auto">{one.name}</strong>
              <small>{t('usedOn', { time: one.lastUsed === undefined ? t('never') : when(one.lastUsed) })}</small>
            </span>
            <IconButton
              icon="edit"
              label={t('renameNamed', { name: one.name })}
              onClick={() => void rename(one).catch(told)}
            />
            <IconButton
              icon="trash"
              label={t('removeNamed', { name: one.name })}
              onClick={() => void remove(one).catch(told)}
            />
          </li>
        ))}
      </ul>
      {!possible && <p class="hint">{t('passkeysNot')}</p>}
      {possible &&
        (open ? (
          <Guarded
            label={t('addPasskey')}
            onCancel={() => setOpen(false)}
            act={async (password) => {
              if (!(await makePasskey(password, name))) return
              setOpen(false)
              setName('')
              app.tell(t('saved'))
              load()
            }}
          >
            <label class="field">
              <span>{t('passkeyName')}</span>
              <input
                type="text"
                required
                maxLength={100}
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </label>
          </Guarded>
        ) : (
          <button type="button" class="button" onClick={() => setOpen(true)}>
            {t('addPasskey')}
          </button>
        ))}
    </section>
  )
}

const protocolNames: Readonly<Record<string, TextKey>> = {
  activesync: 'appActivesync',
  imap: 'appImap',
  pop3: 'appPop3',
  smtp: 'appSmtp',
  jmap: 'appJmap',
  ews: 'appEws',
  mapi: 'appMapi',
  dav: 'appDav',
}
const protocolText = (name: string): string => {
  const key = protocolNames[name]
  return key === undefined ? name : t(key)
}

function AppPasswords({ now, load }: Part): JSX.Element {
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(['imap', 'smtp']))
  const [made, setMade] = useState<string>()
  const remove = async (one: Listed): Promise<void> => {
    if (!(await ask(t('sureRemove', { name: one.name }), t('remove')))) return
    await post('/web/account/app-passwords', { act: 'remove', id: one.id })
    load()
  }
  return (
    <section class="part wide" aria-labelledby="app-passwords">
      <h3 id="app-passwords">{t('appPasswords')}</h3>
      <p class="hint">{t('appPasswordsHint')}</p>
      <ul class="lines">
        {now.appPasswords.map((one) => (
          <li key={one.id}>
            <span class="line-text">
              <strong dir="auto">{one.name}</strong>
              <small>
                {one.protocols.map(protocolText).join(', ')}.{' '}
                {t('usedOn', { time: one.lastUsed === undefined ? t('never') : when(one.lastUsed) })}
              </small>
            </span>
            <IconButton
              icon="trash"
              label={t('removeNamed', { name: one.name })}
              onClick={() => void remove(one).catch(told)}
            />
          </li>
        ))}
      </ul>
      {made !== undefined && (
        <div role="status">
          <p>{t('appPasswordIs')}</p>
          <pre class="codes">{made}</pre>
          <button type="button" class="button" onClick={() => void navigator.clipboard.writeText(made)}>
            {t('copy')}
          </button>
        </div>
      )}
      {open ? (
        <Guarded
          label={t('create')}
          onCancel={() => setOpen(false)}
          act={async (password) => {
            const answer = await post<{ readonly password: string }>('/web/account/app-passwords', {
              act: 'add',
              name,
              protocols: [...chosen],
              password,
            })
            setMade(answer.password)
            setOpen(false)
            setName('')
            load()
          }}
        >
          <label class="field">
            <span>{t('appName')}</span>
            <input
              type="text"
              required
              maxLength={100}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <fieldset class="options">
            <legend>{t('appOpens')}</legend>
            {now.appProtocols.map((one) => (
              <label key={one}>
                <input
                  type="checkbox"
                  checked={chosen.has(one)}
                  onChange={(event) => {
                    const next = new Set(chosen)
                    if (event.currentTarget.checked) next.add(one)
                    else next.delete(one)
                    setChosen(next)
                  }}
                />{' '}
                {protocolText(one)}
              </label>
            ))}
          </fieldset>
        </Guarded>
      ) : (
        <button type="button" class="button" onClick={() => setOpen(true)}>
          {t('newAppPassword')}
        </button>
      )}
    </section>
  )
}
