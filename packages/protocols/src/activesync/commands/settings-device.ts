/** Settings: DeviceInformation and DevicePassword, which a device only writes. [MS-ASCMD] §2.2.3.45, §2.2.3.46. */
import { child, type Element, el, text } from '@postrider/wire/wbxml'
import type { Context } from '../context.ts'
import { saveDevice } from '../state/device.ts'
import { sealRecovery } from '../state/recovery.ts'
import { readDeviceInformation } from '../state/information.ts'
import { SettingsStatus } from './settings-status.ts'

/** Characters of a recovery password: [MS-ASCMD] §6.35. */
export const MAX_DEVICE_PASSWORD = 255

export async function deviceInformation(context: Context, element: Element): Promise<Element> {
  const answer = (status: number): Element => el('Settings:DeviceInformation', el('Settings:Status', status))
  const information = readDeviceInformation(element)
  if (information === undefined) return answer(SettingsStatus.protocolError)
  const { mailbox, device, deps } = context
  await saveDevice(mailbox, device, { information, lastSeen: deps.clock.now() })
  return answer(SettingsStatus.success)
}

export async function devicePassword(context: Context, element: Element): Promise<Element> {
  const answer = (status: number): Element => el('Settings:DevicePassword', el('Settings:Status', status))
  const password = text(child(element, 'Settings:Set'), 'Settings:Password')
  if (password === undefined) return answer(SettingsStatus.protocolError)
  const { mailbox, device, deps, principal } = context
  const policy = deps.settings.policy(deps.directory.account(principal.account)?.mobileDevicePolicy)
  // MS-ASCMD_R4402, R4400.
  if (policy.PasswordRecoveryEnabled !== true && policy.PasswordRecoveryEnabled !== 1) {
    return answer(SettingsStatus.deniedByPolicy)
  }
  if (password.length > MAX_DEVICE_PASSWORD) return answer(SettingsStatus.invalidArguments)
  const sealedPassword = password === '' ? undefined : sealRecovery(deps.secret, mailbox.mailbox, device.id, password)
  await saveDevice(mailbox, device, { sealedPassword, recoveryPassword: undefined })
  return answer(SettingsStatus.success)
}
