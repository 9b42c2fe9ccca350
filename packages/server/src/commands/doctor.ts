import { type AcceptedDomain, type Phrase, phraseOf, type Say, verbatim } from '@postrider/domain'
import type { ServerStatus } from '../administration.ts'
import { acmeState } from '../acme/index.ts'
import { type Certificate, readCertificate } from '../certificate/index.ts'
import { certificateFiles } from '../certificates.ts'
import { ExitCode, type LocalCommand } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import { type Loaded, postgresServer, publicHost } from '../config/load.ts'
import { type ListenerName, listenerNames, listenerPorts } from '../config/settings.ts'
import { askServer, NotRunning } from '../control/socket.ts'
import {
  checkCertificate,
  checkClock,
  checkDisk,
  checkDns,
  checkLimits,
  checkPorts,
  type Finding,
  topics,
} from '../doctor/checks.ts'
import { checkDatabaseServer } from '../doctor/database-server.ts'
import { type DnsRecord, neededRecords, zoneLines } from '../doctor/records.ts'
import { portsOf } from '../listeners/listen.ts'
import { prepareFolder } from '../offline.ts'

export const doctor: LocalCommand = {
  name: 'doctor',
  summary: {
    en: 'Looks for what is wrong, and prints the DNS records to set.',
    fr: 'Cherche ce qui ne va pas, et donne les enregistrements DNS à créer.',
  },
  arguments: [],
  options: { 'no-dns': { help: { en: 'Asks no name server.', fr: 'N’interroge aucun serveur de noms.' } } },
  notes: [
    {
      en: 'Fails (1) when something does not work; warnings alone do not.',
      fr: 'Échoue (1) quand quelque chose ne marche pas ; pas pour de simples avertissements.',
    },
  ],
  where: 'here',
  async run(words, { loaded: load, terminal, json, say }) {
    const loaded = load()
    prepareFolder(loaded.dataFolder)
    const { findings, status, domains } = await examine(loaded)
    const host = publicHost(loaded.config)
    const portOf = (name: ListenerName): number | undefined => advertised(loaded, status, name)
    const records = domains.flatMap((domain) => neededRecords(domain.name, host, portOf))
    const dns = words.flag('no-dns') ? [] : await checkDns(records)
    const all = [...findings, ...portNotes(loaded, status), ...dns]
    const failed = all.some((one) => one.result === 'fail')
    if (json) {
      const said = all.map(({ about, result, text }) => ({ about: say(about), result, text: say(text) }))
      const needed = records.map((record) => ({ ...record, why: say(record.why) }))
      terminal.out(JSON.stringify({ ok: !failed, findings: said, records: needed }, null, 2))
    } else terminal.out(report(all, records, say))
    return failed ? ExitCode.failed : ExitCode.ok
  },
}

async function examine(
  loaded: Loaded,
): Promise<{ findings: Finding[]; status: ServerStatus | undefined; domains: readonly AcceptedDomain[] }> {
  const { config, dataFolder } = loaded
  const now = Date.now()
  const findings: Finding[] = loaded.warnings.map((text) => ({ about: topics.configuration, result: 'warn', text }))
  findings.push({
    about: topics.configuration,
    result: 'ok',
    text: loaded.found
      ? verbatim(loaded.file)
      : {
          en: `${loaded.file} is not there: all settings have their defaults`,
          fr: `${loaded.file} est absent : tous les réglages ont leur valeur par défaut`,
        },
  })
  findings.push(...(await checkDatabaseServer(postgresServer(config))))
  const status = await ask<ServerStatus>(dataFolder, 'status')
  findings.push(
    status === undefined
      ? {
          about: topics.server,
          result: 'warn',
          text: {
            en: 'is not running: its ports were not looked at',
            fr: 'n’est pas en marche : ses ports n’ont pas été vérifiés',
          },
        }
      : {
          about: topics.server,
          result: status.ready ? 'ok' : 'fail',
          text: {
            en: `runs (process ${status.pid}, ${status.version})`,
            fr: `tourne (processus ${status.pid}, ${status.version})`,
          },
        },
  )
  findings.push(...checkDisk(dataFolder), checkLimits(config['limits.connections']))
  const certificate = certificateOf(loaded)
  findings.push(checkClock(now, 'problem' in certificate ? undefined : certificate))
  if ('problem' in certificate)
    findings.push({
      about: topics.certificate,
      result: status === undefined ? 'warn' : 'fail',
      text: certificate.problem,
    })
  else findings.push(...checkCertificate(certificate, [publicHost(config)], now))
  const order = config['acme.enabled'] ? acmeState(dataFolder) : undefined
  if (order !== undefined && order.lastError !== '')
    findings.push({
      about: verbatim('ACME'),
      result: 'warn',
      text: {
        en: `${order.lastError} Tried ${order.failures} times, again at ${new Date(order.nextTry).toISOString()}.`,
        fr: `${order.lastError} Essais : ${order.failures}, le prochain le ${new Date(order.nextTry).toISOString()}.`,
      },
    })
  if (status !== undefined) findings.push(...(await checkPorts(status)))
  const domains = (await ask<readonly AcceptedDomain[]>(dataFolder, 'domain list')) ?? [
    { name: config.domain, type: 'Authoritative', isDefault: true },
  ]
  return { findings, status, domains }
}

/** The answer of the running server, undefined when there is none. */
async function ask<T>(folder: string, command: string): Promise<T | undefined> {
  try {
    const answer = await askServer(folder, { command, words: { positionals: [], options: {} } })
    return answer.ok ? (answer.result as T) : undefined
  } catch (error) {
    if (error instanceof NotRunning) return undefined
    throw error
  }
}

function certificateOf(loaded: Loaded): Certificate | { readonly problem: Phrase } {
  try {
    return readCertificate(certificateFiles(loaded))
  } catch (error) {
    const own = loaded.config['tls.certificate'] === ''
    return {
      problem: own ? { en: 'is made at the first start', fr: 'est créé au premier démarrage' } : phraseOf(error),
    }
  }
}

const portOfConfig = (loaded: Loaded, name: ListenerName): number | undefined =>
  loaded.config[`listeners.${name}.enabled`] ? portsOf(name, loaded.config)[0] : undefined

const advertised = (loaded: Loaded, status: ServerStatus | undefined, name: ListenerName): number | undefined =>
  status === undefined ? portOfConfig(loaded, name) : status.listeners[name]?.port

/** Other servers know one port only. */
function portNotes(loaded: Loaded, status: ServerStatus | undefined): Finding[] {
  return listenerNames.flatMap((name): Finding[] => {
    const port = advertised(loaded, status, name)
    const { standard } = listenerPorts[name]
    if (port === undefined || port === standard || (name !== 'smtp' && name !== 'https')) return []
    const who =
      name === 'smtp'
        ? { en: 'Other mail servers deliver to', fr: 'Les autres serveurs de courrier ne livrent' }
        : { en: 'Autodiscover asks at', fr: 'Autodiscover ne demande' }
    const text = {
      en: `${who.en} port ${standard} only, this is ${port}: forward ${standard} to it, or set "listeners": { "standardPorts": "on" }.`,
      fr: `${who.fr} qu’au port ${standard}, celui-ci est ${port} : redirigez ${standard} vers lui, ou réglez "listeners": { "standardPorts": "on" }.`,
    }
    return [{ about: verbatim(name), result: 'warn', text }]
  })
}

const marks: Readonly<Record<Finding['result'], Phrase>> = {
  ok: { en: 'ok', fr: 'ok' },
  warn: { en: 'WARN', fr: 'ATTENTION' },
  fail: { en: 'FAIL', fr: 'ÉCHEC' },
}
const noDkim: Phrase = {
  en: 'DKIM: this version does not sign. Let a smart host sign (delivery.smartHost), or do without.',
  fr: 'DKIM : cette version ne signe pas. Laissez un relais signer (delivery.smartHost), ou faites sans.',
}

function report(findings: readonly Finding[], records: readonly DnsRecord[], say: Say): string {
  const lines = columns(
    findings.map(({ about, result, text }) => [say(marks[result]), say(about), say(text)]),
    '',
  )
  const zone = columns(zoneLines(records, say))
  const title = say({ en: 'DNS records to set:', fr: 'Enregistrements DNS à créer :' })
  return `${lines}\n\n${title}\n\n${zone}\n\n${say(noDkim)}`
}
