/**
 * Receive connectors as data, with Exchange's names and defaults (Set-ReceiveConnector). One listener may have several: the one whose
 * RemoteIPRanges fit the client most closely answers, which is how relaying from a printer's address is allowed without opening the door
 * for everybody (R30).
 */
import { type SaslMechanism, saslMechanisms } from '@postrider/wire/smtp'
import { isInRange, parseIpRange, rangeSize } from './ip-range.ts'

export interface ReceiveConnector {
  readonly name: string
  /** The name we greet with and write into Received. */
  readonly fqdn: string
  /** Client addresses this connector serves. */
  readonly remoteIpRanges: readonly string[]
  /** Clients may reach recipients anywhere without logging in: only for a connector of listed addresses. */
  readonly relay: boolean
  /** MAIL only after AUTH (PermissionGroups ExchangeUsers alone). */
  readonly requireAuthentication: boolean
  /** MAIL only inside TLS. */
  readonly requireTls: boolean
  /** A certificate is there: STARTTLS is offered. */
  readonly startTls: boolean
  /** Offered inside TLS only, whatever else is set. Empty: no AUTH here. */
  readonly authMechanisms: readonly SaslMechanism[]
  readonly maxMessageSize: number
  readonly maxHeaderSize: number
  readonly maxHopCount: number
  readonly maxRecipientsPerMessage: number
  /** Failed logins, then the connection is closed. */
  readonly maxLogonFailures: number
  /** Syntax and sequence errors, then the connection is closed. */
  readonly maxProtocolErrors: number
  /** ms a client waits for an answer it earned by guessing recipients. */
  readonly tarpitInterval: number
  /** Refused recipients of one connection that are answered at once: a typing error costs nobody five seconds. */
  readonly tarpitAfter: number
  /** ms a client waits for the answer to a failed login. */
  readonly authTarpitInterval: number
  /** ms a connection may last, busy or not. */
  readonly connectionTimeout: number
  /** ms without a finished command (or some kilobytes of message). */
  readonly connectionInactivityTimeout: number
  readonly maxInboundConnection: number
  readonly maxInboundConnectionPerSource: number
  /** Sources that are not counted one by one: the machine itself and the proxies in front of it. */
  readonly perSourceExempt: readonly string[]
  readonly pipelining: boolean
  readonly chunking: boolean
  readonly eightBitMime: boolean
  readonly smtpUtf8: boolean
  readonly deliveryStatusNotification: boolean
  readonly enhancedStatusCodes: boolean
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const everywhere = ['0.0.0.0-255.255.255.255', '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']

/** Exchange's defaults. */
const common: Omit<ReceiveConnector, 'name' | 'fqdn'> = {
  remoteIpRanges: everywhere,
  relay: false,
  requireAuthentication: false,
  requireTls: false,
  startTls: true,
  authMechanisms: [],
  maxMessageSize: 36 * 1024 * 1024,
  maxHeaderSize: 256 * 1024,
  maxHopCount: 60,
  maxRecipientsPerMessage: 200,
  maxLogonFailures: 3,
  maxProtocolErrors: 5,
  tarpitInterval: 5 * SECOND,
  tarpitAfter: 5,
  authTarpitInterval: 5 * SECOND,
  connectionTimeout: 10 * MINUTE,
  connectionInactivityTimeout: 5 * MINUTE,
  maxInboundConnection: 5000,
  maxInboundConnectionPerSource: 20,
  perSourceExempt: ['127.0.0.0/8', '::1'],
  pipelining: true,
  chunking: true,
  eightBitMime: true,
  smtpUtf8: true,
  deliveryStatusNotification: true,
  enhancedStatusCodes: true,
}

/** Port 25: mail from other servers to our recipients, no login. */
export function defaultFrontend(fqdn: string, change: Partial<ReceiveConnector> = {}): ReceiveConnector {
  return { ...common, name: `Default Frontend ${fqdn}`, fqdn, ...change }
}

/** Ports 587 and 465: our users, after TLS and login, to everybody (R29, R36). */
export function clientFrontend(fqdn: string, change: Partial<ReceiveConnector> = {}): ReceiveConnector {
  return {
    ...common,
    name: `Client Frontend ${fqdn}`,
    fqdn,
    requireAuthentication: true,
    requireTls: true,
    authMechanisms: saslMechanisms,
    ...change,
  }
}

/** A connector for machines at listed addresses that may send anywhere without a login (R30). */
export function relayConnector(
  fqdn: string,
  remoteIpRanges: readonly string[],
  change: Partial<ReceiveConnector> = {},
): ReceiveConnector {
  return { ...common, name: `Relay ${fqdn}`, fqdn, remoteIpRanges, relay: true, ...change }
}

/** The connector of a listener that fits a client's address most closely; undefined when none does: refuse. */
export function chooseConnector(
  connectors: readonly ReceiveConnector[],
  remoteAddress: string,
): ReceiveConnector | undefined {
  let best: ReceiveConnector | undefined
  let bestSize: bigint | undefined
  for (const connector of connectors)
    for (const text of connector.remoteIpRanges) {
      const range = parseIpRange(text)
      if (range === undefined || !isInRange(remoteAddress, range)) continue
      if (bestSize !== undefined && rangeSize(range) >= bestSize) continue
      best = connector
      bestSize = rangeSize(range)
    }
  return best
}

/** Whether an address is in a list of ranges. */
export function isListed(address: string, ranges: readonly string[]): boolean {
  return ranges.some((text) => {
    const range = parseIpRange(text)
    return range !== undefined && isInRange(address, range)
  })
}
