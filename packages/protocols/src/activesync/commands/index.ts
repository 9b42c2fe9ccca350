/**
 * All commands, in the order MS-ASProtocolCommands names them. One command, one file; a new one is added to the list and
 * to `commandCodes` of ../command.ts.
 */
import type { Command, CommandName } from '../command.ts'
import { find } from './find.ts'
import { folderCreate } from './foldercreate.ts'
import { folderDelete } from './folderdelete.ts'
import { folderSync } from './foldersync.ts'
import { folderUpdate } from './folderupdate.ts'
import { getAttachment } from './getattachment.ts'
import { getItemEstimate } from './getitemestimate.ts'
import { itemOperations } from './itemoperations.ts'
import { meetingResponse } from './meetingresponse.ts'
import { moveItems } from './moveitems.ts'
import { ping } from './ping.ts'
import { provision } from './provision.ts'
import { resolveRecipients } from './resolverecipients.ts'
import { search } from './search.ts'
import { sendMail } from './sendmail.ts'
import { settings } from './settings.ts'
import { smartForward } from './smartforward.ts'
import { smartReply } from './smartreply.ts'
import { sync } from './sync.ts'
import { validateCert } from './validatecert.ts'

export const commands: readonly Command[] = [
  sync,
  sendMail,
  smartForward,
  smartReply,
  getAttachment,
  folderSync,
  folderCreate,
  folderDelete,
  folderUpdate,
  moveItems,
  getItemEstimate,
  meetingResponse,
  search,
  settings,
  ping,
  itemOperations,
  provision,
  resolveRecipients,
  validateCert,
  find,
]

const byName = new Map<CommandName, Command>(commands.map((command) => [command.name, command]))

export const commandByName = (name: CommandName): Command | undefined => byName.get(name)
