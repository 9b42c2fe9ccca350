import { Resolver } from 'node:dns/promises'
import { statfsSync, statSync, existsSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Phrase, speaker, verbatim } from '@postrider/domain'
import type { ServerStatus } from '../administration.ts'
import type { Certificate } from '../certificate/index.ts'
import { listenerPorts } from '../config/settings.ts'
import type { ListenerName } from '../config/settings.ts'
import { connectionCeiling } from '../listeners/gate.ts'
import type { DnsRecord } from './records.ts'

/** One finding. `fail` makes the command fail; `warn` is worth reading. */
export interface Finding {
  readonly about: Phrase
  readonly result: 'ok' | 'warn' | 'fail'
  readonly text: Phrase
}
const finding = (about: Phrase, result: Finding['result'], text: Phrase): Finding => ({ about, result, text })

/** What findings are about. */
export const topics = {
  configuration: { en: 'configuration', fr: 'configuration' },
  server: { en: 'server', fr: 'serveur' },
  disk: { en: 'disk', fr: 'disque' },
  dataFolder: { en: 'data folder', fr: 'dossier de données' },
  connections: { en: 'connections', fr: 'connexions' },
  clock: { en: 'clock', fr: 'horloge' },
  certificate: { en: 'certificate', fr: 'certificat' },
} as const satisfies Readonly<Record<string, Phrase>>

export const noAnswer: Phrase = { en: 'no answer', fr: 'pas de réponse' }

const GB = 1024 ** 3
const DAY_MS = 86_400_000
const TIMEOUT_MS = 3_000

/** Space below which a mail server soon stops taking mail. */
const LITTLE = 1 * GB

export function checkDisk(folder: string): Finding[] {
  const { bavail, bsize, ffree } = statfsSync(folder)
  const free = bavail * bsize
  const text = {
    en: `${(free / GB).toFixed(1)} GB free in ${folder}`,
    fr: `${speaker('fr').number(Number((free / GB).toFixed(1)))} Go libres dans ${folder}`,
  }
  const findings = [
    free < LITTLE
      ? finding(topics.disk, 'warn', { en: `${text.en}: less than 1 GB`, fr: `${text.fr} : moins de 1 Go` })
      : finding(topics.disk, 'ok', text),
  ]
  if (ffree > 0 && ffree < 10_000)
    findings.push(
      finding(topics.disk, 'warn', { en: `only ${ffree} inodes free`, fr: `plus que ${ffree} inodes libres` }),
    )
  const open = (statSync(folder).mode & 0o077) !== 0
  findings.push(
    open
      ? finding(topics.dataFolder, 'fail', {
          en: `other users can look into ${folder}. Run: chmod 700 ${folder}`,
          fr: `d’autres utilisateurs peuvent regarder dans ${folder}. Lancez : chmod 700 ${folder}`,
        })
      : finding(topics.dataFolder, 'ok', { en: 'closed to other users', fr: 'fermé aux autres utilisateurs' }),
  )
  return findings
}

export function checkLimits(wanted: number): Finding {
  const ceiling = connectionCeiling(wanted)
  return ceiling < wanted
    ? finding(topics.connections, 'warn', {
        en: `the system allows ${ceiling} connections, ${wanted} are configured: raise the limit of open files (LimitNOFILE=)`,
        fr: `le système permet ${ceiling} connexions, ${wanted} sont configurées : relevez la limite de fichiers ouverts (LimitNOFILE=)`,
      })
    : finding(topics.connections, 'ok', { en: `${ceiling} at the same time`, fr: `${ceiling} en même temps` })
}

/** A clock that is wrong breaks TLS, retries and meetings. There is no outside clock to ask, so the signs of a kept one are looked for. */
export function checkClock(now: number, certificate: Certificate | undefined): Finding {
  const stamp = new Date(now).toISOString()
  if (certificate !== undefined && now > certificate.expires + 10 * 365 * DAY_MS)
    return finding(topics.clock, 'fail', { en: `it is ${stamp}?`, fr: `il est ${stamp} ?` })
  if (now < Date.UTC(2026, 0, 1))
    return finding(topics.clock, 'fail', {
      en: `it says ${stamp}: that is in the past. Set it, and keep it with NTP.`,
      fr: `elle dit ${stamp} : c’est dans le passé. Réglez-la, et gardez-la à l’heure avec NTP.`,
    })
  const kept = ['/run/systemd/timesync/synchronized', '/run/chrony', '/var/run/ntpd.pid', '/run/ntpd.pid'].some(
    (file) => existsSync(file),
  )
  return kept
    ? finding(topics.clock, 'ok', {
        en: `${stamp}, kept by a time service`,
        fr: `${stamp}, tenue à l’heure par un service`,
      })
    : finding(topics.clock, 'warn', {
        en: `${stamp}; no time service was found. Run systemd-timesyncd, chrony or ntpd.`,
        fr: `${stamp} ; aucun service de temps trouvé. Faites tourner systemd-timesyncd, chrony ou ntpd.`,
      })
}

export function checkCertificate(certificate: Certificate, hosts: readonly string[], now: number): Finding[] {
  const days = Math.floor((certificate.expires - now) / DAY_MS)
  const findings: Finding[] = []
  const { certificate: about } = topics
  if (days < 0)
    findings.push(finding(about, 'fail', { en: `expired ${-days} days ago`, fr: `expiré depuis ${-days} jours` }))
  else if (days < 21)
    findings.push(finding(about, 'warn', { en: `expires in ${days} days`, fr: `expire dans ${days} jours` }))
  else findings.push(finding(about, 'ok', { en: `good for ${days} days`, fr: `valable encore ${days} jours` }))
  const names = certificate.names.toLowerCase()
  const missing = hosts.filter((host) => {
    const wildcard = `dns:*.${host.slice(host.indexOf('.') + 1)}`
    return !names.includes(`dns:${host}`) && !names.includes(wildcard)
  })
  if (missing.length > 0)
    findings.push(
      finding(about, 'warn', { en: `does not name ${missing.join(', ')}`, fr: `ne nomme pas ${missing.join(', ')}` }),
    )
  if (certificate.selfSigned)
    findings.push(
      finding(about, 'warn', {
        en: 'signed by the server itself: devices ask whether to trust it. Set acme.enabled, or tls.certificate and tls.key to one of an authority.',
        fr: 'signé par le serveur lui-même : les appareils demandent s’ils peuvent s’y fier. Réglez acme.enabled, ou tls.certificate et tls.key sur celui d’une autorité.',
      }),
    )
  return findings
}

/** Connects to every listener as a client of this machine would. */
export async function checkPorts(status: ServerStatus): Promise<Finding[]> {
  return Promise.all(
    Object.entries(status.listeners).map(async ([name, { host, port }]) => {
      const tls = listenerPorts[name as ListenerName].tls
      const error = await tryConnect(host, port, tls)
      return error === undefined
        ? finding(verbatim(name), 'ok', {
            en: `answers on port ${port}${tls ? ' with TLS' : ''}`,
            fr: `répond sur le port ${port}${tls ? ' en TLS' : ''}`,
          })
        : finding(verbatim(name), 'fail', {
            en: `does not answer on port ${port}: ${error.en}`,
            fr: `ne répond pas sur le port ${port} : ${error.fr}`,
          })
    }),
  )
}

function tryConnect(host: string, port: number, tls: boolean): Promise<Phrase | undefined> {
  return new Promise((resolve) => {
    // Our own listener on our own machine: its certificate is looked at elsewhere.
    const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port })
    const done = (error: Phrase | undefined): void => {
      socket.destroy()
      resolve(error)
    }
    socket.setTimeout(TIMEOUT_MS, () => done(noAnswer))
    socket.once('error', (error) => done(verbatim(error.message)))
    socket.once(tls ? 'secureConnect' : 'connect', () => done(undefined))
  })
}

/** Whether the records are in the DNS. What is there but different is shown; nothing here fails the command. */
export async function checkDns(records: readonly DnsRecord[]): Promise<Finding[]> {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 })
  return Promise.all(
    records
      .filter((record) => record.value !== '0 0 0 .')
      .map(async (record) => {
        const about = verbatim(`DNS ${record.name} ${record.type}`)
        try {
          const found = await lookUp(resolver, record)
          if (found.some((one) => matches(record, one))) return finding(about, 'ok', verbatim(found.join(' | ')))
          const is = found.join(' | ')
          return finding(about, 'warn', { en: `is ${is || 'empty'}`, fr: is === '' ? 'est vide' : `vaut ${is}` })
        } catch (error) {
          const code = (error as NodeJS.ErrnoException).code ?? ''
          const absent = code === 'ENOTFOUND' || code === 'ENODATA'
          const why = code || String(error)
          return finding(
            about,
            'warn',
            absent
              ? { en: 'is not there', fr: 'n’existe pas' }
              : { en: `could not be looked up (${why})`, fr: `n’a pas pu être interrogé (${why})` },
          )
        }
      }),
  )
}

async function lookUp(resolver: Resolver, { name, type }: DnsRecord): Promise<string[]> {
  const plain = name.replace(/\.$/, '')
  switch (type) {
    case 'MX':
      return (await resolver.resolveMx(plain)).map((one) => `${one.priority} ${one.exchange}.`)
    case 'TXT':
      return (await resolver.resolveTxt(plain)).map((one) => `"${one.join('')}"`)
    case 'SRV':
      return (await resolver.resolveSrv(plain)).map((one) => `${one.priority} ${one.weight} ${one.port} ${one.name}.`)
    default: {
      const both = await Promise.allSettled([resolver.resolve4(plain), resolver.resolve6(plain)])
      const found = both.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
      if (found.length > 0) return found
      throw both.find((one) => one.status === 'rejected')?.reason
    }
  }
}

/** An A record or a CNAME is right when it leads anywhere; the others have their gist compared. */
function matches({ type, value }: DnsRecord, found: string): boolean {
  if (type === 'A/AAAA' || type === 'CNAME') return true
  if (type === 'TXT') return found.toLowerCase().startsWith(value.slice(0, 7).toLowerCase())
  const target = (text: string): string =>
    text
      .split(' ')
      .slice(type === 'MX' ? 1 : 2)
      .join(' ')
      .toLowerCase()
  return target(found) === target(value)
}
