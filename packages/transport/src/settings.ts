/**
 * The transport's settings with Exchange's names and defaults (Set-TransportService, Set-SendConnector, Set-TransportConfig). All
 * times in ms.
 */
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export interface TransportSettings {
  /** Our name: EHLO, Received, Reporting-MTA. */
  readonly fqdn: string
  readonly maxMessageSize: number
  readonly maxHopCount: number
  /** Recipients of one submission that does not come by SMTP (MaxRecipientEnvelopeLimit). */
  readonly maxRecipients: number
  readonly messageExpirationTimeout: number
  readonly delayNotificationTimeout: number
  /** The first `transientFailureRetryCount` retries come this far apart, the later ones after `messageRetryInterval`. */
  readonly transientFailureRetryInterval: number
  readonly transientFailureRetryCount: number
  readonly messageRetryInterval: number
  readonly maxOutboundConnections: number
  readonly maxPerDomainOutboundConnections: number
  /** How long a claim of a queue entry holds; whoever takes over after a crash waits for so long. */
  readonly lease: number
  /** A whole delivery attempt must end within this, well before the lease does. */
  readonly attemptTimeout: number
  /** How often the queue is looked at for entries that have become due. */
  readonly pollInterval: number
  readonly sendConnectors: readonly SendConnector[]
  /** Outbound connections to private and loopback addresses found by DNS. Smart hosts may be there anyway. */
  readonly allowPrivateAddresses: boolean
  readonly outboundPort: number
}

/** A way out for some address spaces; the most specific one that fits a domain is taken. */
export interface SendConnector {
  readonly name: string
  /** `*`, `example.org`, `*.example.org`. */
  readonly addressSpaces: readonly string[]
  /** Empty: by MX records. */
  readonly smartHosts: readonly SmartHost[]
  /** No message without TLS; with `certificate`, the certificate must be good too. */
  readonly tls: 'opportunistic' | 'encryption' | 'certificate'
}

export interface SmartHost {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (465). */
  readonly implicitTls?: boolean
  readonly login?: { readonly user: string; readonly password: string }
}

export const defaultSettings: Omit<TransportSettings, 'fqdn'> = {
  maxMessageSize: 36 * 1024 * 1024,
  maxHopCount: 60,
  maxRecipients: 500,
  messageExpirationTimeout: 2 * DAY,
  delayNotificationTimeout: 4 * HOUR,
  transientFailureRetryInterval: 5 * MINUTE,
  transientFailureRetryCount: 6,
  messageRetryInterval: 10 * MINUTE,
  maxOutboundConnections: 1000,
  maxPerDomainOutboundConnections: 40,
  lease: 15 * MINUTE,
  attemptTimeout: 13 * MINUTE,
  pollInterval: 5 * SECOND,
  sendConnectors: [{ name: 'Internet', addressSpaces: ['*'], smartHosts: [], tls: 'opportunistic' }],
  allowPrivateAddresses: false,
  outboundPort: 25,
}

/** When to try again after the `attempts`th failed attempt. */
export function retryDelay(settings: TransportSettings, attempts: number): number {
  return attempts <= settings.transientFailureRetryCount
    ? settings.transientFailureRetryInterval
    : settings.messageRetryInterval
}

/** The send connector of a domain; undefined when no address space fits. */
export function chooseSendConnector(connectors: readonly SendConnector[], domain: string): SendConnector | undefined {
  let best: SendConnector | undefined
  let bestLength = -1
  for (const connector of connectors)
    for (const space of connector.addressSpaces) {
      const key = space.toLowerCase()
      const fits = key === '*' || key === domain || (key.startsWith('*.') && domain.endsWith(key.slice(1)))
      const length = key === '*' ? 0 : key.length
      if (fits && length > bestLength) {
        best = connector
        bestLength = length
      }
    }
  return best
}
