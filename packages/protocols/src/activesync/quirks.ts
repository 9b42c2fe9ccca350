/**
 * What particular clients need, as data: a list of rules over User-Agent, DeviceType and the names of DeviceInformation;
 * all rules that match add up, later ones win. Each says whom it is for and why.
 */
import type { EasVersion } from './version.ts'
import { atLeast } from './version.ts'

export interface Quirks {
  /** Highest version offered and accepted: some clients break with newer ones. */
  readonly maxVersion: EasVersion
  /** Answers Ping with status 2 for folders that changed only in read state or by deletion. */
  readonly pingOnChanges: boolean
  /** The client ignores Sync status 12 and loops: it gets 3 on a vanished folder, which makes it start the folder anew. */
  readonly ignoresStatus12: boolean
  /** Unknown folder types (18, 19 and user types of classes it does not sync) are left out of FolderSync. */
  readonly hideSpecialFolders: boolean
}

export interface Client {
  readonly userAgent: string
  readonly deviceType: string
}

interface Rule {
  readonly why: string
  readonly userAgent?: RegExp
  readonly deviceType?: RegExp
  readonly quirks: Partial<Quirks>
}

const rules: readonly Rule[] = [
  {
    why: 'Outlook for Windows speaks at most 14.1, stops at folder types it does not know and ignores status 12',
    userAgent: /^(Microsoft\.)?Outlook\/1[0-9]\./,
    quirks: { maxVersion: '14.1', ignoresStatus12: true, hideSpecialFolders: true },
  },
  {
    why: 'Outlook for Windows by its DeviceType, where the User-Agent was taken out on the way',
    deviceType: /^WindowsOutlook/,
    quirks: { maxVersion: '14.1', ignoresStatus12: true, hideSpecialFolders: true },
  },
]

/** Only the start of a User-Agent is looked at. */
const userAgentLength = 200

/** The quirks of a client. `base` comes from the settings. */
export function quirksOf(client: Client, base: Pick<Quirks, 'pingOnChanges'>): Quirks {
  let quirks: Quirks = { maxVersion: '16.1', ignoresStatus12: false, hideSpecialFolders: false, ...base }
  for (const rule of rules) {
    if (rule.userAgent !== undefined && !rule.userAgent.test(client.userAgent.slice(0, userAgentLength))) continue
    if (rule.deviceType !== undefined && !rule.deviceType.test(client.deviceType.slice(0, userAgentLength))) continue
    quirks = { ...quirks, ...rule.quirks }
  }
  return quirks
}

/** Whether a client may speak a version. */
export const maySpeak = (quirks: Quirks, version: EasVersion): boolean => atLeast(quirks.maxVersion, version)
