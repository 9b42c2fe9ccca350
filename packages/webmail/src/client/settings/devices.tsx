/** The user's own mobile devices (R7, R64): what they are, wiping, blocking, the recovery password, taking them off the list. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { longDate, t, type TextKey } from '../text/text.ts'
import { ask } from '../ui/dialog.tsx'
import { post, read, wrongText } from './account-calls.ts'
import { Guarded } from './guarded.tsx'

type Status = 'ok' | 'wipePending' | 'wiped' | 'blocked' | 'quarantined'
interface Device {
  readonly id: string
  readonly name: string
  readonly status: Status
  readonly wiped: number | null
  readonly lastSeen: number
}
const statuses: Readonly<Record<Status, TextKey>> = {
  ok: 'deviceOk',
  wipePending: 'devicePending',
  wiped: 'deviceWiped',
  blocked: 'deviceBlocked',
  quarantined: 'deviceWaits',
}
const when = (ms: number | null): string => (ms === null || ms === 0 ? '–' : longDate(new Date(ms).toISOString()))

export function Devices(): JSX.Element {
  const [devices, setDevices] = useState<readonly Device[]>()
  const load = (): void => {
    read<{ readonly devices: readonly Device[] }>('/web/account/devices').then(
      (answer) => setDevices(answer.devices),
      (error: unknown) => app.tell(wrongText(error)),
    )
  }
  useEffect(load, [])
  if (devices === undefined) return <div class="coming" aria-busy="true" />
  if (devices.length === 0) return <p class="hint">{t('noDevices')}</p>
  return (
    <>
      {devices.map((one) => (
        <DevicePart key={one.id} device={one} load={load} />
      ))}
    </>
  )
}

function DevicePart({ device, load }: { readonly device: Device; readonly load: () => void }): JSX.Element {
  const { id, name, status } = device
  const [open, setOpen] = useState<'wipe' | 'recovery'>()
  const [recovery, setRecovery] = useState<string | null>()
  const order = (act: string, more: Readonly<Record<string, string>> = {}) =>
    post<{ readonly recovery?: string | null }>('/web/account/devices', { act, id, ...more })
  const run = (act: string): void => {
    order(act).then(load, (error: unknown) => app.tell(wrongText(error)))
  }
  const heading = `device-${id}`
  const button = (text: TextKey, act: () => void): JSX.Element => (
    <button type="button" class="button" onClick={act}>
      {t(text)}
    </button>
  )
  return (
    <section class="part wide" aria-labelledby={heading}>
      <h3 id={heading} dir="auto">
        {name}
      </h3>
      <p>
        <strong>{t(statuses[status], { time: when(device.wiped) })}</strong>{' '}
        <small class="hint">{t('deviceSeen', { time: when(device.lastSeen) })}</small>
      </p>
      {open === 'wipe' && (
        <Guarded
          label={t('wipe')}
          danger
          onCancel={() => setOpen(undefined)}
          act={async (password) => {
            await order('wipe', { password })
            setOpen(undefined)
            load()
          }}
        >
          <p>{t('wipeSure', { name })}</p>
        </Guarded>
      )}
      {open === 'recovery' && (
        <Guarded
          label={t('recoveryPassword')}
          onCancel={() => setOpen(undefined)}
          act={async (password) => {
            setRecovery((await order('recovery', { password })).recovery ?? null)
            setOpen(undefined)
          }}
        />
      )}
      {recovery !== undefined && (
        <div role="status">{recovery === null ? <p>{t('recoveryNone')}</p> : <pre class="codes">{recovery}</pre>}</div>
      )}
      {open === undefined && (
        <div class="form-acts">
          {status === 'ok' || status === 'blocked' || status === 'quarantined'
            ? button('wipe', () => setOpen('wipe'))
            : button('wipeCancel', () => run('cancel'))}
          {status === 'ok' && button('deviceBlock', () => run('block'))}
          {status === 'blocked' && button('deviceAllow', () => run('allow'))}
          {button('recoveryPassword', () => setOpen('recovery'))}
          {button('remove', () => {
            void ask(t('sureRemove', { name }), t('remove')).then((yes) => {
              if (yes) run('remove')
            })
          })}
        </div>
      )}
    </section>
  )
}
