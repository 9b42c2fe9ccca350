import { type Phrase, type Say, verbatim } from '@postrider/domain'
import type { ListenerName } from '../config/settings.ts'

/** One DNS record that ought to be there. */
export interface DnsRecord {
  readonly name: string
  readonly type: 'MX' | 'A/AAAA' | 'TXT' | 'CNAME' | 'SRV'
  readonly value: string
  readonly why: Phrase
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

const deliveredHere: Phrase = { en: 'other servers deliver here', fr: 'les autres serveurs livrent ici' }
const publicAddress: Phrase = { en: 'the public address of this server', fr: 'l’adresse publique de ce serveur' }

/** The records that make mail and devices find this server, for one domain. `portOf` says where each service is reached. */
export function neededRecords(
  domain: string,
  host: string,
  portOf: (name: ListenerName) => number | undefined,
): DnsRecord[] {
  const inZone = host === domain || host.endsWith(`.${domain}`)
  return [
    { name: `${domain}.`, type: 'MX', value: `10 ${host}.`, why: deliveredHere },
    ...(inZone
      ? [{ name: `${host}.`, type: 'A/AAAA' as const, value: publicAddress.en, why: { en: 'its name', fr: 'son nom' } }]
      : []),
    {
      name: `${domain}.`,
      type: 'TXT',
      value: '"v=spf1 mx -all"',
      why: {
        en: 'SPF: only this server sends for the domain',
        fr: 'SPF : seul ce serveur envoie pour le domaine',
      },
    },
    {
      name: `_dmarc.${domain}.`,
      type: 'TXT',
      value: `"v=DMARC1; p=none; rua=mailto:postmaster@${domain}"`,
      why: { en: 'DMARC: reports of forged mail', fr: 'DMARC : rapports sur le courrier falsifié' },
    },
    {
      name: `autodiscover.${domain}.`,
      type: 'CNAME',
      value: `${host}.`,
      why: {
        en: 'phones and Outlook set themselves up',
        fr: 'les téléphones et Outlook se configurent seuls',
      },
    },
    {
      name: `autoconfig.${domain}.`,
      type: 'CNAME',
      value: `${host}.`,
      why: { en: 'Thunderbird sets itself up', fr: 'Thunderbird se configure seul' },
    },
    ...srv.map(([service, listener, priority]): DnsRecord => {
      const port = portOf(listener)
      return {
        name: `${service}._tcp.${domain}.`,
        type: 'SRV',
        // RFC 6186 §3.4: a single dot says that a service is not there.
        value: port === undefined ? '0 0 0 .' : `${priority} 1 ${port} ${host}.`,
        why:
          port === undefined
            ? { en: `${listener} is not offered`, fr: `${listener} n’est pas offert` }
            : verbatim(listener),
      }
    }),
  ]
}

/** A zone file's lines. */
export const zoneLines = (records: readonly DnsRecord[], say: Say): string[][] =>
  records.map(({ name, type, value, why }) => [
    name,
    type,
    type === 'A/AAAA' ? `(${say(publicAddress)})` : value,
    `; ${say(why)}`,
  ])
