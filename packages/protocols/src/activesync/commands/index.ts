/**
 * All commands, in the order MS-ASProtocolCommands names them. One command, one file; a new one is added to the list and
 * to `commandCodes` of ../command.ts.
 */
import type { Command, CommandName } from '../command.ts'
import { folderCreate } from './foldercreate.ts'
import { folderDelete } from './folderdelete.ts'
import { folderSync } from './foldersync.ts'
import { folderUpdate } from './folderupdate.ts'
import { getItemEstimate } from './getitemestimate.ts'
import { ping } from './ping.ts'
import { provision } from './provision.ts'
import { sync } from './sync.ts'

export const commands: readonly Command[] = [
  sync,
  folderSync,
  folderCreate,
  folderDelete,
  folderUpdate,
  getItemEstimate,
  ping,
  provision,
]

const byName = new Map<CommandName, Command>(commands.map((command) => [command.name, command]))

export const commandByName = (name: CommandName): Command | undefined => byName.get(name)
