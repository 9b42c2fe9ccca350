/** What opens the account beside the password: passkeys and passwords of programs, each a list of one's own, added to behind the password. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app } from '../app.ts'
import { longDate, t, type TextKey } from '../text/text.ts'
import { ask, askText } from '../ui/dialog.tsx'
import { IconButton } from '../ui/icon.tsx'
import { post, wrongText } from './account-calls.ts'
import { Guarded } from './guarded.tsx'
import { makePasskey } from './passkey.ts'
import { Secret } from './secret.tsx'

export interface Listed {
  readonly id: string
  readonly name: string
  readonly created: number
  readonly lastUsed?: number
}

const told = (error: unknown): void => app.tell(wrongText(error))

interface ListProps<T extends Listed> {
  readonly id: string
  readonly heading: string
  readonly hint: string
  /** Where its acts are posted. */
  readonly path: string
  readonly all: readonly T[]
  readonly load: () => void
  readonly line?: (one: T) => string
  readonly renames?: boolean
  readonly addLabel: string
  /** Of the button that adds, in the form. */
  readonly makeLabel: string
  readonly nameLabel: string
  /** Why none can be added. */
  readonly cannot?: string | undefined
  /** Makes one; false when its maker was not sure. */
  readonly add: (name: string, password: string) => Promise<boolean>
  /** Above the button: what was made. */
  readonly made?: ComponentChildren
  /** More fields of the form. */
  readonly children?: ComponentChildren
}

function OwnList<T extends Listed>(props: ListProps<T>): JSX.Element {
  const { path, load } = props
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const rename = async (one: Listed): Promise<void> => {
    const wanted = await askText(t('rename'), t('save'), { label: t('name'), value: one.name })
    if (wanted === undefined) return
    await post(path, { act: 'rename', id: one.id, name: wanted })
    load()
  }
  const remove = async (one: Listed): Promise<void> => {
    if (!(await ask(t('sureRemove', { name: one.name }), t('remove')))) return
    await post(path, { act: 'remove', id: one.id })
    load()
  }
  const used = ({ lastUsed }: Listed): string =>
    t('usedOn', { time: lastUsed === undefined ? t('never') : longDate(new Date(lastUsed).toISOString()) })
  return (
    <section class="part wide" aria-labelledby={props.id}>
      <h3 id={props.id}>{props.heading}</h3>
      <p class="hint">{props.hint}</p>
      <ul class="lines">
        {props.all.map((one) => (
          <li key={one.id}>
            <span class="line-text">
              <strong dir="auto">{one.name}</strong>
              <small>
                {props.line?.(one)}
                {used(one)}
              </small>
            </span>
            {props.renames === true && (
              <IconButton
                icon="edit"
                label={t('renameNamed', { name: one.name })}
                onClick={() => void rename(one).catch(told)}
              />
            )}
            <IconButton
              icon="trash"
              label={t('removeNamed', { name: one.name })}
              onClick={() => void remove(one).catch(told)}
            />
          </li>
        ))}
      </ul>
      {props.made}
      {props.cannot !== undefined ? (
        <p class="hint">{props.cannot}</p>
      ) : open ? (
        <Guarded
          label={props.makeLabel}
          onCancel={() => setOpen(false)}
          act={async (password) => {
            if (!(await props.add(name, password))) return
            setOpen(false)
            setName('')
            load()
          }}
        >
          <label class="field">
            <span>{props.nameLabel}</span>
            <input
              type="text"
              required
              maxLength={100}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          {props.children}
        </Guarded>
      ) : (
        <button type="button" class="button" onClick={() => setOpen(true)}>
          {props.addLabel}
        </button>
      )}
    </section>
  )
}

export function Passkeys({
  all,
  possible,
  load,
}: {
  readonly all: readonly Listed[]
  readonly possible: boolean
  readonly load: () => void
}): JSX.Element {
  const can = possible && typeof PublicKeyCredential === 'function'
  return (
    <OwnList
      id="passkeys"
      heading={t('passkeys')}
      hint={t('passkeysHint')}
      path="/web/account/passkeys"
      all={all}
      load={load}
      renames
      addLabel={t('addPasskey')}
      makeLabel={t('addPasskey')}
      nameLabel={t('passkeyName')}
      cannot={can ? undefined : t('passkeysNot')}
      add={async (name, password) => {
        if (!(await makePasskey(password, name))) return false
        app.tell(t('saved'))
        return true
      }}
    />
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

export function AppPasswords({
  all,
  protocols,
  load,
}: {
  readonly all: readonly (Listed & { readonly protocols: readonly string[] })[]
  readonly protocols: readonly string[]
  readonly load: () => void
}): JSX.Element {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(['imap', 'smtp']))
  const [made, setMade] = useState<string>()
  return (
    <OwnList
      id="app-passwords"
      heading={t('appPasswords')}
      hint={t('appPasswordsHint')}
      path="/web/account/app-passwords"
      all={all}
      load={load}
      line={(one) => `${one.protocols.map(protocolText).join(', ')}. `}
      addLabel={t('newAppPassword')}
      makeLabel={t('create')}
      nameLabel={t('appName')}
      made={made !== undefined && <Secret label={t('appPasswordIs')} text={made} />}
      add={async (name, password) => {
        const answer = await post<{ readonly password: string }>('/web/account/app-passwords', {
          act: 'add',
          name,
          protocols: [...chosen],
          password,
        })
        setMade(answer.password)
        return true
      }}
    >
      <fieldset class="options">
        <legend>{t('appOpens')}</legend>
        {protocols.map((one) => (
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
    </OwnList>
  )
}
