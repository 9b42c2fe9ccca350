/** What the server says of itself: versions and commands, in OPTIONS and where a client has to start over. */
import { commands } from './commands/index.ts'
import { maySpeak, type Quirks } from './quirks.ts'
import { easVersions } from './version.ts'

/** MS-ASProtocolVersions for a client: [MS-ASHTTP] §2.2.4.1.2.2, cut at the client's ceiling. */
const versionList = (quirks: Quirks): string => easVersions.filter((version) => maySpeak(quirks, version)).join(',')

/** MS-ASProtocolCommands: exactly the commands that are registered, [MS-ASHTTP] §2.2.4.1.2.1. */
const commandList = (): string => commands.map((command) => command.name).join(',')

/** The answer to OPTIONS: [MS-ASHTTP] §2.2.4. */
export const optionsHeaders = (quirks: Quirks): Record<string, string> => ({
  'MS-ASProtocolVersions': versionList(quirks),
  'MS-ASProtocolCommands': commandList(),
  Public: 'OPTIONS,POST',
  Allow: 'OPTIONS,POST',
})

/** With FolderSync key 0: MS-ASHTTP_R1104. */
export const reinitializeHeaders = (quirks: Quirks): Record<string, string> => ({
  'X-MS-RP': versionList(quirks),
  'MS-ASProtocolVersions': versionList(quirks),
  'MS-ASProtocolCommands': commandList(),
})
