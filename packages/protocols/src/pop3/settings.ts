/** POP3 settings as data, with Exchange's names and defaults (Set-PopSettings). Times in ms. */
import { type SaslMechanism, saslMechanisms } from '@postrider/wire/smtp'

export interface PopSettings {
  readonly fqdn: string
  /** A certificate is there: STLS is offered. */
  readonly startTls: boolean
  readonly authMechanisms: readonly SaslMechanism[]
  /** Without a finished command after login. RFC 1939 §3 asks for at least 10 minutes. */
  readonly authenticatedConnectionTimeout: number
  /** From the connection to the login, all in all. */
  readonly preAuthenticatedConnectionTimeout: number
  readonly maxCommandSize: number
  readonly maxConnections: number
  readonly maxConnectionFromSingleIp: number
  readonly maxConnectionsPerUser: number
  readonly maxLogonFailures: number
  /** Longest wait for the answer to a failed login. */
  readonly authTarpitInterval: number
  /** Commands that are none, before login; then the connection is closed. */
  readonly maxProtocolErrors: number
  /** Oldest first, or newest first (MessageRetrievalSortOrder). */
  readonly messageRetrievalSortOrder: 'Ascending' | 'Descending'
}

const MINUTE = 60_000

export const defaultPopSettings: Omit<PopSettings, 'fqdn'> = {
  startTls: true,
  authMechanisms: saslMechanisms,
  authenticatedConnectionTimeout: 30 * MINUTE,
  preAuthenticatedConnectionTimeout: MINUTE,
  maxCommandSize: 512,
  maxConnections: 2_147_483_647,
  maxConnectionFromSingleIp: 2_147_483_647,
  maxConnectionsPerUser: 16,
  maxLogonFailures: 3,
  authTarpitInterval: 5000,
  maxProtocolErrors: 10,
  messageRetrievalSortOrder: 'Ascending',
}
