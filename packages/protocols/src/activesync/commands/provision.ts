/**
 * Provision: [MS-ASPROV] §3.2.5.1. Two phases: the policy with a temporary key, then the acknowledgement and the final key.
 * Under a wipe order the answer is the order, until the device says it is done. Invariant: the record with the new key is
 * stored before the key is sent.
 */
import { randomInt } from 'node:crypto'
import { child, children, type Element, el, has, text } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { policyHash, provisionDocument } from '../policy/policy.ts'
import { admission, announceQuarantine } from '../policy/quarantine.ts'
import type { Request } from '../request.ts'
import { type DeviceRecord, saveDevice } from '../state/device.ts'
import { readDeviceInformation } from '../state/information.ts'
import { Status, StatusError } from '../status.ts'

const policyType = 'MS-EAS-Provisioning-WBXML'

/** Status of Provision: [MS-ASPROV] §2.2.2.54.2; of Policy: §2.2.2.54.1. */
const Provision = { success: 1, protocolError: 2, serverError: 3 } as const
const Policy = { success: 1, notDefined: 2, unknownType: 3, corrupted: 4, keyMismatch: 5 } as const

/** What the device says of applying the policy: [MS-ASPROV] §2.2.2.54.1. */
const Applied = { all: '1', partly: '2', not: '3', external: '4' } as const

export const provision = command({
  name: 'Provision',
  first: '12.1',
  needsProvisioning: false,
  body: 'optional',
  root: 'Provision:Provision',
  statusTag: 'Provision:Status',
  async run(context, request) {
    const root = request.document
    const { device } = context
    if (device.wipe !== 'none') return document(await wipe(context, device, root))
    // An acknowledgement of a wipe nobody ordered, or that was done before: taken for good.
    if (root === undefined || root.children.length === 0 || isWipeReport(root)) return document(answer())
    return document(await policy(context, request, root))
  },
})

const answer = (status: number = Provision.success, ...more: Parameters<typeof el>[1][]): Element =>
  el('Provision:Provision', ...more.slice(0, 1), el('Provision:Status', status), ...more.slice(1))

const isWipeReport = (root: Element): boolean =>
  has(root, 'Provision:RemoteWipe') || has(root, 'Provision:AccountOnlyRemoteWipe')

/** The order, or the end of it: [MS-ASPROV] §3.2.5.1.2.2, §3.2.5.1.2.3. */
async function wipe(context: Context, device: DeviceRecord, root: Element | undefined): Promise<Element> {
  const accountOnly = device.wipe === 'account' && context.since('16.1')
  const order = accountOnly ? 'Provision:AccountOnlyRemoteWipe' : 'Provision:RemoteWipe'
  const report = child(root, order)
  const reported = text(report, 'Provision:Status')?.trim()
  if (reported === '1') {
    // The keys go with it: the device is nobody until the order is taken back.
    const keys = { policyKey: 0, temporaryPolicyKey: 0, acknowledgedKey: 0, wiped: context.deps.clock.now() }
    await saveDevice(context.mailbox, device, keys)
    context.log.warn({ wipe: device.wipe }, 'the device has wiped itself')
    return answer(Provision.success)
  }
  if (reported !== undefined) context.log.warn({ wipe: device.wipe, reported }, 'the device could not wipe itself')
  return answer(reported === undefined ? Provision.success : Provision.protocolError, undefined, el(order))
}

async function policy(context: Context, request: Request, root: Element): Promise<Element> {
  const requested = child(child(root, 'Provision:Policies'), 'Provision:Policy')
  if (requested === undefined) {
    if (has(root, 'Settings:DeviceInformation')) throw new StatusError(Status.InvalidXML)
    return answer(Provision.protocolError)
  }
  const type = text(requested, 'Provision:PolicyType')?.trim()
  // MS-ASCMD_R4989; one policy at a time.
  if (type === undefined || policyCount(root) > 1) return answer(Provision.protocolError)
  if (type !== policyType) return answer(Provision.success, undefined, policies(type, Policy.unknownType))
  const acknowledged = text(requested, 'Provision:Status')?.trim()
  if (acknowledged === undefined) return offer(context, request, root)
  return acknowledge(context, requested, acknowledged)
}

const policyCount = (root: Element): number =>
  children(root, 'Provision:Policies').reduce((sum, list) => sum + children(list, 'Provision:Policy').length, 0)

/** Phase one: the policy and a temporary key. */
async function offer(context: Context, request: Request, root: Element): Promise<Element> {
  const { device, version, deps, mailbox } = context
  const element = child(root, 'Settings:DeviceInformation')
  const information = readDeviceInformation(element)
  // [MS-ASPROV] §2.2.2.53: 14.1 and newer must say what they are, and Set is not optional.
  if (context.since('14.1') && element === undefined) throw new StatusError(Status.DeviceInformationRequired)
  if (element !== undefined && information === undefined) return answer(Provision.protocolError)
  const settings = deps.settings.policy(deps.directory.account(context.principal.account)?.mobileDevicePolicy)
  const temporaryPolicyKey = newKey(device)
  await saveDevice(mailbox, device, {
    type: request.deviceType,
    userAgent: request.userAgent,
    version,
    lastSeen: deps.clock.now(),
    temporaryPolicyKey,
    ...(information === undefined ? {} : { information }),
  })
  return answer(
    Provision.success,
    element === undefined ? undefined : el('Settings:DeviceInformation', el('Settings:Status', 1)),
    policies(
      policyType,
      Policy.success,
      temporaryPolicyKey,
      el('Provision:Data', provisionDocument(settings, version)),
    ),
  )
}

/** Phase two: what the device made of it, and the final key. */
async function acknowledge(context: Context, requested: Element, acknowledged: string): Promise<Element> {
  const { device, version, deps, mailbox } = context
  const shown = Number(text(requested, 'Provision:PolicyKey')?.trim() ?? Number.NaN)
  // The same acknowledgement again, because its answer was lost: the final key is given again.
  const again = shown === device.temporaryPolicyKey && device.policyKey !== 0 && device.acknowledgedKey === shown
  if (device.temporaryPolicyKey === 0 || shown !== device.temporaryPolicyKey) {
    return answer(Provision.success, undefined, policies(policyType, Policy.keyMismatch))
  }
  if (again) return answer(Provision.success, undefined, policies(policyType, Policy.success, device.policyKey))
  const strict = !deps.settings.allowNonProvisionableDevices
  if (acknowledged === Applied.external) {
    if (strict) throw new StatusError(Status.ExternallyManagedDevicesNotAllowed)
  } else if (acknowledged === Applied.partly || acknowledged === Applied.not) {
    if (strict || acknowledged === Applied.not) throw new StatusError(Status.DeviceNotFullyProvisionable)
  } else if (acknowledged !== Applied.all) {
    return answer(Provision.protocolError)
  }
  const settings = deps.settings.policy(deps.directory.account(context.principal.account)?.mobileDevicePolicy)
  const policyKey = newKey(device)
  const access = admission(context)
  const saved = await saveDevice(mailbox, device, {
    ...(access === undefined ? {} : { access }),
    policyKey,
    acknowledgedKey: shown,
    policyHash: policyHash(settings, version),
    policyTime: deps.clock.now(),
    lastSeen: deps.clock.now(),
  })
  if (access === 'quarantined') await announceQuarantine(context, saved)
  return answer(Provision.success, undefined, policies(policyType, Policy.success, policyKey))
}

const policies = (type: string, status: number, key?: number, data?: Element): Element =>
  el(
    'Provision:Policies',
    el(
      'Provision:Policy',
      el('Provision:PolicyType', type),
      el('Provision:Status', status),
      key !== undefined && el('Provision:PolicyKey', key),
      data,
    ),
  )

/** A 32-bit key that is neither 0 nor one the device has: [MS-ASPROV] §2.2.2.42. */
function newKey(device: DeviceRecord): number {
  for (;;) {
    const key = randomInt(1, 0xffff_ffff)
    if (key !== device.policyKey && key !== device.temporaryPolicyKey) return key
  }
}
