/**
 * Device partnerships, in the mailbox's state, so they move with the mailbox and are backed up with it. Two entries each:
 * `device/<id>` is written when the device speaks (policy keys, what it says of itself: [MS-ASPROV] §3.2.1, [MS-ASCMD]
 * §2.2.3.45), `order/<id>` when an administrator does (wipe, block). So a request on its way never writes over an order that
 * was given meanwhile, and an order stays when the partnership is removed (P19).
 */
import type { MailboxHandle, Operation, StateEntry } from '@postrider/domain'

/** The client name under which all partnerships of a mailbox are kept. */
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

/** What the device's own requests write. */
interface DeviceState {
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
  /** The recovery password (settings:DevicePassword), when the policy asks for one: sealed, see recovery.ts. */
  readonly sealedPassword: string | undefined
  /** The same as releases before kept it: in the clear. Read, never written. */
  readonly recoveryPassword: string | undefined
}

/** What an administrator, or the user for a wipe, orders. */
export interface DeviceOrder {
  /** A wipe the administrator or user ordered. */
  readonly wipe: 'none' | 'device' | 'account'
  /** ms since 1970 when the device acknowledged the wipe; it stays blocked until the order is taken back. */
  readonly wiped: number | undefined
  /** Blocked or quarantined by an administrator; undefined is allowed. */
  readonly access: 'allowed' | 'blocked' | 'quarantined' | undefined
}

export interface DeviceRecord extends DeviceState, DeviceOrder {}

const noOrder: DeviceOrder = { wipe: 'none', wiped: undefined, access: undefined }

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
    sealedPassword: undefined,
    recoveryPassword: undefined,
    ...noOrder,
  }
}

const stateKey = (deviceId: string): string => `device/${deviceId}`
const orderKey = (deviceId: string): string => `order/${deviceId}`

/** The partnership of a device with its orders; undefined when it has neither. */
export async function loadDevice(mailbox: MailboxHandle, deviceId: string): Promise<DeviceRecord | undefined> {
  const [states, orders] = await Promise.all([
    mailbox.state(devicesClient, stateKey(deviceId)),
    mailbox.state(devicesClient, orderKey(deviceId)),
  ])
  return merge(deviceId, entryOf(states, stateKey(deviceId)), entryOf(orders, orderKey(deviceId)))
}

/** All partnerships of a mailbox. Orders for devices that have none are not listed. */
export async function listDevices(mailbox: MailboxHandle): Promise<DeviceRecord[]> {
  const [states, orders] = await Promise.all([
    mailbox.state(devicesClient, stateKey('')),
    mailbox.state(devicesClient, orderKey('')),
  ])
  const devices: DeviceRecord[] = []
  for (const { key, value } of states) {
    const id = key.slice(stateKey('').length)
    const device = merge(id, value, entryOf(orders, orderKey(id)))
    if (device !== undefined) devices.push(device)
  }
  return devices
}

const entryOf = (entries: readonly StateEntry[], key: string): Uint8Array | undefined =>
  entries.find((entry) => entry.key === key)?.value

/**
 * The operation that stores what the device's requests write: put it in the same `apply` as what belongs to it. Where the record as it was when
 * the request began has keys, it was stored: one that was removed while the request was on its way stays removed.
 */
export function putDevice(device: DeviceRecord, before = device): Extract<Operation, { op: 'putState' }> {
  const { wipe: _, wiped: __, access: ___, ...state } = device
  const value = Buffer.from(JSON.stringify(state))
  const known = before.policyKey !== 0 || before.temporaryPolicyKey !== 0
  return { op: 'putState', client: devicesClient, key: stateKey(device.id), value, ...(known && { existing: true }) }
}

/** The operation that stores an order. */
export const putOrder = (deviceId: string, order: DeviceOrder): Operation => ({
  op: 'putState',
  client: devicesClient,
  key: orderKey(deviceId),
  value: Buffer.from(JSON.stringify(order)),
})

/** Notes when and how a device was seen last. One that was removed while its request was on the way stays removed. */
export async function noteSeen(
  mailbox: MailboxHandle,
  device: DeviceRecord,
  seen: Pick<DeviceRecord, 'lastSeen' | 'version' | 'userAgent'>,
): Promise<DeviceRecord> {
  const saved = { ...device, ...seen }
  await mailbox.apply([{ ...putDevice(saved), existing: true }])
  return saved
}

/** Stores what changed in a record: of its two entries only those that are concerned are written. */
export async function saveDevice(
  mailbox: MailboxHandle,
  device: DeviceRecord,
  change: Partial<DeviceRecord>,
): Promise<DeviceRecord> {
  const saved = { ...device, ...change }
  const names = Object.keys(change)
  const operations: Operation[] = []
  if (names.some((name) => name in noOrder)) {
    const { wipe, wiped, access } = saved
    operations.push(putOrder(device.id, { wipe, wiped, access }))
  }
  if (names.some((name) => !(name in noOrder))) operations.push(putDevice(saved, device))
  if (operations.length > 0) await mailbox.apply(operations)
  return saved
}

/** Takes a partnership and all its sync states away. Its orders stay: a wipe must reach the device when it comes back. */
export const removeDevice = (deviceId: string): Operation[] => [
  { op: 'deleteState', client: devicesClient, key: stateKey(deviceId) },
  { op: 'deleteState', client: stateClient(deviceId), prefix: '' },
]

function merge(id: string, state: Uint8Array | undefined, order: Uint8Array | undefined): DeviceRecord | undefined {
  const stored = parse<DeviceState>(state)
  const ordered = parse<DeviceOrder>(order)
  if (stored === undefined && ordered === undefined) return undefined
  // Records of older releases lack newer fields: the defaults of a new device fill them.
  return { ...newDevice(id, '', '', '', 0), ...stored, ...noOrder, ...ordered }
}

function parse<T>(value: Uint8Array | undefined): Partial<T> | undefined {
  if (value === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as Partial<T>
  } catch {
    return undefined
  }
}
