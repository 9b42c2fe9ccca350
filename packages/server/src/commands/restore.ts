import type { Phrase } from '@postrider/domain'
import { fetchSet, isBucket, restoreBackup, restoreMailbox, shelfAt, TooYoung } from '../backup/index.ts'
import type { Loaded } from '../config/load.ts'
import { ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'

const heldPhrase = (count: string): Phrase => ({
  en: `${count} messages to be sent are held: postrider queue list.`,
  fr: `Messages à envoyer retenus : ${count}, voir postrider queue list.`,
})
const emptyPhrase = (addresses: string): Phrase => ({
  en: `Empty, since they were just being made: ${addresses}.`,
  fr: `Vides, car elles étaient juste en cours de création : ${addresses}.`,
})
const asidePhrase = (folder: string): Phrase => ({
  en: `What was there lies in ${folder}.`,
  fr: `Ce qui était là se trouve dans ${folder}.`,
})

const schemasPhrase = (names: string): Phrase => ({
  en: `What was on the PostgreSQL server is there as ${names}.`,
  fr: `Ce qui était sur le serveur PostgreSQL s’y trouve sous ${names}.`,
})

export const restoreCommand: LocalCommand = {
  name: 'restore',
  summary: {
    en: 'Puts a backup in the place of the data folder (the server stopped), or brings back one mailbox (it may run).',
    fr: 'Met une sauvegarde à la place du dossier de données (serveur arrêté), ou ramène une seule boîte (il peut tourner).',
  },
  arguments: ['folder'],
  options: {
    at: {
      value: 'time',
      help: {
        en: 'That moment, as 2026-11-21T14:00:00Z, where archive.to wrote beside the backups; else the last backup until then. Without it the last backup.',
        fr: 'Ce moment, comme 2026-11-21T14:00:00Z, si l’archive est écrite à côté des sauvegardes ; sinon la dernière sauvegarde jusque-là. Sans cela, la dernière sauvegarde.',
      },
    },
    mailbox: {
      value: 'address',
      help: {
        en: 'Only the mails of this mailbox, into a new folder of it.',
        fr: 'Seulement le courrier de cette boîte, dans un nouveau dossier de celle-ci.',
      },
    },
    into: {
      value: 'folder',
      help: { en: 'With --mailbox: the name of that folder.', fr: 'Avec --mailbox : le nom de ce dossier.' },
    },
    replace: {
      help: {
        en: 'Moves what is in the data folder aside, into before-restore-… there.',
        fr: 'Écarte ce qui est dans le dossier de données, dans before-restore-… du même endroit.',
      },
    },
  },
  notes: [
    {
      en: 'Mail programs and phones load their folders anew afterwards: what they saw since the backup must not be taken for something else.',
      fr: 'Les logiciels de messagerie et les téléphones rechargent ensuite leurs dossiers : ce qu’ils ont vu depuis la sauvegarde ne doit pas être pris pour autre chose.',
    },
    {
      en: 'Messages that waited to be sent are held, since they may have been sent: see postrider queue list, queue release.',
      fr: 'Les messages qui attendaient d’être envoyés sont retenus, car ils l’ont peut-être été : voir postrider queue list, queue release.',
    },
  ],
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const time = words.value('at')
    const at = time === undefined ? undefined : Date.parse(time)
    if (at !== undefined && Number.isNaN(at))
      throw new UsageError({
        en: `'${time}' is no time. Write it as 2026-11-21T14:00:00Z.`,
        fr: `« ${time} » n’est pas une date. Écrivez 2026-11-21T14:00:00Z.`,
      })
    const configuration = loaded()
    const address = words.value('mailbox')
    const target = words.need(0, 'folder')
    const bucket =
      isBucket(target) && address !== undefined
        ? await fetchSet(configuration, target, {
            ...(at === undefined ? {} : { at }),
            address,
          })
        : undefined
    try {
      const from = bucket?.folder ?? target
      if (address !== undefined) {
        const wanted = { address, into: words.value('into'), now: Date.now, say, ...(at === undefined ? {} : { at }) }
        const mails = await restoreMailbox(configuration, from, wanted)
        const count = say.number(mails.imported)
        const text = say({
          en: `${count} mails as of ${mails.made} are in the folder ${mails.into}.`,
          fr: `Courriers remis dans le dossier ${mails.into}, dans leur état du ${mails.made} : ${count}.`,
        })
        terminal.out(json ? JSON.stringify({ result: mails }) : text)
        return mails.badCount === 0 ? ExitCode.ok : ExitCode.failed
      }
      const report = await restoreAll(configuration, target, {
        replace: words.flag('replace'),
        now: Date.now(),
        ...(at === undefined ? {} : { at }),
      })
      const items = say.number(report.items)
      const lines = [
        {
          en: `${items} items as of ${report.until ?? report.made}.`,
          fr: `Éléments, dans leur état du ${report.until ?? report.made} : ${items}.`,
        },
        ...(report.held === 0 ? [] : [heldPhrase(say.number(report.held))]),
        ...(report.empty.length === 0 ? [] : [emptyPhrase(report.empty.join(', '))]),
        ...(report.before === null ? [] : [asidePhrase(report.before)]),
        ...(report.schemas.length === 0 ? [] : [schemasPhrase(report.schemas.join(', '))]),
      ].map(say)
      terminal.out(json ? JSON.stringify({ result: report }) : lines.join('\n'))
      return ExitCode.ok
    } finally {
      bucket?.remove()
    }
  },
}

/** The youngest set that can be taken to the moment asked for: one that was still being made then cannot. */
async function restoreAll(
  loaded: Loaded,
  target: string,
  options: { readonly at?: number; readonly replace: boolean; readonly now: number },
): Promise<Awaited<ReturnType<typeof restoreBackup>>> {
  const { at, ...rest } = options
  const shelf = shelfAt(target)
  try {
    for (let choose = at; ; ) {
      const chosen = choose === undefined ? {} : { at: choose }
      const bucket = isBucket(target) ? await fetchSet(loaded, target, chosen) : undefined
      try {
        const onTo = at === undefined ? {} : { onTo: { moment: at, shelf } }
        return await restoreBackup(loaded, bucket?.folder ?? target, { ...rest, ...chosen, ...onTo })
      } catch (error) {
        if (!(error instanceof TooYoung)) throw error
        choose = error.made - 1
      } finally {
        bucket?.remove()
      }
    }
  } finally {
    shelf.close()
  }
}
