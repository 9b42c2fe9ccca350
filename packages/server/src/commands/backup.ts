import { backupToBucket, isBucket, lockBackups, makeBackup } from '../backup/index.ts'
import { postgresServer } from '../config/load.ts'
import { ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'

export const backupCommand: LocalCommand = {
  name: 'backup',
  summary: {
    en: 'Makes a backup of everything while the server runs, and reads it back.',
    fr: 'Sauvegarde tout pendant que le serveur tourne, et relit la sauvegarde.',
  },
  arguments: ['folder'],
  options: {
    keep: {
      value: 'number',
      help: {
        en: 'In a bucket: how many backups stay; older ones go.',
        fr: 'Dans un seau : combien de sauvegardes restent ; les plus anciennes partent.',
      },
    },
  },
  notes: [
    {
      en: 'The folder may be a bucket: s3://host/bucket/folder?region=… (also style=host, tls=off). Its keys come from AWS_ACCESS_KEY_ID and\nAWS_SECRET_ACCESS_KEY in the environment, never from the command line. Segments that are in the bucket are not sent again.',
      fr: 'Le dossier peut être un seau : s3://hôte/seau/dossier?region=… (aussi style=host, tls=off). Ses clés viennent de AWS_ACCESS_KEY_ID et\nAWS_SECRET_ACCESS_KEY dans l’environnement, jamais de la ligne de commande. Les segments déjà dans le seau ne sont pas renvoyés.',
    },
    {
      en: 'Every backup is a whole one as of one moment; messages that are in an earlier one of the same folder are shared with it by hard\nlinks, so further ones are small. Delete old ones as you like. Run it as the owner of the data folder.',
      fr: 'Chaque sauvegarde est complète et vaut pour un instant ; les messages déjà présents dans une précédente du même dossier sont partagés\navec elle par des liens durs : les suivantes sont petites. Supprimez les anciennes à votre gré. À lancer sous le compte propriétaire\ndu dossier de données.',
    },
  ],
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const { config, dataFolder } = loaded()
    const target = words.need(0, 'folder')
    const options = { now: Date.now(), place: postgresServer(config) }
    const keep = words.value('keep')
    if (keep !== undefined && !/^[1-9]\d{0,5}$/.test(keep))
      throw new UsageError({ en: '--keep wants a number of backups.', fr: '--keep demande un nombre de sauvegardes.' })
    if (keep !== undefined && !isBucket(target))
      throw new UsageError({
        en: '--keep is for buckets: delete old sets of a folder as you like.',
        fr: '--keep est pour les seaux : dans un dossier, supprimez les anciennes à votre gré.',
      })
    const lock = lockBackups(dataFolder)
    const report = await (isBucket(target)
      ? backupToBucket(dataFolder, target, { ...options, ...(keep === undefined ? {} : { keep: Number(keep) }) })
      : makeBackup(dataFolder, target, options)
    ).finally(() => lock.release())
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
