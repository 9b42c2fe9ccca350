/** DNS as the transport asks it. The real one is below; tests give tables. */
import { lookup as systemLookup } from 'node:dns/promises'
import { Resolver as NodeResolver } from 'node:dns/promises'

export interface MxRecord {
  readonly exchange: string
  readonly priority: number
}

/** What a question came to: `none` is the DNS's own "there is no such thing"; `failed` is no answer at all. */
export type DnsAnswer<T> =
  | { readonly kind: 'found'; readonly records: readonly T[] }
  | { readonly kind: 'noDomain' | 'noData' }
  | { readonly kind: 'failed'; readonly error: string }

export interface Resolver {
  mx(domain: string): Promise<DnsAnswer<MxRecord>>
  /** A and AAAA by DNS. */
  addresses(host: string): Promise<DnsAnswer<string>>
  /** As the system resolves names, hosts file included: for hosts that the configuration names. */
  configured(host: string): Promise<DnsAnswer<string>>
}

/** DNS through Node's resolver. */
export function dnsResolver(options: { timeoutMs?: number; servers?: readonly string[] } = {}): Resolver {
  const resolver = new NodeResolver({ timeout: options.timeoutMs ?? 5000, tries: 2 })
  if (options.servers !== undefined) resolver.setServers([...options.servers])
  return {
    mx: (domain) => answer(resolver.resolveMx(domain)),
    async addresses(host) {
      const [v4, v6] = await Promise.all([answer(resolver.resolve4(host)), answer(resolver.resolve6(host))])
      const records = [v4, v6].flatMap((one) => (one.kind === 'found' ? one.records : []))
      if (records.length > 0) return { kind: 'found', records }
      if (v4.kind === 'failed') return v4
      return v6.kind === 'failed' ? v6 : v4
    },
    configured: (host) =>
      answer(systemLookup(host, { all: true }).then((found) => found.map(({ address }) => address))),
  }
}

async function answer<T>(question: Promise<T[]>): Promise<DnsAnswer<T>> {
  try {
    const records = await question
    return records.length > 0 ? { kind: 'found', records } : { kind: 'noData' }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOTFOUND') return { kind: 'noDomain' }
    if (code === 'ENODATA') return { kind: 'noData' }
    return { kind: 'failed', error: code }
  }
}
