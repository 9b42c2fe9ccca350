import { alone, type Connection } from '@postrider/domain'
import { encodeReply } from '@postrider/wire/smtp'
import { chooseConnector, type ReceiveConnector } from './connector.ts'
import type { SmtpServices } from './ports.ts'
import { replies } from './replies.ts'
import { type SharedState, SmtpSession } from './session.ts'
import { enterSource } from './sources.ts'

/** Text of messages being received by all sessions together; beyond it a message gets 452 4.3.1. */
export const MAX_BUFFERED_BYTES = 256 * 1024 * 1024

export interface SmtpOptions {
  readonly maxBufferedBytes?: number
}

/** All SMTP sessions of a process. */
export interface SmtpService {
  /** Takes a new connection of a listener with these connectors; the narrowest RemoteIPRanges decide which one answers. */
  accept(connection: Connection, connectors: readonly ReceiveConnector[]): void
  /** Sessions now. */
  readonly size: number
  /** No new sessions; idle ones are told 421, the others when their message is done or after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** Makes the service; it opens nothing by itself. */
export function smtpService(services: SmtpServices, options: SmtpOptions = {}): SmtpService {
  const together = services.together ?? alone()
  const sessions = new Set<SmtpSession>()
  const shared: SharedState = {
    bufferedBytes: 0,
    maxBufferedBytes: options.maxBufferedBytes ?? MAX_BUFFERED_BYTES,
    draining: false,
    nextId: 1,
  }
  return {
    get size() {
      return sessions.size
    },
    accept(connection, connectors) {
      connection.handler = { data: () => {}, closed: () => {} }
      const connector = chooseConnector(connectors, connection.remoteAddress)
      if (connector === undefined) return connection.end(encodeReply(replies.noConnector))
      if (shared.draining) return connection.end(encodeReply(replies.shuttingDown))
      const leave = enterSource(together, connection.remoteAddress, connector)
      if (leave === undefined) {
        services.meter.count('smtp_connections_refused_total')
        return connection.end(encodeReply(replies.tooManyConnections))
      }
      const session: SmtpSession = new SmtpSession(connection, connector, services, shared, () => {
        sessions.delete(session)
        leave()
        services.meter.gauge('smtp_sessions', sessions.size)
      })
      sessions.add(session)
      services.meter.count('smtp_connections_total')
      services.meter.gauge('smtp_sessions', sessions.size)
      connection.handler = session
      session.greet()
    },
    async drain(graceMs) {
      shared.draining = true
      const until = services.clock.monotonic() + graceMs
      for (;;) {
        for (const session of sessions) if (session.transaction === undefined) session.hangUp(replies.shuttingDown)
        if (sessions.size === 0 || services.clock.monotonic() >= until) break
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      for (const session of sessions) session.hangUp(replies.shuttingDown)
    },
  }
}
