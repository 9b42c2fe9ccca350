/** Signing in: the password, the second step with an authenticator app, passkeys, passwords of programs. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { read, wrongText } from './account-calls.ts'
import { ChangePassword } from './change-password.tsx'
import { AppPasswords, type Listed, Passkeys } from './own-list.tsx'
import { SecondStep } from './second-step.tsx'

interface Overview {
  readonly password: { readonly length: number } | null
  readonly secondStep: 'off' | 'pending' | 'on'
  readonly recoveryLeft?: number
  readonly key?: string
  readonly qr?: string
  readonly appPasswords: readonly (Listed & { readonly protocols: readonly string[] })[]
  readonly appProtocols: readonly string[]
  readonly passkeys: readonly Listed[]
  readonly passkeysPossible: boolean
}

export function Security(): JSX.Element {
  const [now, setNow] = useState<Overview>()
  const load = (): void => {
    read<Overview>('/web/account').then(setNow, (error: unknown) => app.tell(wrongText(error)))
  }
  useEffect(load, [])
  if (now === undefined) return <div class="coming" aria-busy="true" />
  return (
    <>
      {now.password !== null && <ChangePassword rules={now.password} />}
      <SecondStep now={now} load={load} />
      <Passkeys all={now.passkeys} possible={now.passkeysPossible} load={load} />
      <AppPasswords all={now.appPasswords} protocols={now.appProtocols} load={load} />
    </>
  )
}
