import { readFileSync } from 'node:fs'
import {
  defaultSettings as activeSyncDefaults,
  type Settings as ActiveSyncSettings,
} from '@postrider/protocols/activesync'
import type { ImapSettings } from '@postrider/protocols/imap'
import { defaultPopSettings, type PopSettings } from '@postrider/protocols/pop3'
import { clientFrontend, defaultFrontend, type ReceiveConnector, relayConnector } from '@postrider/protocols/smtp'
import { defaultThrottle, type ThrottlePolicy } from '@postrider/store/directory'
import type { SendConnector, TransportSettings } from '@postrider/transport'
import { configPath, type Loaded, publicHost } from './config/load.ts'
import type { Config } from './config/settings.ts'

/** What the configuration means to each part, in that part's own words. */

export const imapSettings = (config: Config): Partial<ImapSettings> => ({
  maxConnectionsPerUser: config['imap.connectionsPerUser'],
  preAuthenticatedTimeout: config['imap.preAuthenticatedTimeout'],
  authenticatedTimeout: config['imap.authenticatedTimeout'],
  showHiddenFolders: config['imap.showHiddenFolders'],
  appendLimit: config['limits.messageSize'],
})

export const popSettings = (config: Config): PopSettings => ({
  ...defaultPopSettings,
  fqdn: publicHost(config),
  maxConnectionsPerUser: config['pop3.connectionsPerUser'],
  preAuthenticatedConnectionTimeout: config['pop3.preAuthenticatedTimeout'],
  authenticatedConnectionTimeout: config['pop3.authenticatedTimeout'],
})

export const activeSyncSettings = (config: Config): ActiveSyncSettings => ({
  ...activeSyncDefaults,
  maxDevices: config['activesync.maxDevices'],
  minHeartbeatInterval: Math.ceil(config['activesync.minHeartbeat'] / 1_000),
  maxHeartbeatInterval: Math.floor(config['activesync.maxHeartbeat'] / 1_000),
  requireProvisioning: config['activesync.requireProvisioning'],
  defaultAccessLevel: config['activesync.defaultAccessLevel'],
  pingOnChanges: config['activesync.pingOnChanges'],
  // A message in a WBXML document, with room for what stands around it.
  maxRequestBytes: config['limits.messageSize'] + 1024 * 1024,
})

/** The receive connectors of the three SMTP listeners (administration.md: Client Frontend, Default Frontend, and R30's relay). */
export function receiveConnectors(
  config: Config,
): Record<'smtp' | 'submission' | 'submissions', readonly ReceiveConnector[]> {
  const fqdn = publicHost(config)
  const limits = { maxMessageSize: config['limits.messageSize'], maxRecipientsPerMessage: config['limits.recipients'] }
  const relayFrom = config['delivery.relayFrom']
  const relays = relayFrom.length === 0 ? [] : [relayConnector(fqdn, relayFrom, { ...limits, requireTls: true })]
  const client = clientFrontend(fqdn, limits)
  return { smtp: [defaultFrontend(fqdn, limits), ...relays], submission: [client], submissions: [client] }
}

export function transportSettings(loaded: Loaded): Partial<TransportSettings> & Pick<TransportSettings, 'fqdn'> {
  const { config } = loaded
  return {
    fqdn: publicHost(config),
    maxMessageSize: config['limits.messageSize'],
    maxRecipients: config['limits.recipients'],
    messageExpirationTimeout: config['delivery.expiration'],
    delayNotificationTimeout: config['delivery.delayNotification'],
    maxOutboundConnections: config['delivery.connections'],
    maxPerDomainOutboundConnections: config['delivery.connectionsPerDomain'],
    outboundPort: config['delivery.port'],
    transientFailureRetryInterval: config['delivery.retryInterval'],
    messageRetryInterval: 2 * config['delivery.retryInterval'],
    // Looked at often enough for the shortest wait that was asked for.
    pollInterval: Math.min(MAX_POLL, config['delivery.retryInterval']),
    allowPrivateAddresses: config['delivery.allowPrivateAddresses'],
    ...(config['delivery.smartHost'] === '' ? {} : { sendConnectors: [smartHostConnector(loaded)] }),
  }
}

const SMTPS = 465
/** ms between two looks at the queue. */
const MAX_POLL = 5_000

function smartHostConnector(loaded: Loaded): SendConnector {
  const { config } = loaded
  const [, host = '', given] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(config['delivery.smartHost']) ?? []
  const port = given === undefined ? config['delivery.port'] : Number(given)
  const user = config['delivery.smartHostUser']
  const file = config['delivery.smartHostPasswordFile']
  const password = file === '' ? '' : (readFileSync(configPath(loaded, file), 'utf8').split(/\r?\n/, 1)[0] ?? '')
  return {
    name: 'Smart host',
    addressSpaces: ['*'],
    smartHosts: [
      {
        host: host.replace(/^\[|\]$/g, ''),
        port,
        implicitTls: port === SMTPS,
        ...(user === '' ? {} : { login: { user, password } }),
      },
    ],
    // A password goes out encrypted or not at all.
    tls: user === '' ? 'opportunistic' : 'encryption',
  }
}

export const throttlePolicy = (config: Config): ThrottlePolicy => ({
  ...defaultThrottle,
  pair: { ...defaultThrottle.pair, free: config['authentication.attempts'] },
  address: { ...defaultThrottle.address, free: config['authentication.attemptsPerAddress'] },
})
