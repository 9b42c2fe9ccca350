import { alone, type Connection } from '@postrider/domain'
import { err } from '@postrider/wire/pop3'
import type { Pop3Services } from './ports.ts'
import { Pop3Session } from './session.ts'
import type { PopSettings } from './settings.ts'
import { say } from './texts.ts'

/** All POP3 sessions of a process. */
export interface Pop3Service {
  accept(connection: Connection, settings: PopSettings): void
  readonly size: number
  /** No new sessions; the present ones are told and closed. Nothing they marked is deleted. */
  drain(): void
}

/** Makes the service; it opens nothing by itself. */
export function pop3Service(services: Pop3Services): Pop3Service {
  const sessions = new Set<Pop3Session>()
  const together = services.together ?? alone()
  let draining = false
  return {
    get size() {
      return sessions.size
    },
    accept(connection, settings) {
      connection.handler = { data: () => {}, closed: () => {} }
      if (draining) return connection.end(err(say('en', 'shuttingDown'), 'SYS/TEMP'))
      const leave = together.enter('pop3', '', settings.maxConnections)
      const leaveSource = together.enter('pop3 source', connection.remoteAddress, settings.maxConnectionFromSingleIp)
      if (leave === undefined || leaveSource === undefined) {
        leave?.()
        leaveSource?.()
        return connection.end(err(say('en', 'tooManyConnections'), 'SYS/TEMP'))
      }
      const session: Pop3Session = new Pop3Session(connection, settings, services, together, () => {
        sessions.delete(session)
        leave()
        leaveSource()
        services.meter.gauge('pop3_sessions', sessions.size)
      })
      sessions.add(session)
      services.meter.gauge('pop3_sessions', sessions.size)
      connection.handler = session
      session.greet()
    },
    drain() {
      draining = true
      for (const session of [...sessions]) session.hangUp('shuttingDown')
    },
  }
}
