/**
 * Device partnerships: one record per DeviceId in the mailbox's state, so they move with the mailbox and are backed up with
 * it. Policy keys, wipe orders and what the device says of itself stand here ([MS-ASPROV] §3.2.1, [MS-ASCMD] §2.2.3.45).
 */
import type { MailboxHandle, Operation } from '@postrider/domain'

/** The client name under which all partnerships of a mailbox are kept; one key `device/<id>` each. */
export const devicesClient = 'activesync'

/** The client name of one device's sync states. */
export const stateClient = (deviceId: string): string => `activesync/${deviceId}`

/** settings:DeviceInformation as the device last sent it: [MS-ASCMD] §2.2.3.45. */
export interface DeviceInformation {
  readonly model?: string
  readonly imei?: string
  readonly friendlyName?: string
  readonly os?: string
  readonly osLanguage?: string
  readonly phoneNumber?: string
  readonly userAgent?: string
  readonly enableOutboundSms?: boolean
  readonly mobileOperator?: string
}

export interface DeviceRecord {
  readonly id: string
  readonly type: string
  readonly userAgent: string
  readonly version: string
  /** ms since 1970. */
  readonly firstSeen: number
  readonly lastSeen: number
  readonly information: DeviceInformation | undefined
  /** The key the device has to show: final after the second phase. 0: none given yet. */
  readonly policyKey: number
  /** The key of the first phase, good for the acknowledgement only. 0: none. */
  readonly temporaryPolicyKey: number
  /** The temporary key whose acknowledgement gave the final key: the same acknowledgement again gets the same key. */
  readonly acknowledgedKey: number
  /** Hash of the policy the final key stands for; another hash means 143. */
  readonly policyHash: string
  /** ms since 1970 when the final key was given. */
  readonly policyTime: number
  /** A wipe the administrator or user ordered. */
  readonly wipe: 'none' | 'device' | 'account'
  /** ms since 1970 when the device acknowledged the wipe; it stays blocked until the order is taken back. */
  readonly wiped: number | undefined
  /** Blocked or quarantined by an administrator; undefined is allowed. */
  readonly access: 'allowed' | 'blocked' | 'quarantined' | undefined
  /** The recovery password (settings:DevicePassword), when the policy asks for one. */
  readonly recoveryPassword: string | undefined
}

export function newDevice(id: string, type: string, userAgent: string, version: string, now: number): DeviceRecord {
  return {
    id,
    type,
    userAgent,
    version,
    firstSeen: now,
    lastSeen: now,
    information: undefined,
    policyKey: 0,
    temporaryPolicyKey: 0,
    acknowledgedKey: 0,
    policyHash: '',
    policyTime: 0,
    wipe: 'none',
    wiped: undefined,
    access: undefined,
    recoveryPassword: undefined,
  }
}

const key = (deviceId: string): string => `device/${deviceId}`

/** The partnership of a device; undefined when it has none. */
export async function loadDevice(mailbox: MailboxHandle, deviceId: string): Promise<DeviceRecord | undefined> {
  const wanted = key(deviceId)
  for (const entry of await mailbox.state(devicesClient, wanted)) if (entry.key === wanted) return parse(entry.value)
  return undefined
}

/** All partnerships of a mailbox. */
export async function listDevices(mailbox: MailboxHandle): Promise<DeviceRecord[]> {
  const devices: DeviceRecord[] = []
  for (const entry of await mailbox.state(devicesClient, 'device/')) {
    const device = parse(entry.value)
    if (device !== undefined) devices.push(device)
  }
  return devices
}

/** The operation that stores a record: put it in the same `apply` as what belongs to it. */
export const putDevice = (device: DeviceRecord): Operation => ({
  op: 'putState',
  client: devicesClient,
  key: key(device.id),
  value: Buffer.from(JSON.stringify(device)),
})

/** Stores a changed record. */
export async function saveDevice(
  mailbox: MailboxHandle,
  device: DeviceRecord,
  change: Partial<DeviceRecord>,
): Promise<DeviceRecord> {
  const saved = { ...device, ...change }
  await mailbox.apply([putDevice(saved)])
  return saved
}

/** Takes a partnership and all its sync states away. A pending wipe must be kept by the caller: see P19. */
export const removeDevice = (deviceId: string): Operation[] => [
  { op: 'deleteState', client: devicesClient, key: key(deviceId) },
  { op: 'deleteState', client: stateClient(deviceId) },
]

function parse(value: Uint8Array): DeviceRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(value).toString('utf8')) as DeviceRecord
    // Records of older releases lack newer fields: the defaults of a new device fill them.
    return { ...newDevice(record.id, record.type, record.userAgent, record.version, record.firstSeen), ...record }
  } catch {
    return undefined
  }
}
