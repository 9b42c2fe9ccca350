import { adminCommand, CommandFailed } from '../../cli/command.ts'
import { forgetSecondFactor } from '../../web/second-factor.ts'

export const userSecondStep = adminCommand<{ readonly address: string; readonly removed: true }>({
  name: 'user second-step remove',
  summary: 'Takes the authenticator app off an account, for somebody who has lost it and the recovery codes.',
  arguments: ['address'],
  options: {},
  where: 'server',
  async run({ directory, server }, words) {
    if (server === undefined) throw new CommandFailed('The server is not running.', 'notRunning')
    const entry = directory.identity(words.need(0, 'address'))
    await forgetSecondFactor(server.service, entry.mailbox)
    return { address: entry.address, removed: true }
  },
  text: (result) => `${result.address} signs in with the password alone.`,
})
