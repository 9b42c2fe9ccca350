/**
 * ActiveSync: [MS-ASHTTP], [MS-ASCMD], [MS-ASPROV] and the class documents. In: one HTTP POST. Out: one WBXML document.
 * Partnerships and sync states live in the user's mailbox. Invariant: a new sync key is stored before its response is sent,
 * and the previous one stays good, with the response it got, until the device shows the new one. Read next: http.ts (the
 * way of a request), command.ts, sync/ (the engine of Sync), held/ (requests that wait), docs/conformance/activesync.md.
 */
export type { Deps } from './context.ts'
export { type ActiveSync, activeSync, activeSyncPath, isActiveSyncPath } from './http.ts'
export { defaultPolicy, type Policy, type PolicySetting } from './policy/policy.ts'
export { defaultSettings, type Settings } from './settings.ts'
export {
  type DeviceInformation,
  type DeviceOrder,
  type DeviceRecord,
  listDevices,
  loadDevice,
  removeDevice,
  saveDevice,
} from './state/device.ts'
export { recoveryOf } from './state/recovery.ts'
export { easVersions } from './version.ts'
