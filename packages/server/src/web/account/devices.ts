import type { IncomingMessage } from 'node:http'
import { createDoor, type Principal } from '@postrider/domain'
import { type DeviceRecord, listDevices, recoveryOf, removeDevice } from '@postrider/protocols/activesync'
import { audit, type WebContext } from '../context.ts'

/** The user's own mobile devices: R7, R64. They lie in his own mailbox, so no other's can be reached; each act is in the log. */

export const deviceActs = ['wipe', 'cancel', 'block', 'allow', 'recovery', 'remove'] as const
type DeviceAct = (typeof deviceActs)[number]
/** These ask for the password again. */
export const guardedActs: ReadonlySet<string> = new Set(['wipe', 'recovery'] satisfies DeviceAct[])

const handleOf = ({ service, directory }: WebContext, principal: Principal) =>
  createDoor(service, directory).open(principal, principal.mailbox)

export const ownDevices = async (context: WebContext, principal: Principal): Promise<readonly DeviceRecord[]> =>
  listDevices(await handleOf(context, principal))

/** How people tell their devices apart. */
export const deviceName = ({ information, type, id }: DeviceRecord): string =>
  [information?.friendlyName ?? information?.model ?? type, information?.os]
    .filter((one) => one !== undefined && one !== '')
    .join(', ') || id

export type DeviceStatus = 'ok' | 'wipePending' | 'wiped' | 'blocked' | 'quarantined'
export function deviceStatus({ wipe, wiped, access }: DeviceRecord): DeviceStatus {
  if (wiped !== undefined) return 'wiped'
  if (wipe !== 'none') return 'wipePending'
  return access === 'blocked' || access === 'quarantined' ? access : 'ok'
}

/** Does it; answers the device as it was, undefined when the user has no such device or may not do this. */
export async function orderOwnDevice(
  context: WebContext,
  request: IncomingMessage,
  principal: Principal,
  id: string,
  act: string,
): Promise<DeviceRecord | undefined> {
  const handle = await handleOf(context, principal)
  const device = (await listDevices(handle)).find((one) => one.id === id)
  if (device === undefined || !(deviceActs as readonly string[]).includes(act)) return undefined
  const { access, wipe, wiped } = device
  // Out of quarantine lets only the administrator.
  if (act === 'allow' && access !== 'blocked') return undefined
  audit(context, request, principal, `device-${act} ${device.id}`)
  if (act === 'wipe') await context.orderDevice(handle, device, { wipe: 'device', wiped: undefined, access })
  if (act === 'cancel') await context.orderDevice(handle, device, { wipe: 'none', wiped: undefined, access })
  if (act === 'block') await context.orderDevice(handle, device, { wipe, wiped, access: 'blocked' })
  if (act === 'allow') await context.orderDevice(handle, device, { wipe, wiped, access: 'allowed' })
  if (act === 'remove') await handle.apply(removeDevice(device.id))
  return device
}

/** The recovery password as its owner may read it; undefined when the device stored none. */
export const recoveryPassword = (
  { directory }: WebContext,
  principal: Principal,
  device: DeviceRecord,
): string | undefined => recoveryOf(directory.secret, principal.mailbox, device)
