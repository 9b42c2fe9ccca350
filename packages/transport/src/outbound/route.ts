/** Where the mail of a destination goes: RFC 5321 §5.1, null MX (RFC 7505), or the smart hosts of its send connector. */
import { isIP } from 'node:net'
import { chooseSendConnector, type SendConnector, type SmartHost, type TransportSettings } from '../settings.ts'
import type { Resolver } from './resolver.ts'

/** One server to try. */
export interface RemoteHost {
  readonly host: string
  readonly addresses: readonly string[]
  readonly port: number
  readonly smartHost: SmartHost | undefined
}

export type Route =
  /** In the order to try. */
  | { kind: 'hosts'; hosts: readonly RemoteHost[]; connector: SendConnector }
  | { kind: 'permanent' | 'transient'; status: string; diagnostic: string }

/** Hosts tried for one destination. */
const MAX_HOSTS = 8
/** Addresses tried of one host. */
const MAX_ADDRESSES = 6

/** Finds the way; never rejects. */
export async function findRoute(destination: string, settings: TransportSettings, resolver: Resolver): Promise<Route> {
  const connector = chooseSendConnector(settings.sendConnectors, destination)
  if (connector === undefined)
    return { kind: 'permanent', status: '5.4.4', diagnostic: 'no send connector for the domain' }
  if (connector.smartHosts.length > 0) return smartHostRoute(connector, resolver)
  const literal = addressLiteral(destination)
  if (literal !== undefined) {
    const host = { host: literal, addresses: [literal], port: settings.outboundPort, smartHost: undefined }
    return { kind: 'hosts', hosts: [host], connector }
  }
  const names = await exchangers(destination, settings, resolver)
  if (!Array.isArray(names)) return names
  const hosts: RemoteHost[] = []
  let failed: string | undefined
  for (const host of names.slice(0, MAX_HOSTS)) {
    const answer = await resolver.addresses(host)
    if (answer.kind === 'failed') failed = answer.error
    if (answer.kind !== 'found') continue
    const addresses = answer.records.slice(0, MAX_ADDRESSES)
    hosts.push({ host, addresses, port: settings.outboundPort, smartHost: undefined })
  }
  if (hosts.length > 0) return { kind: 'hosts', hosts, connector }
  return failed === undefined
    ? { kind: 'permanent', status: '5.4.4', diagnostic: 'no address for any mail server of the domain' }
    : { kind: 'transient', status: '4.4.3', diagnostic: `DNS: ${failed}` }
}

async function exchangers(domain: string, settings: TransportSettings, resolver: Resolver): Promise<string[] | Route> {
  const answer = await resolver.mx(domain)
  switch (answer.kind) {
    case 'failed':
      return { kind: 'transient', status: '4.4.3', diagnostic: `DNS: ${answer.error}` }
    case 'noDomain':
      return { kind: 'permanent', status: '5.1.2', diagnostic: 'the domain does not exist' }
    case 'noData':
      // RFC 5321 §5.1: without MX the domain is its own server.
      return [domain]
    case 'found': {
      const records = answer.records.filter(({ exchange }) => exchange !== '' && exchange !== '.')
      if (records.length === 0)
        return { kind: 'permanent', status: '5.1.10', diagnostic: 'the domain takes no mail (null MX)' }
      const own = records.find(({ exchange }) => exchange.toLowerCase() === settings.fqdn.toLowerCase())
      // Being one of them ourselves, only better ones may get it: everything else is a loop.
      const usable = own === undefined ? records : records.filter(({ priority }) => priority < own.priority)
      if (usable.length === 0)
        return { kind: 'permanent', status: '5.4.6', diagnostic: 'mail for the domain loops back to us' }
      return shuffledByPriority(usable)
    }
  }
}

function shuffledByPriority(records: readonly { exchange: string; priority: number }[]): string[] {
  const keyed = records.map(({ exchange, priority }) => ({ exchange, priority, random: Math.random() }))
  keyed.sort((a, b) => a.priority - b.priority || a.random - b.random)
  return [...new Set(keyed.map(({ exchange }) => exchange.toLowerCase()))]
}

async function smartHostRoute(connector: SendConnector, resolver: Resolver): Promise<Route> {
  const hosts: RemoteHost[] = []
  for (const smartHost of connector.smartHosts) {
    const { host, port } = smartHost
    if (isIP(host) !== 0) hosts.push({ host, addresses: [host], port, smartHost })
    else {
      const answer = await resolver.configured(host)
      if (answer.kind === 'found')
        hosts.push({ host, addresses: answer.records.slice(0, MAX_ADDRESSES), port, smartHost })
    }
  }
  // A name in the configuration that does not resolve is a fault on our side, which somebody will mend.
  if (hosts.length === 0) return { kind: 'transient', status: '4.4.3', diagnostic: 'the smart host has no address' }
  return { kind: 'hosts', hosts, connector }
}

function addressLiteral(destination: string): string | undefined {
  const inner = /^\[(?:ipv6:)?([^\]]+)\]$/i.exec(destination)?.[1]
  return inner !== undefined && isIP(inner) !== 0 ? inner : undefined
}
