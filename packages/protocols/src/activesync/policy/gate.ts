/**
 * What stands before every command: wipe, block, partnership, policy key. Cheap: it reads one record and compares numbers.
 * P18 and P19 of the reliability reference: never data without the final key, nothing but Provision under a wipe.
 */
import { children, type Element } from '@postrider/wire/wbxml'
import type { Command } from '../command.ts'
import type { RequestHead } from '../request.ts'
import type { Settings } from '../settings.ts'
import type { DeviceRecord } from '../state/device.ts'
import { Status } from '../status.ts'

/** What the gate answers: pass, or a common status. `noKey` picks HTTP 403 for 140 in 12.1 (MS-ASCMD_R7561). */
export type Verdict =
  | { readonly pass: true }
  | { readonly pass: false; readonly status: number; readonly http?: number }

const pass: Verdict = { pass: true }
const refuse = (status: number, http?: number): Verdict =>
  http === undefined ? { pass: false, status } : { pass: false, status, http }

export interface GateInput {
  readonly command: Command
  readonly head: RequestHead
  readonly document: Element | undefined
  /** The stored partnership; undefined for a device that has none. */
  readonly device: DeviceRecord | undefined
  /** Partnerships of the mailbox; asked only for a device that has none. */
  readonly deviceCount: () => Promise<number>
  readonly settings: Settings
  /** Hash of the policy as this version expresses it. */
  readonly policyHash: string
  readonly now: number
}

/** Judges one request. */
export async function gate(input: GateInput): Promise<Verdict> {
  const { command, head, device, settings } = input
  const provision = command.name === 'Provision'
  if (device !== undefined) {
    if (device.wipe !== 'none') {
      // A wipe that was acknowledged leaves the device blocked until the order is taken back.
      if (device.wiped !== undefined) return refuse(Status.DeviceIsBlockedForThisUser)
      if (!provision) return refuse(Status.RemoteWipeRequested, head.policyKey === undefined ? 403 : 449)
      return pass
    }
    if (device.access === 'blocked' || device.access === 'quarantined') return refuse(Status.DeviceIsBlockedForThisUser)
  } else if ((await input.deviceCount()) >= settings.maxDevices) {
    return refuse(Status.MaximumDevicesReached)
  }
  if (provision || !settings.requireProvisioning) return pass
  if (!command.needsProvisioning && onlyDeviceInformation(input.document)) return pass
  return judgeKey(input)
}

/** [MS-ASPROV] §3.1.5.2 and [MS-ASCMD] §2.2.2, statuses 141 to 144. */
function judgeKey({ command, head, device, settings, policyHash, now }: GateInput): Verdict {
  const final = device?.policyKey ?? 0
  const shown = head.policyKey
  // A Ping need not carry the key: MS-ASPROV_R757.
  if (shown === undefined && command.name === 'Ping' && final !== 0) return judgeAge(device, settings, policyHash, now)
  if (shown === undefined) {
    return refuse(
      settings.allowNonProvisionableDevices ? Status.DeviceNotProvisioned : Status.LegacyDeviceOnStrictPolicy,
    )
  }
  if (shown === 0) return refuse(Status.DeviceNotProvisioned)
  if (final === 0 || shown !== final) return refuse(Status.InvalidPolicyKey)
  return judgeAge(device, settings, policyHash, now)
}

function judgeAge(device: DeviceRecord | undefined, settings: Settings, policyHash: string, now: number): Verdict {
  if (device?.policyHash !== policyHash) return refuse(Status.PolicyRefresh)
  const { policyRefreshSeconds } = settings
  if (policyRefreshSeconds > 0 && now - device.policyTime > policyRefreshSeconds * 1000) {
    return refuse(Status.PolicyRefresh)
  }
  return pass
}

/** A Settings request that only tells what the device is carries no data back. */
function onlyDeviceInformation(document: Element | undefined): boolean {
  const parts = children(document)
  return parts.length > 0 && parts.every((part) => part.tag === 'Settings:DeviceInformation')
}
