import type { AcceptedDomain } from '@postrider/domain'
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
} from '../doctor/checks.ts'
import { checkDatabaseServer } from '../doctor/database-server.ts'
import { type DnsRecord, neededRecords, zoneLines } from '../doctor/records.ts'
import { portsOf } from '../listeners/listen.ts'
import { prepareFolder } from '../offline.ts'

export const doctor: LocalCommand = {
  name: 'doctor',
  summary: 'Looks for what is wrong, and prints the DNS records to set.',
  arguments: [],
  options: { 'no-dns': { help: 'Asks no name server.' } },
  notes: ['Fails (1) when something does not work; warnings alone do not.'],
  where: 'here',
  async run(words, { loaded: load, terminal, json }) {
    const loaded = load()
    prepareFolder(loaded.dataFolder)
    const { findings, status, domains } = await examine(loaded)
    const host = publicHost(loaded.config)
    const portOf = (name: ListenerName): number | undefined => advertised(loaded, status, name)
    const records = domains.flatMap((domain) => neededRecords(domain.name, host, portOf))
    const dns = words.flag('no-dns') ? [] : await checkDns(records)
    const all = [...findings, ...portNotes(loaded, status), ...dns]
    const failed = all.some((one) => one.result === 'fail')
    if (json) terminal.out(JSON.stringify({ ok: !failed, findings: all, records }, null, 2))
    else terminal.out(report(all, records))
    return failed ? ExitCode.failed : ExitCode.ok
  },
}

async function examine(
  loaded: Loaded,
): Promise<{ findings: Finding[]; status: ServerStatus | undefined; domains: readonly AcceptedDomain[] }> {
  const { config, dataFolder } = loaded
  const now = Date.now()
  const findings: Finding[] = loaded.warnings.map((text) => ({ about: 'configuration', result: 'warn', text }))
  findings.push({
    about: 'configuration',
    result: 'ok',
    text: loaded.found ? loaded.file : `${loaded.file} is not there: all settings have their defaults`,
  })
  findings.push(...(await checkDatabaseServer(postgresServer(config))))
  const status = await ask<ServerStatus>(dataFolder, 'status')
  findings.push(
    status === undefined
      ? { about: 'server', result: 'warn', text: 'is not running: its ports were not looked at' }
      : {
          about: 'server',
          result: status.ready ? 'ok' : 'fail',
          text: `runs (process ${status.pid}, ${status.version})`,
        },
  )
  findings.push(...checkDisk(dataFolder), checkLimits(config['limits.connections']))
  const certificate = certificateOf(loaded)
  findings.push(checkClock(now, typeof certificate === 'string' ? undefined : certificate))
  if (typeof certificate === 'string')
    findings.push({ about: 'certificate', result: status === undefined ? 'warn' : 'fail', text: certificate })
  else findings.push(...checkCertificate(certificate, [publicHost(config)], now))
  const order = config['acme.enabled'] ? acmeState(dataFolder) : undefined
  if (order !== undefined && order.lastError !== '')
    findings.push({
      about: 'ACME',
      result: 'warn',
      text: `${order.lastError} Tried ${order.failures} times, again at ${new Date(order.nextTry).toISOString()}.`,
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

function certificateOf(loaded: Loaded): Certificate | string {
  try {
    return readCertificate(certificateFiles(loaded))
  } catch (error) {
    return loaded.config['tls.certificate'] === '' ? 'is made at the first start' : (error as Error).message
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
    const who = name === 'smtp' ? 'Other mail servers deliver to' : 'Autodiscover asks at'
    const text = `${who} port ${standard} only, this is ${port}: forward ${standard} to it, or set "listeners": { "standardPorts": "on" }.`
    return [{ about: name, result: 'warn', text }]
  })
}

const marks = { ok: 'ok', warn: 'WARN', fail: 'FAIL' } as const

function report(findings: readonly Finding[], records: readonly DnsRecord[]): string {
  const lines = columns(
    findings.map(({ about, result, text }) => [marks[result], about, text]),
    '',
  )
  const zone = columns(zoneLines(records))
  return `${lines}\n\nDNS records to set:\n\n${zone}\n\nDKIM: this version does not sign. Let a smart host sign (delivery.smartHost), or do without.`
}
