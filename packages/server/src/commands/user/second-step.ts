import { adminCommand, CommandFailed } from '../../cli/command.ts'
import { notRunning } from '../../cli/phrases.ts'
import { forgetSecondFactor } from '../../web/second-factor.ts'

export const userSecondStep = adminCommand<{ readonly address: string; readonly removed: true }>({
  name: 'user second-step remove',
  summary: {
    en: 'Takes the authenticator app off an account, for somebody who has lost it and the recovery codes.',
    fr: 'Retire l’application d’authentification d’un compte, pour qui l’a perdue ainsi que les codes de secours.',
  },
  arguments: ['address'],
  options: {},
  where: 'server',
  async run({ directory, server }, words) {
    if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
    const entry = directory.identity(words.need(0, 'address'))
    await forgetSecondFactor(server.service, entry.mailbox)
    return { address: entry.address, removed: true }
  },
  text: ({ address }, say) =>
    say({
      en: `${address} signs in with the password alone.`,
      fr: `${address} se connecte avec le seul mot de passe.`,
    }),
})
