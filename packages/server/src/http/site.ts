import type { Reach, Site } from '@postrider/protocols/autodiscover'
import type { SharedDirectory } from '@postrider/store/directory'
import { publicHost } from '../config/load.ts'
import type { Loaded } from '../config/load.ts'
import type { Config, ListenerName } from '../config/settings.ts'

/** Directory setting: where addresses of a domain live instead, `{ "moved.example": "new.example" }`. */
export const REDIRECTS = 'autodiscover.redirects'

/** Where the listeners really are. */
export type ListenerPort = (name: ListenerName) => number | undefined

/** Host and port of a Host header (RFC 9110 §7.2) that is fit to be given back; undefined otherwise. */
export function hostOf(header: string | undefined): { readonly host: string; readonly port: number } | undefined {
  const match = /^(\[[\da-f:.]{2,45}\]|[a-z\d](?:[a-z\d.-]{0,252}[a-z\d])?)(?::(\d{1,5}))?$/i.exec(header ?? '')
  if (match === null) return undefined
  const port = match[2] === undefined ? 443 : Number(match[2])
  return port >= 1 && port <= 65_535 ? { host: match[1]!.toLowerCase(), port } : undefined
}

/**
 * What this server says about itself to whoever asked under `hostHeader`: the configured names, else the one that just worked. Made anew
 * for every request, so a changed setting shows in the next answer (R11).
 */
export function siteFor(
  { config }: Pick<Loaded, 'config'>,
  directory: SharedDirectory,
  portOf: ListenerPort,
  hostHeader: string | undefined,
): Site {
  const asked = hostOf(hostHeader)
  const https = portOf('https') ?? 443
  const named = config.hostName !== '' ? { host: config.hostName.toLowerCase(), port: https } : undefined
  const { host, port } = named ?? asked ?? { host: publicHost(config), port: https }
  const url =
    config.externalUrl !== '' ? new URL(config.externalUrl).origin : `https://${host}${port === 443 ? '' : `:${port}`}`
  const mailHost = named?.host ?? host.replace(/^(?:autodiscover|autoconfig)\./, 'mail.').replace(/^\[|\]$/g, '')
  const ways = (...list: readonly (readonly [ListenerName, Reach['encryption']])[]): Reach[] =>
    list.flatMap(([name, encryption]) => {
      const at = portOf(name)
      return at === undefined ? [] : [{ host: mailHost, port: at, encryption }]
    })
  return {
    url,
    organization: directory.organization,
    imap: ways(['imaps', 'ssl'], ['imap', 'starttls']),
    pop3: ways(['pop3s', 'ssl'], ['pop3', 'starttls']),
    submission: ways(['submissions', 'ssl'], ['submission', 'starttls']),
    redirect: (address) => redirectOf(address, directory.setting(REDIRECTS)),
  }
}

function redirectOf(address: string, table: unknown): string | undefined {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1).toLowerCase()
  if (typeof table !== 'object' || table === null || !Object.hasOwn(table, domain)) return undefined
  const target = (table as Record<string, unknown>)[domain]
  return typeof target === 'string' && target !== domain ? `${address.slice(0, at)}@${target}` : undefined
}

/** `mail.example.com:993:SSL` of the configuration (ExternalConnectionSettings); several with commas. */
export function externalReach(text: string): Reach[] {
  return text
    .split(',')
    .map((one) => /^([^:\s]+):(\d{1,5}):(SSL|TLS)$/i.exec(one.trim()))
    .flatMap((match) =>
      match === null
        ? []
        : [
            {
              host: match[1]!,
              port: Number(match[2]),
              encryption: match[3]!.toUpperCase() === 'SSL' ? ('ssl' as const) : ('starttls' as const),
            },
          ],
    )
}

export const outsideOf = (config: Config): { imap: Reach[]; pop3: Reach[]; submission: Reach[] } => ({
  imap: externalReach(config['imap.externalConnection']),
  pop3: externalReach(config['pop3.externalConnection']),
  submission: externalReach(config['submission.externalConnection']),
})
