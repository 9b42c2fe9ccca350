import type { ListenerName } from '../config/settings.ts'

/** One DNS record that ought to be there. */
export interface DnsRecord {
  readonly name: string
  readonly type: 'MX' | 'A/AAAA' | 'TXT' | 'CNAME' | 'SRV'
  readonly value: string
  readonly why: string
}

/** Services of RFC 6186, RFC 8314 and Autodiscover as SRV records. */
const srv: readonly (readonly [service: string, listener: ListenerName, priority: number])[] = [
  ['_autodiscover', 'https', 0],
  ['_imaps', 'imaps', 0],
  ['_imap', 'imap', 10],
  ['_pop3s', 'pop3s', 20],
  ['_pop3', 'pop3', 30],
  ['_submissions', 'submissions', 0],
  ['_submission', 'submission', 10],
]

/** The records that make mail and devices find this server, for one domain. `portOf` says where each service is reached. */
export function neededRecords(
  domain: string,
  host: string,
  portOf: (name: ListenerName) => number | undefined,
): DnsRecord[] {
  const inZone = host === domain || host.endsWith(`.${domain}`)
  return [
    { name: `${domain}.`, type: 'MX', value: `10 ${host}.`, why: 'other servers deliver here' },
    ...(inZone
      ? [{ name: `${host}.`, type: 'A/AAAA' as const, value: 'the public address of this server', why: 'its name' }]
      : []),
    { name: `${domain}.`, type: 'TXT', value: '"v=spf1 mx -all"', why: 'SPF: only this server sends for the domain' },
    {
      name: `_dmarc.${domain}.`,
      type: 'TXT',
      value: `"v=DMARC1; p=none; rua=mailto:postmaster@${domain}"`,
      why: 'DMARC: reports of forged mail',
    },
    { name: `autodiscover.${domain}.`, type: 'CNAME', value: `${host}.`, why: 'phones and Outlook set themselves up' },
    { name: `autoconfig.${domain}.`, type: 'CNAME', value: `${host}.`, why: 'Thunderbird sets itself up' },
    ...srv.map(([service, listener, priority]): DnsRecord => {
      const port = portOf(listener)
      return {
        name: `${service}._tcp.${domain}.`,
        type: 'SRV',
        // RFC 6186 §3.4: a single dot says that a service is not there.
        value: port === undefined ? '0 0 0 .' : `${priority} 1 ${port} ${host}.`,
        why: port === undefined ? `${listener} is not offered` : listener,
      }
    }),
  ]
}

/** A zone file's lines. */
export const zoneLines = (records: readonly DnsRecord[]): string[][] =>
  records.map(({ name, type, value, why }) => [name, type, type === 'A/AAAA' ? `(${value})` : value, `; ${why}`])
