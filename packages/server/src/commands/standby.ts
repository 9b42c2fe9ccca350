import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Phrase, Say } from '@postrider/domain'
import { adminCommand, CommandFailed, ExitCode, type LocalCommand } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import { aside, keyFile, type PrimaryReport, type StandbyReport } from '../standby/index.ts'
import { syncFolder, writeAtomically } from '../transfer/write-file.ts'
import { dirname } from 'node:path'

const none: Phrase = {
  en: 'This server has no standby and is none: set standby.role.',
  fr: 'Ce serveur n’a pas de secours et n’en est pas un : réglez standby.role.',
}

export const standbyStatus = adminCommand<PrimaryReport | StandbyReport>({
  name: 'standby status',
  summary: {
    en: 'Shows how far the standby is behind, on the primary and on the standby.',
    fr: 'Montre le retard du serveur de secours, sur le primaire comme sur le secours.',
  },
  arguments: [],
  options: {},
  where: 'server',
  async run({ server, following }) {
    const report = following?.report() ?? server?.standby()
    if (report === undefined) throw new CommandFailed(none)
    return report
  },
  text: (report, say) => (report.role === 'primary' ? primaryText(report, say) : standbyText(report, say)),
})

function primaryText(report: PrimaryReport, say: Say): string {
  const head = report.connected
    ? say({
        en: `Primary, epoch ${report.epoch}; its standby ${report.to} is connected. Acknowledgements wait for: ${report.wait}.`,
        fr: `Primaire, époque ${report.epoch} ; son secours ${report.to} est connecté. Les accusés attendent : ${report.wait}.`,
      })
    : say({
        en: `Primary, epoch ${report.epoch}; its standby ${report.to} is not connected: ${report.problem ?? ''}`,
        fr: `Primaire, époque ${report.epoch} ; son secours ${report.to} n’est pas connecté : ${report.problem ?? ''}`,
      })
  const rows = report.databases.map(({ name, lagBytes, lagSeconds, degraded, damagedPages }): [string, string] => [
    name,
    say({
      en: `${say.number(lagBytes)} bytes, ${lagSeconds} s behind${degraded ? '; acknowledgements do not wait (degraded)' : ''}`,
      fr: `en retard de ${say.number(lagBytes)} octets, ${lagSeconds} s${degraded ? ' ; les accusés n’attendent plus (dégradé)' : ''}`,
    }) + damagedText(damagedPages.length, say),
  ])
  return `${head}\n${columns(rows)}`
}

const damagedText = (pages: number, say: Say): string =>
  pages === 0
    ? ''
    : say({
        en: `; ${pages} pages are damaged on the primary and could not be copied: run postrider store check there`,
        fr: ` ; ${pages} pages sont endommagées sur le primaire et n’ont pu être copiées : lancez-y postrider store check`,
      })

function standbyText(report: StandbyReport, say: Say): string {
  const silent = report.silentSeconds === null ? '–' : String(report.silentSeconds)
  const head = report.connected
    ? say({
        en: `Standby, epoch ${report.epoch}; its primary is connected, last heard ${silent} s ago.`,
        fr: `Secours, époque ${report.epoch} ; son primaire est connecté, entendu il y a ${silent} s.`,
      })
    : say({
        en: `Standby, epoch ${report.epoch}; its primary is not connected, last heard ${silent} s ago.`,
        fr: `Secours, époque ${report.epoch} ; son primaire n’est pas connecté, entendu il y a ${silent} s.`,
      })
  const ready = report.whole
    ? say({ en: 'It can be promoted.', fr: 'Il peut être promu.' })
    : say({
        en: 'It does not have everything yet and cannot be promoted.',
        fr: 'Il n’a pas encore tout et ne peut pas être promu.',
      })
  const rows = report.databases.map(({ name, until, damagedPages }): [string, string] => [
    name,
    (until ?? '–') + damagedText(damagedPages, say),
  ])
  return `${head}\n${ready}\n${columns(rows)}`
}

export const standbyPromote = adminCommand<{ readonly epoch: number }>({
  name: 'standby promote',
  summary: {
    en: 'On the standby: makes it the primary. The old one refuses to serve as soon as it hears of it.',
    fr: 'Sur le secours : en fait le primaire. L’ancien refuse de servir dès qu’il l’apprend.',
  },
  arguments: [],
  options: {},
  notes: [
    {
      en: 'Make sure that the old primary is off, or cannot be reached by clients: what it takes while it has not heard of this is kept\naside when it rejoins, and not delivered.',
      fr: 'Assurez-vous que l’ancien primaire est éteint, ou hors d’atteinte des clients : ce qu’il accepte sans l’avoir appris est mis de\ncôté quand il revient, et n’est pas distribué.',
    },
  ],
  where: 'server',
  async run({ following }) {
    if (following === undefined)
      throw new CommandFailed({
        en: 'This server is no standby. Run this on the standby.',
        fr: 'Ce serveur n’est pas un secours. Lancez ceci sur le secours.',
      })
    return following.promote()
  },
  text: ({ epoch }, say) =>
    say({
      en: `This server is the primary now, epoch ${epoch}, and starts to serve.`,
      fr: `Ce serveur est maintenant le primaire, époque ${epoch}, et commence à servir.`,
    }),
})

export const standbyRejoin: LocalCommand = {
  name: 'standby rejoin',
  summary: {
    en: 'With the server stopped: moves what is in the data folder aside and makes it a standby.',
    fr: 'Serveur arrêté : met de côté le contenu du dossier de données et en fait un secours.',
  },
  arguments: [],
  options: {},
  where: 'here',
  async run(_words, { loaded, terminal, json, say }) {
    const kept = aside(loaded(), Date.now())
    terminal.out(
      json
        ? JSON.stringify({ result: { before: kept } })
        : say({
            en: `This folder is a standby's now.${kept === null ? '' : ` What was there lies in ${kept}.`} Start it: its primary sends everything.`,
            fr: `Ce dossier est maintenant celui d’un secours.${kept === null ? '' : ` Ce qui était là se trouve dans ${kept}.`} Démarrez-le : son primaire envoie tout.`,
          }),
    )
    return ExitCode.ok
  },
}

export const standbyKey: LocalCommand = {
  name: 'standby key',
  summary: {
    en: 'Makes the secret that a primary and its standby share; copy the file to the other server.',
    fr: 'Crée le secret que partagent un primaire et son secours ; copiez le fichier sur l’autre serveur.',
  },
  arguments: [],
  options: {},
  where: 'here',
  async run(_words, { loaded, terminal, json, say }) {
    const file = keyFile(loaded())
    if (existsSync(file))
      throw new CommandFailed({ en: `${file} is there already.`, fr: `${file} existe déjà.` }, 'exists')
    writeAtomically(file, `${randomBytes(32).toString('base64url')}\n`)
    syncFolder(dirname(file))
    terminal.out(
      json
        ? JSON.stringify({ result: { file } })
        : say({
            en: `The key is in ${file}. Copy it to the other server, readable by its owner only.`,
            fr: `La clé est dans ${file}. Copiez-la sur l’autre serveur, lisible par son seul propriétaire.`,
          }),
    )
    return ExitCode.ok
  },
}
