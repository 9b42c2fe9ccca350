/** Settings: UserInformation and RightsManagementInformation, which a device only reads. [MS-ASCMD] §2.2.3.189, §2.2.3.157. */
import { type Element, el, has } from '@postrider/wire/wbxml'
import type { Context } from '../context.ts'
import { SettingsStatus } from './settings-status.ts'

export function userInformation(context: Context, element: Element): Element {
  if (!has(element, 'Settings:Get')) {
    return el('Settings:UserInformation', el('Settings:Status', SettingsStatus.protocolError))
  }
  const { principal, deps } = context
  const entry = deps.directory.account(principal.account)
  const addresses = el(
    'Settings:EmailAddresses',
    [principal.address, ...(entry?.aliases ?? [])].map((address) => el('Settings:SMTPAddress', address)),
    el('Settings:PrimarySmtpAddress', principal.address),
  )
  // MS-ASCMD_R6672: up to 14.0 the addresses stand alone; from 14.1 on they belong to an account. The primary one has no AccountId (R729).
  const get = context.since('14.1')
    ? el(
        'Settings:Accounts',
        el('Settings:Account', el('Settings:UserDisplayName', principal.displayName || principal.address), addresses),
      )
    : addresses
  return el('Settings:UserInformation', el('Settings:Status', SettingsStatus.success), el('Settings:Get', get))
}

/** No rights management server: there are no templates. */
export function rightsManagement(_context: Context, element: Element): Element {
  if (!has(element, 'Settings:Get')) {
    return el('Settings:RightsManagementInformation', el('Settings:Status', SettingsStatus.protocolError))
  }
  return el(
    'Settings:RightsManagementInformation',
    el('Settings:Status', SettingsStatus.success),
    el('Settings:Get', el('RightsManagement:RightsManagementTemplates')),
  )
}
