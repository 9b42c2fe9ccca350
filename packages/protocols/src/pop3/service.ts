import type { Connection } from '@postrider/domain'
import { err } from '@postrider/wire/pop3'
import type { Pop3Services } from './ports.ts'
import { Pop3Session, type UserCounts } from './session.ts'
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
  const users: UserCounts = new Map()
  const sources = new Map<string, number>()
  let draining = false
  return {
    get size() {
      return sessions.size
    },
    accept(connection, settings) {
      connection.handler = { data: () => {}, closed: () => {} }
      const source = connection.remoteAddress
      const here = sources.get(source) ?? 0
      if (draining) return connection.end(err(say('en', 'shuttingDown'), 'SYS/TEMP'))
      if (sessions.size >= settings.maxConnections || here >= settings.maxConnectionFromSingleIp)
        return connection.end(err(say('en', 'tooManyConnections'), 'SYS/TEMP'))
      sources.set(source, here + 1)
      const session: Pop3Session = new Pop3Session(connection, settings, services, users, () => {
        sessions.delete(session)
        const left = (sources.get(source) ?? 1) - 1
        if (left > 0) sources.set(source, left)
        else sources.delete(source)
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
