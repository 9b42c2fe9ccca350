import { CommandFailed, ExitCode, type LocalCommand, UsageError, type Words } from '../cli/command.ts'
import { reasonOf } from '../cli/reasons.ts'
import { demoSource } from '../demo/source.ts'
import { firstMailbox } from '../first-start.ts'
import { Importer } from '../transfer/importer.ts'
import { languageOf } from './user/fields.ts'
import { withMailbox } from '../transfer/open.ts'
import { progressBar } from '../transfer/progress.ts'

const DAY_MS = 86_400_000
const MOST = 1_000_000

function numberOf(words: Words, option: string, standard: number, most: number): number {
  const text = words.value(option)
  if (text === undefined) return standard
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= 1 && value <= most))
    throw new UsageError({
      en: `--${option} is a number from 1 to ${most}.`,
      fr: `--${option} est un nombre de 1 à ${most}.`,
    })
  return value
}

function untilOf(words: Words): number {
  const text = words.value('until')
  const value = text === undefined ? Date.now() : Date.parse(text)
  if (Number.isNaN(value))
    throw new UsageError({
      en: '--until is a date such as 2026-11-21.',
      fr: '--until est une date comme 2026-11-21.',
    })
  return Math.floor(value / DAY_MS) * DAY_MS + DAY_MS / 2
}

export const demo: LocalCommand = {
  name: 'demo',
  summary: {
    en: 'Fills a mailbox with a year of made-up mail, for trying and for measuring.',
    fr: 'Remplit une boîte avec une année de courrier inventé, pour essayer et mesurer.',
  },
  arguments: ['address?'],
  options: {
    count: {
      value: 'number',
      help: { en: 'How many mails, about; default 600.', fr: 'Combien de courriers, environ ; 600 par défaut.' },
    },
    seed: {
      value: 'number',
      help: { en: 'Another number, another year; default 1.', fr: 'Un autre nombre, une autre année ; 1 par défaut.' },
    },
    language: {
      value: 'en|fr',
      help: { en: 'Language most of it is in.', fr: 'Langue de la plupart.' },
    },
    until: {
      value: 'time',
      help: { en: 'Last day of the year; default today.', fr: 'Dernier jour de l’année ; aujourd’hui par défaut.' },
    },
  },
  notes: [
    {
      en: 'Without an address the first mailbox is filled. Everybody in it is invented; nothing is sent. The same seed and day bring nothing twice.',
      fr: 'Sans adresse, la première boîte est remplie. Tout le monde y est inventé ; rien n’est envoyé. Les mêmes nombre et jour n’apportent rien deux fois.',
    },
  ],
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const count = numberOf(words, 'count', 600, MOST)
    const seed = numberOf(words, 'seed', 1, 2 ** 31 - 1)
    const until = untilOf(words)
    const ready = loaded()
    const language = languageOf(words) ?? ready.config.language
    const wanted = words.at(0) ?? firstMailbox(ready.dataFolder)?.address
    if (wanted === undefined)
      throw new UsageError({
        en: 'Say which mailbox: postrider demo bob@example.com',
        fr: 'Dites quelle boîte : postrider demo bob@example.com',
      })
    const bar = progressBar(terminal, json)
    try {
      const report = await withMailbox(ready, wanted, 'import', say, async ({ service, mailbox, address }) => {
        const displayName = nameOf(address)
        const source = demoSource({ address, displayName, language, seed, count, until })
        return new Importer({
          service,
          mailbox,
          source,
          now: Date.now,
          say,
          onProgress: (now) => bar.show(now.done, `${now.folder}: ${say.number(now.imported)}`, { ...now }),
        }).run()
      })
      bar.end()
      const { imported, skipped, folders } = report
      if (json) terminal.out(JSON.stringify({ result: report }))
      else
        terminal.out(
          say({
            en: `${say.number(imported)} mails in ${folders} folders of ${wanted}${skipped > 0 ? `, ${say.number(skipped)} were there already` : ''}.`,
            fr: `${say.number(imported)} courriers dans ${folders} dossiers de ${wanted}${skipped > 0 ? `, ${say.number(skipped)} y étaient déjà` : ''}.`,
          }),
        )
      return report.badCount > 0 ? ExitCode.failed : ExitCode.ok
    } catch (error) {
      bar.end()
      throw new CommandFailed(reasonOf(error), 'demo')
    }
  },
}

/** `ada.lovelace@…` → Ada Lovelace. */
const nameOf = (address: string): string =>
  address
    .slice(0, address.lastIndexOf('@'))
    .split(/[._-]+/)
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join(' ')
