import { makeBackup } from '../backup/index.ts'
import { postgresServer } from '../config/load.ts'
import { ExitCode, type LocalCommand } from '../cli/command.ts'

export const backupCommand: LocalCommand = {
  name: 'backup',
  summary: {
    en: 'Makes a backup of everything while the server runs, and reads it back.',
    fr: 'Sauvegarde tout pendant que le serveur tourne, et relit la sauvegarde.',
  },
  arguments: ['folder'],
  options: {},
  notes: [
    {
      en: 'Every backup is a whole one as of one moment; messages that are in an earlier one of the same folder are shared with it by hard\nlinks, so further ones are small. Delete old ones as you like. Run it as the owner of the data folder.',
      fr: 'Chaque sauvegarde est complète et vaut pour un instant ; les messages déjà présents dans une précédente du même dossier sont partagés\navec elle par des liens durs : les suivantes sont petites. Supprimez les anciennes à votre gré. À lancer sous le compte propriétaire\ndu dossier de données.',
    },
  ],
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const { config, dataFolder } = loaded()
    const report = await makeBackup(dataFolder, words.need(0, 'folder'), Date.now(), postgresServer(config))
    const { set } = report
    const [items, bytes, shared] = [report.items, report.bytes, report.shared].map(say.number)
    terminal.out(
      json
        ? JSON.stringify({ result: report })
        : say({
            en: `${items} items, ${bytes} bytes of messages (${shared} shared) in ${set}. All read back.`,
            fr: `Éléments : ${items} ; messages : ${bytes} octets (dont ${shared} partagés), dans ${set}. Tout a été relu.`,
          }),
    )
    return ExitCode.ok
  },
}
