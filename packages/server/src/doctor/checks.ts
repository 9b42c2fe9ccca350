import { Resolver } from 'node:dns/promises'
import { statfsSync, statSync, existsSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ServerStatus } from '../administration.ts'
import type { Certificate } from '../certificate/index.ts'
import { listenerPorts } from '../config/settings.ts'
import type { ListenerName } from '../config/settings.ts'
import { connectionCeiling } from '../listeners/gate.ts'
import type { DnsRecord } from './records.ts'

/** One finding. `fail` makes the command fail; `warn` is worth reading. */
export interface Finding {
  readonly about: string
  readonly result: 'ok' | 'warn' | 'fail'
  readonly text: string
}
const finding = (about: string, result: Finding['result'], text: string): Finding => ({ about, result, text })

const GB = 1024 ** 3
const DAY_MS = 86_400_000
const TIMEOUT_MS = 3_000

/** Space below which a mail server soon stops taking mail. */
const LITTLE = 1 * GB

export function checkDisk(folder: string): Finding[] {
  const { bavail, bsize, ffree } = statfsSync(folder)
  const free = bavail * bsize
  const text = `${(free / GB).toFixed(1)} GB free in ${folder}`
  const findings = [free < LITTLE ? finding('disk', 'warn', `${text}: less than 1 GB`) : finding('disk', 'ok', text)]
  if (ffree > 0 && ffree < 10_000) findings.push(finding('disk', 'warn', `only ${ffree} inodes free`))
  const open = (statSync(folder).mode & 0o077) !== 0
  findings.push(
    open
      ? finding('data folder', 'fail', `other users can look into ${folder}. Run: chmod 700 ${folder}`)
      : finding('data folder', 'ok', 'closed to other users'),
  )
  return findings
}

export function checkLimits(wanted: number): Finding {
  const ceiling = connectionCeiling(wanted)
  return ceiling < wanted
    ? finding(
        'connections',
        'warn',
        `the system allows ${ceiling} connections, ${wanted} are configured: raise the limit of open files (LimitNOFILE=)`,
      )
    : finding('connections', 'ok', `${ceiling} at the same time`)
}

/** A clock that is wrong breaks TLS, retries and meetings. There is no outside clock to ask, so the signs of a kept one are looked for. */
export function checkClock(now: number, certificate: Certificate | undefined): Finding {
  const stamp = new Date(now).toISOString()
  if (certificate !== undefined && now > certificate.expires + 10 * 365 * DAY_MS)
    return finding('clock', 'fail', `it is ${stamp}?`)
  if (now < Date.UTC(2026, 0, 1))
    return finding('clock', 'fail', `it says ${stamp}: that is in the past. Set it, and keep it with NTP.`)
  const kept = ['/run/systemd/timesync/synchronized', '/run/chrony', '/var/run/ntpd.pid', '/run/ntpd.pid'].some(
    (file) => existsSync(file),
  )
  return kept
    ? finding('clock', 'ok', `${stamp}, kept by a time service`)
    : finding('clock', 'warn', `${stamp}; no time service was found. Run systemd-timesyncd, chrony or ntpd.`)
}

export function checkCertificate(certificate: Certificate, hosts: readonly string[], now: number): Finding[] {
  const days = Math.floor((certificate.expires - now) / DAY_MS)
  const findings: Finding[] = []
  if (days < 0) findings.push(finding('certificate', 'fail', `expired ${-days} days ago`))
  else if (days < 21) findings.push(finding('certificate', 'warn', `expires in ${days} days`))
  else findings.push(finding('certificate', 'ok', `good for ${days} days`))
  const names = certificate.names.toLowerCase()
  const missing = hosts.filter((host) => {
    const wildcard = `dns:*.${host.slice(host.indexOf('.') + 1)}`
    return !names.includes(`dns:${host}`) && !names.includes(wildcard)
  })
  if (missing.length > 0) findings.push(finding('certificate', 'warn', `does not name ${missing.join(', ')}`))
  if (certificate.selfSigned)
    findings.push(
      finding(
        'certificate',
        'warn',
        'signed by the server itself: devices ask whether to trust it. Set acme.enabled, or tls.certificate and tls.key to one of an authority.',
      ),
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
        ? finding(name, 'ok', `answers on port ${port}${tls ? ' with TLS' : ''}`)
        : finding(name, 'fail', `does not answer on port ${port}: ${error}`)
    }),
  )
}

function tryConnect(host: string, port: number, tls: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Our own listener on our own machine: its certificate is looked at elsewhere.
    const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port })
    const done = (error: string | undefined): void => {
      socket.destroy()
      resolve(error)
    }
    socket.setTimeout(TIMEOUT_MS, () => done('no answer'))
    socket.once('error', (error) => done(error.message))
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
        const about = `DNS ${record.name} ${record.type}`
        try {
          const found = await lookUp(resolver, record)
          if (found.some((one) => matches(record, one))) return finding(about, 'ok', found.join(' | '))
          return finding(about, 'warn', `is ${found.join(' | ') || 'empty'}`)
        } catch (error) {
          const code = (error as NodeJS.ErrnoException).code ?? ''
          const absent = code === 'ENOTFOUND' || code === 'ENODATA'
          return finding(about, 'warn', absent ? 'is not there' : `could not be looked up (${code || String(error)})`)
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
