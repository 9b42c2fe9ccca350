/** The parameters of a device's last Ping, which later ones may leave out: [MS-ASCMD] §3.1.5.8, R5632, R5634. */
import type { MailboxHandle, Operation } from '@postrider/domain'
import { stateClient } from './device.ts'

export interface PingParameters {
  readonly heartbeatInterval: number
  readonly folders: readonly string[]
  /** The state of the folder list that the device has, or was told of with status 7. */
  readonly told?: string | undefined
}

const key = 'ping'

export async function loadPing(mailbox: MailboxHandle, deviceId: string): Promise<PingParameters | undefined> {
  const entries = await mailbox.state(stateClient(deviceId), key)
  const value = entries.find((entry) => entry.key === key)?.value
  if (value === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as PingParameters
  } catch {
    return undefined
  }
}

/** `existing`: only where there are some, as for a Ping that waited while the device was removed. */
export const putPing = (deviceId: string, parameters: PingParameters, existing = false): Operation => ({
  op: 'putState',
  client: stateClient(deviceId),
  key,
  value: Buffer.from(JSON.stringify(parameters)),
  ...(existing && { existing: true }),
})
