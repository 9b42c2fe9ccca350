/** One attempt to deliver a queue row to another server: hosts in order, TLS as wanted, one transaction, a result for each recipient. */
import { isAscii } from 'node:buffer'
import type { QueueEntry, QueueRecipient } from '@postrider/domain'
import { bodyStartOf } from '@postrider/wire/mime'
import {
  asciiDomain,
  type MailParameters,
  type RcptParameters,
  type ReceivedReply,
  SmtpValueError,
} from '@postrider/wire/smtp'
import { domainOf, type TransportCore } from '../core.ts'
import { type Egress, EgressError } from '../egress/egress.ts'
import type { RecipientResult } from '../queue/settle.ts'
import type { SendConnector } from '../settings.ts'
import { DialogueError, type RecipientReply, SmtpClient, type Timeouts, timeouts } from './client.ts'
import { asciiHeader } from './downgrade.ts'
import { hasBareLineEnd, recode } from './recode.ts'
import type { Resolver } from './resolver.ts'
import { findRoute, type RemoteHost } from './route.ts'

export interface OutboundWorld {
  readonly egress: Egress
  readonly resolver: Resolver
  readonly timeouts?: Timeouts
}

/** Time to reach one address. */
const CONNECT_TIMEOUT = 30_000
/** Recipients of one transaction (RFC 5321 §4.5.3.1.8: a server takes at least 100). */
const MAX_TRANSACTION_RECIPIENTS = 100

/** A connection that is kept for the next message to the same destination. */
export interface OpenConnection {
  readonly client: SmtpClient
  readonly remote: RemoteHost
  readonly connector: SendConnector
}

/** What a lane of one destination keeps between messages. */
export class DestinationSession {
  readonly #core: TransportCore
  readonly #world: OutboundWorld
  #open: OpenConnection | undefined

  constructor(core: TransportCore, world: OutboundWorld) {
    this.#core = core
    this.#world = world
  }

  /** Tries the row; never rejects for the network's or the peer's faults. `message` is without Return-Path. */
  async deliver(entry: QueueEntry, message: Buffer): Promise<RecipientResult[]> {
    const kept = this.#open
    if (kept !== undefined) {
      this.#open = undefined
      try {
        return await this.#transact(kept, entry, message)
      } catch (error) {
        kept.client.close()
        // A kept connection may have timed out at the peer: that says nothing about the message.
        if (!isConnectionTrouble(error)) throw error
      }
    }
    return this.#fresh(entry, message)
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.client.quit()
  }

  async #fresh(entry: QueueEntry, message: Buffer): Promise<RecipientResult[]> {
    const { settings } = this.#core
    const route = await findRoute(entry.destination, settings, this.#world.resolver)
    if (route.kind !== 'hosts') return all(entry, outcome(route.kind, route.status, route.diagnostic, undefined))
    let last = outcome('transient', '4.4.1', 'no server could be reached', undefined)
    for (const remote of route.hosts)
      for (const address of remote.addresses) {
        try {
          const client = await this.#connect(remote, address, route.connector)
          return await this.#transact({ client, remote, connector: route.connector }, entry, message)
        } catch (error) {
          if (!isConnectionTrouble(error)) throw error
          last = troubleOf(error, remote.host)
          this.#core.log.info({ host: remote.host, address, err: error, queue: entry.id }, 'server not usable')
        }
      }
    return all(entry, last)
  }

  /** Connects, greets, secures and logs in. */
  async #connect(remote: RemoteHost, address: string, connector: SendConnector): Promise<SmtpClient> {
    const { settings } = this.#core
    const client = await this.#dial(remote, address, connector)
    try {
      await client.greet(settings.fqdn)
      if (!client.secure) {
        if (client.capabilities.startTls) {
          const secured = await this.#secure(client, remote, address, connector)
          return await this.#login(secured, remote)
        }
        if (connector.tls !== 'opportunistic') throw new DialogueError('the server offers no TLS, which is required')
      }
      return await this.#login(client, remote)
    } catch (error) {
      client.close()
      throw error
    }
  }

  async #dial(remote: RemoteHost, address: string, connector: SendConnector): Promise<SmtpClient> {
    const verify = connector.tls === 'certificate'
    const socket = await this.#world.egress.connect({
      address,
      port: remote.port,
      host: remote.host,
      timeoutMs: CONNECT_TIMEOUT,
      // A host that the configuration names may be inside; one that a stranger's DNS names may not.
      allowPrivate: remote.smartHost !== undefined || this.#core.settings.allowPrivateAddresses,
      ...(remote.smartHost?.implicitTls ? { tls: { verify } } : {}),
    })
    return new SmtpClient(socket, this.#world.timeouts ?? timeouts)
  }

  /** STARTTLS; where TLS is only nice to have, a broken handshake leads to a second connection without it (RFC 7435). */
  async #secure(
    client: SmtpClient,
    remote: RemoteHost,
    address: string,
    connector: SendConnector,
  ): Promise<SmtpClient> {
    const { fqdn } = this.#core.settings
    try {
      await client.startTls(fqdn, connector.tls === 'certificate')
      return client
    } catch (error) {
      if (connector.tls !== 'opportunistic' || remote.smartHost?.login !== undefined || !isConnectionTrouble(error))
        throw error
      client.close()
      const plain = await this.#dial(remote, address, connector)
      await plain.greet(fqdn).catch((failure: unknown) => {
        plain.close()
        throw failure
      })
      return plain
    }
  }

  async #login(client: SmtpClient, remote: RemoteHost): Promise<SmtpClient> {
    const login = remote.smartHost?.login
    if (login === undefined) return client
    if (!client.secure) throw new DialogueError('the smart host offers no TLS: the password stays here')
    await client.login(login.user, login.password)
    return client
  }

  async #transact(open: OpenConnection, entry: QueueEntry, message: Buffer): Promise<RecipientResult[]> {
    const { client, remote } = open
    const { capabilities } = client
    const sendable = forServer(entry, message, client)
    if ('refusal' in sendable) {
      await client.quit()
      return all(entry, outcome('permanent', sendable.refusal, sendable.diagnostic, undefined))
    }
    // DATA would turn a bare CR or LF into CRLF; BDAT carries it as it is.
    const chunking = capabilities.chunking && hasBareLineEnd(sendable.message)
    const ready = chunking
      ? sendable.message
      : recode(sendable.message, capabilities.eightBitMime || capabilities.smtpUtf8)
    const parameters = mailParameters(entry, ready, client)
    const results: RecipientResult[] = []
    for (let at = 0; at < entry.recipients.length; at += MAX_TRANSACTION_RECIPIENTS) {
      const group = entry.recipients.slice(at, at + MAX_TRANSACTION_RECIPIENTS)
      const recipients = group.map((one) => ({
        address: wireAddress(one.address),
        parameters: capabilities.dsn ? rcptParameters(one) : {},
      }))
      let replies: RecipientReply[]
      try {
        replies = await client.send({ from: wireAddress(entry.from), recipients, parameters, message: ready, chunking })
      } catch (error) {
        if (error instanceof SmtpValueError) {
          results.push(
            ...group.map((one) => ({ recipient: one, ...outcome('permanent', '5.1.3', error.message, undefined) })),
          )
          continue
        }
        if (!isConnectionTrouble(error) || results.length === 0) throw error
        // Some recipients are through already: only the rest is tried again.
        const rest = entry.recipients.slice(at)
        return [...results, ...rest.map((one) => ({ recipient: one, ...troubleOf(error, remote.host) }))]
      }
      results.push(
        ...group.map((one, i) => ({ recipient: one, ...fromReply(replies[i]!, remote.host, capabilities.dsn) })),
      )
    }
    const lost = results.some((one) => one.diagnostic === LOST)
    if (lost) client.close()
    else this.#open = open
    return results
  }
}

const LOST = 'connection lost after the message was sent'

type Outcome = Omit<RecipientResult, 'recipient'>

function outcome(
  kind: RecipientResult['outcome'],
  status: string,
  diagnostic: string,
  remote: string | undefined,
): Outcome {
  return { outcome: kind, status, diagnostic, remote }
}

function all(entry: QueueEntry, result: Outcome): RecipientResult[] {
  return entry.recipients.map((recipient) => ({ recipient, ...result }))
}

function isConnectionTrouble(error: unknown): error is DialogueError | EgressError {
  return error instanceof DialogueError || error instanceof EgressError
}

/** A server that cannot be used now: whatever it said, the next attempt may find it well (a 5xx greeting included). */
function troubleOf(error: DialogueError | EgressError, host: string): Outcome {
  if (error instanceof DialogueError && error.reply !== undefined) {
    const { code, lines } = error.reply
    return outcome('transient', '4.4.2', `${error.message}: ${code} ${lines.join(' ')}`, host)
  }
  const status = error instanceof EgressError && error.kind === 'tls' ? '4.7.5' : '4.4.1'
  return outcome('transient', status, error.message, host)
}

function fromReply(reply: RecipientReply, host: string, dsn: boolean): Outcome {
  if (reply === 'lost') return outcome('transient', '4.4.2', LOST, host)
  const diagnostic = replyText(reply)
  // RFC 3461 §5.2.2: who takes the message with DSN will tell its fate; of others we say that it was relayed.
  if (reply.code < 400) return outcome(dsn ? 'passedOn' : 'relayed', reply.status ?? '2.0.0', diagnostic, host)
  // RFC 5321 §4.5.3.1.10: old servers say 552 for "too many recipients".
  const transient = reply.code < 500 || (reply.code === 552 && /too many recipients/i.test(diagnostic))
  if (transient) return outcome('transient', reply.code < 500 ? (reply.status ?? '4.0.0') : '4.5.3', diagnostic, host)
  return outcome('permanent', reply.status ?? '5.0.0', diagnostic, host)
}

function replyText(reply: ReceivedReply): string {
  const status = reply.status === undefined ? '' : `${reply.status} `
  return `${reply.code} ${status}${reply.lines.join(' ')}`.slice(0, 400)
}

/** The message as this server's extensions allow it, or what they rule out for good: RFC 6531 §3.5, RFC 1870 §6. */
function forServer(
  entry: QueueEntry,
  message: Buffer,
  client: SmtpClient,
): { message: Buffer } | { refusal: string; diagnostic: string } {
  const { smtpUtf8, maxSize } = client.capabilities
  const plain =
    smtpUtf8 || !needsUtf8(entry, message) ? message : hasUtf8Address(entry) ? undefined : asciiHeader(message)
  if (plain === undefined)
    return { refusal: '5.6.7', diagnostic: 'the server does not take internationalised mail (SMTPUTF8)' }
  if (maxSize !== undefined && plain.length > maxSize)
    return { refusal: '5.3.4', diagnostic: `the message is larger than the ${maxSize} bytes the server takes` }
  return { message: plain }
}

/** Header fields or local parts outside ASCII (RFC 6531 §3.6); a domain alone travels as A-labels. */
function needsUtf8(entry: QueueEntry, message: Buffer): boolean {
  if (!entry.smtputf8) return false
  return hasUtf8Address(entry) || !isAscii(message.subarray(0, bodyStartOf(message, 0, message.length)))
}

function hasUtf8Address(entry: QueueEntry): boolean {
  const addresses = [entry.from, ...entry.recipients.map((one) => one.address)].map(wireAddress).join('')
  return !isAscii(Buffer.from(addresses))
}

/** The address with its domain in A-labels where the local part does not need UTF-8 anyway. */
function wireAddress(address: string): string {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  if (at < 0 || !isAscii(Buffer.from(local))) return address
  const domain = asciiDomain(domainOf(address))
  return domain === undefined ? address : `${local}@${domain}`
}

function mailParameters(entry: QueueEntry, message: Buffer, client: SmtpClient): MailParameters {
  const { size, eightBitMime, dsn } = client.capabilities
  const parameters: MailParameters = {}
  if (size) parameters.size = message.length
  if (eightBitMime && !isAscii(message)) parameters.body = '8BITMIME'
  if (needsUtf8(entry, message)) parameters.smtpUtf8 = true
  if (dsn && entry.ret !== undefined) parameters.ret = entry.ret === 'full' ? 'FULL' : 'HDRS'
  if (dsn && entry.envelopeId !== undefined) parameters.envid = entry.envelopeId
  return parameters
}

function rcptParameters(recipient: QueueRecipient): RcptParameters {
  const parameters: RcptParameters = {}
  if (recipient.notify !== undefined) {
    const names = { success: 'SUCCESS', failure: 'FAILURE', delay: 'DELAY' } as const
    parameters.notify = recipient.notify.flatMap((one) => (one === 'never' ? [] : [names[one]]))
  }
  const semicolon = recipient.originalRecipient?.indexOf(';') ?? -1
  if (recipient.originalRecipient !== undefined && semicolon > 0) {
    const addressType = recipient.originalRecipient.slice(0, semicolon)
    parameters.orcpt = { addressType, address: recipient.originalRecipient.slice(semicolon + 1) }
  }
  return parameters
}
