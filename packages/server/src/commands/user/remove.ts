import { settleMailboxes } from '../../administration.ts'
import { adminCommand, CommandFailed } from '../../cli/command.ts'

export const userRemove = adminCommand<{ readonly address: string; readonly removed: true }>({
  name: 'user remove',
  summary: 'Deletes a mailbox with everything in it.',
  arguments: ['address'],
  options: { yes: { help: 'Says that this is meant; without it nothing is deleted.' } },
  notes: ['To keep the mail and only shut the user out: postrider user set <address> --disable'],
  where: 'either',
  async run(administration, words) {
    const entry = administration.directory.identity(words.need(0, 'address'))
    if (!words.flag('yes'))
      throw new CommandFailed(`This deletes ${entry.address} and all its mail for ever. Add --yes to do it.`, 'confirm')
    await administration.directory.removeMailbox(entry.account)
    await settleMailboxes(administration.directory, administration.server?.service)
    return { address: entry.address, removed: true }
  },
  text: (result) => `${result.address} and its mail are deleted.`,
})
