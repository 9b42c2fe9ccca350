import type { Phrase } from '@postrider/domain'
import { fetchSet, isBucket, restoreBackup, restoreMailbox } from '../backup/index.ts'
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
        en: 'The last backup made until then, as 2026-11-21T14:00:00Z; without it the last one.',
        fr: 'La dernière sauvegarde faite jusque-là, comme 2026-11-21T14:00:00Z ; sans cela, la dernière.',
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
    const bucket = isBucket(target)
      ? await fetchSet(configuration, target, {
          ...(at === undefined ? {} : { at }),
          ...(address === undefined ? {} : { address }),
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
      const options = { replace: words.flag('replace'), now: Date.now(), ...(at === undefined ? {} : { at }) }
      const report = await restoreBackup(configuration, from, options)
      const items = say.number(report.items)
      const lines = [
        { en: `${items} items as of ${report.made}.`, fr: `Éléments, dans leur état du ${report.made} : ${items}.` },
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
