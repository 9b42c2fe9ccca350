/**
 * Settings: [MS-ASCMD] §2.2.1.18. Each named property has a file of its own (settings-oof.ts, settings-user.ts, settings-device.ts); the answers
 * come in the order of the request (MS-ASCMD_R480).
 */
import { children, type Element, el, type Tag } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { deviceInformation, devicePassword } from './settings-device.ts'
import { oof } from './settings-oof.ts'
import { SettingsStatus } from './settings-status.ts'
import { rightsManagement, userInformation } from './settings-user.ts'

type Property = (context: Context, element: Element) => Promise<Element> | Element

const properties: Partial<Record<Tag, Property>> = {
  'Settings:Oof': oof,
  'Settings:DeviceInformation': deviceInformation,
  'Settings:DevicePassword': devicePassword,
  'Settings:UserInformation': userInformation,
  'Settings:RightsManagementInformation': rightsManagement,
}

export const settings = command({
  name: 'Settings',
  first: '12.1',
  // What a device says of itself comes before the policy; the gate lets nothing else of it pass.
  needsProvisioning: false,
  body: 'wbxml',
  root: 'Settings:Settings',
  statusTag: 'Settings:Status',
  async run(context, request) {
    const asked = children(request.document)
    const tags = new Set(asked.map(({ tag }) => tag))
    // MS-ASCMD_R483: a request that cannot be begun has one status and no properties.
    if (asked.length === 0 || tags.size !== asked.length || asked.some(({ tag }) => properties[tag] === undefined)) {
      return document(el('Settings:Settings', el('Settings:Status', SettingsStatus.protocolError)))
    }
    const answers: Element[] = []
    for (const element of asked) answers.push(await (properties[element.tag] as Property)(context, element))
    return document(el('Settings:Settings', el('Settings:Status', SettingsStatus.success), answers))
  },
})
