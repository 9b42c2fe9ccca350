import { adminCommand } from '../../cli/command.ts'
import { passwordOptions, readPassword } from './fields.ts'

export const userPassword = adminCommand<{ readonly address: string; readonly changed: true }>({
  name: 'user password',
  summary: {
    en: 'Sets a new password and ends the live sessions of the old one.',
    fr: 'Donne un nouveau mot de passe et ferme les sessions ouvertes avec l’ancien.',
  },
  arguments: ['address'],
  options: { ...passwordOptions },
  where: 'either',
  secret: readPassword,
  async run({ directory }, words) {
    const entry = directory.identity(words.need(0, 'address'))
    await directory.setPassword(entry.account, words.secret ?? '')
    return { address: entry.address, changed: true }
  },
  text: ({ address }, say) =>
    say({ en: `${address} has a new password.`, fr: `${address} a un nouveau mot de passe.` }),
})
