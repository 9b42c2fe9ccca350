/**
 * All commands, in the order MS-ASProtocolCommands names them. One command, one file; a new one is added to the list and
 * to `commandCodes` of ../command.ts.
 */
import type { Command, CommandName } from '../command.ts'
import { provision } from './provision.ts'

export const commands: readonly Command[] = [provision]

const byName = new Map<CommandName, Command>(commands.map((command) => [command.name, command]))

export const commandByName = (name: CommandName): Command | undefined => byName.get(name)
