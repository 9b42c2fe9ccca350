/** The protocol versions this server speaks, as data: [MS-ASHTTP] §2.2.1.1.2.6 and §2.2.4.1.2.2. */
import { type ProtocolVersion, versionIndex } from '@postrider/wire/wbxml'

/** Versions offered in MS-ASProtocolVersions, oldest first. 2.5 and 12.0 are dialects of their own and not offered yet. */
export const easVersions = ['12.1', '14.0', '14.1', '16.0', '16.1'] as const satisfies readonly ProtocolVersion[]
export type EasVersion = (typeof easVersions)[number]

/** The version of a header text such as `14.1`; undefined when this server does not speak it. */
export function parseVersion(text: string): EasVersion | undefined {
  return easVersions.find((version) => version === text)
}

/** True when `version` is `first` or newer. */
export function atLeast(version: ProtocolVersion, first: ProtocolVersion): boolean {
  return versionIndex(version) >= versionIndex(first)
}
