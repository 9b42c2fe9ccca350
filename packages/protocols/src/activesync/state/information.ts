/** settings:DeviceInformation, read: [MS-ASCMD] §2.2.3.45. Used by Provision (14.1 and newer) and Settings. */
import { child, type Element, flag, type Tag, text } from '@postrider/wire/wbxml'
import type { DeviceInformation } from './device.ts'

/** Characters kept of each value: [MS-ASCMD] says 1,024 for most. */
const maxLength = 1024

/**
 * Reads the Set element of a DeviceInformation.
 * @returns undefined when Set is missing, which is a protocol error.
 */
export function readDeviceInformation(element: Element | undefined): DeviceInformation | undefined {
  const set = child(element, 'Settings:Set')
  if (set === undefined) return undefined
  const value = (tag: Tag): string | undefined => text(set, tag)?.slice(0, maxLength)
  const sms = flag(set, 'Settings:EnableOutboundSMS')
  return {
    ...some('model', value('Settings:Model')),
    ...some('imei', value('Settings:IMEI')),
    ...some('friendlyName', value('Settings:FriendlyName')),
    ...some('os', value('Settings:OS')),
    ...some('osLanguage', value('Settings:OSLanguage')),
    ...some('phoneNumber', value('Settings:PhoneNumber')),
    ...some('userAgent', value('Settings:UserAgent')),
    ...some('mobileOperator', value('Settings:MobileOperator')),
    ...(sms === undefined ? {} : { enableOutboundSms: sms }),
  }
}

const some = (name: keyof DeviceInformation, value: string | undefined): Partial<DeviceInformation> =>
  value === undefined ? {} : { [name]: value }
