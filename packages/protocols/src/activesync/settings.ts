/** What an administrator can set for ActiveSync, with Exchange's names where it has one, and the defaults. */

import { defaultPolicy, type Policy } from './policy/policy.ts'
import type { AccessLevel } from './policy/quarantine.ts'

export interface Settings {
  /** Seconds a Ping or Sync may be held at least: Exchange's MinHeartbeatInterval (60); lower for tests. */
  readonly minHeartbeatInterval: number
  /** Seconds a Ping or Sync may be held at most: [MS-ASCMD] §2.2.3.79.1 (3540). */
  readonly maxHeartbeatInterval: number
  /** Most folders in one Ping (MaxFolders) and most collections in one waiting Sync. */
  readonly maxFolders: number
  /** Device partnerships of a mailbox: EasMaxDevices. */
  readonly maxDevices: number
  /** Requests of one device at work at once, held ones not counted: EasMaxConcurrency. */
  readonly maxConcurrency: number
  /** Largest request body, bytes, after decompression. */
  readonly maxRequestBytes: number
  /** Largest WBXML body of commands that carry no mail, bytes. */
  readonly maxDocumentBytes: number
  /** Bodies of all requests together, bytes, after decompression; beyond it a device is told to come again (503). */
  readonly maxBodyMemory: number
  /** Whether a device must take the policy before anything else. */
  readonly requireProvisioning: boolean
  /**
   * AllowNonProvisionableDevices: whether a device that sends no policy key at all is asked to take the policy (142), or
   * told that it cannot be used here (141); and whether one that applies the policy only in part is let in (139).
   */
  readonly allowNonProvisionableDevices: boolean
  /** What becomes of a device that finishes its first partnership and that nobody has judged: DefaultAccessLevel. */
  readonly defaultAccessLevel: AccessLevel
  /** The policy of a mailbox: the mailbox's own (mobileDevicePolicy names it), else the default. */
  policy(name: string | undefined): Policy
  /** Seconds after which a device takes the policy anew; 0 never: DevicePolicyRefreshInterval. */
  readonly policyRefreshSeconds: number
  /**
   * Whether changed and deleted mail wakes a Ping or waiting Sync as new mail does. The documents say it should not
   * ([MS-ASCMD] §3.1.5.8, R5598); phones show read state sooner for it, at the cost of their batteries.
   */
  readonly pingOnChanges: boolean
  /** Milliseconds a hint is waited on for more, so that a burst of deliveries wakes a device once. */
  readonly coalesceMs: number
  /** Requests a device may make a minute before it is told to slow down (503, Retry-After); 0 is no limit. */
  readonly requestsPerMinute: number
}

export const defaultSettings: Settings = {
  minHeartbeatInterval: 60,
  maxHeartbeatInterval: 3540,
  maxFolders: 1000,
  maxDevices: 100,
  maxConcurrency: 10,
  maxRequestBytes: 40 * 1024 * 1024,
  maxDocumentBytes: 10 * 1024 * 1024,
  maxBodyMemory: 256 * 1024 * 1024,
  requireProvisioning: true,
  allowNonProvisionableDevices: true,
  defaultAccessLevel: 'allow',
  policy: () => defaultPolicy,
  policyRefreshSeconds: 0,
  pingOnChanges: false,
  coalesceMs: 40,
  requestsPerMinute: 600,
}
