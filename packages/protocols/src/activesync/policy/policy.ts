/**
 * The mobile device mailbox policy: Exchange's names and defaults, and its EASProvisionDoc per protocol version
 * ([MS-ASPROV] §2.2.2.28). The hash is made of what the version can express, so that a setting it cannot never sends a
 * device round and round.
 */
import { createHash } from 'node:crypto'
import { type Child, el, knowsTag, type Tag } from '@postrider/wire/wbxml'
import type { EasVersion } from '../version.ts'

/** A setting that is empty is sent as an empty tag: "not limited", [MS-ASPROV] §3.2.5.1.1. */
export type PolicyValue = boolean | number | undefined

/** The settings in the order of the schema (Provision.xsd). Values are those of Exchange's default policy. */
export const defaultPolicy = {
  DevicePasswordEnabled: false,
  AlphanumericDevicePasswordRequired: false,
  PasswordRecoveryEnabled: false,
  RequireStorageCardEncryption: false,
  AttachmentsEnabled: true,
  MinDevicePasswordLength: undefined,
  MaxInactivityTimeDeviceLock: undefined,
  MaxDevicePasswordFailedAttempts: undefined,
  MaxAttachmentSize: undefined,
  AllowSimpleDevicePassword: true,
  DevicePasswordExpiration: undefined,
  DevicePasswordHistory: 0,
  AllowStorageCard: true,
  AllowCamera: true,
  RequireDeviceEncryption: false,
  AllowUnsignedApplications: true,
  AllowUnsignedInstallationPackages: true,
  MinDevicePasswordComplexCharacters: 1,
  AllowWiFi: true,
  AllowTextMessaging: true,
  AllowPOPIMAPEmail: true,
  AllowBluetooth: 2,
  AllowIrDA: true,
  RequireManualSyncWhenRoaming: false,
  AllowDesktopSync: true,
  MaxCalendarAgeFilter: 0,
  AllowHTMLEmail: true,
  MaxEmailAgeFilter: 0,
  MaxEmailBodyTruncationSize: -1,
  MaxEmailHTMLBodyTruncationSize: -1,
  RequireSignedSMIMEMessages: false,
  RequireEncryptedSMIMEMessages: false,
  RequireSignedSMIMEAlgorithm: 0,
  RequireEncryptionSMIMEAlgorithm: 0,
  AllowSMIMEEncryptionAlgorithmNegotiation: 2,
  AllowSMIMESoftCerts: true,
  AllowBrowser: true,
  AllowConsumerEmail: true,
  AllowRemoteDesktop: true,
  AllowInternetSharing: true,
} as const satisfies Record<string, PolicyValue>

export type PolicySetting = keyof typeof defaultPolicy
export interface Policy extends Readonly<Record<PolicySetting, PolicyValue>> {
  /** Names of blocked built-in programs, and hashes of allowed ones. */
  readonly UnapprovedInROMApplicationList?: readonly string[]
  readonly ApprovedApplicationList?: readonly string[]
}

/** The EASProvisionDoc of a policy in a version's terms. */
export function provisionDocument(policy: Policy, version: EasVersion): ReturnType<typeof el> {
  const settings: Child[] = []
  for (const name of Object.keys(defaultPolicy) as PolicySetting[]) {
    const tag: Tag = `Provision:${name}`
    if (!knowsTag(version, tag)) continue
    const value = policy[name]
    settings.push(el(tag, typeof value === 'boolean' ? Number(value) : value))
  }
  if (knowsTag(version, 'Provision:UnapprovedInROMApplicationList')) {
    const blocked = policy.UnapprovedInROMApplicationList ?? []
    const allowed = policy.ApprovedApplicationList ?? []
    settings.push(
      el('Provision:UnapprovedInROMApplicationList', ...blocked.map((name) => el('Provision:ApplicationName', name))),
      el('Provision:ApprovedApplicationList', ...allowed.map((hash) => el('Provision:Hash', hash))),
    )
  }
  return el('Provision:EASProvisionDoc', ...settings)
}

/** Equal for equal documents: a device that shows a key of another hash is told to take the policy anew (143). */
export function policyHash(policy: Policy, version: EasVersion): string {
  return createHash('sha256')
    .update(JSON.stringify(provisionDocument(policy, version)))
    .digest('hex')
    .slice(0, 16)
}
