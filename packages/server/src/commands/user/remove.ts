import { settleMailboxes } from '../../administration.ts'
import { adminCommand, CommandFailed } from '../../cli/command.ts'

export const userRemove = adminCommand<{ readonly address: string; readonly removed: true }>({
  name: 'user remove',
  summary: { en: 'Deletes a mailbox with everything in it.', fr: 'Supprime une boîte avec tout ce qu’elle contient.' },
  arguments: ['address'],
  options: {
    yes: {
      help: {
        en: 'Says that this is meant; without it nothing is deleted.',
        fr: 'Confirme que c’est voulu ; sans cela rien n’est supprimé.',
      },
    },
  },
  notes: [
    {
      en: 'To keep the mail and only shut the user out: postrider user set <address> --disable',
      fr: 'Pour garder le courrier et seulement fermer l’accès : postrider user set <adresse> --disable',
    },
  ],
  where: 'either',
  async run(administration, words) {
    const entry = administration.directory.identity(words.need(0, 'address'))
    if (!words.flag('yes'))
      throw new CommandFailed(
        {
          en: `This deletes ${entry.address} and all its mail for ever. Add --yes to do it.`,
          fr: `Ceci supprime ${entry.address} et tout son courrier pour toujours. Ajoutez --yes pour le faire.`,
        },
        'confirm',
      )
    await administration.directory.removeMailbox(entry.account)
    await settleMailboxes(administration.directory, administration.server?.service)
    return { address: entry.address, removed: true }
  },
  text: ({ address }, say) =>
    say({ en: `${address} and its mail are deleted.`, fr: `${address} et son courrier sont supprimés.` }),
})
