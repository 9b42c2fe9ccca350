import { beforeLogin, command } from '../command.ts'
import { requireTls, settle } from '../login.ts'

/** RFC 9051 §6.2.3. */
export const login = command({
  name: 'LOGIN',
  states: beforeLogin,
  updates: 'none',
  async run(session, { user, password }) {
    requireTls(session)
    const { authenticator } = session.context
    const { remoteAddress } = session.connection
    return settle(session, user, await authenticator.verify({ login: user, password, protocol: 'imap', remoteAddress }))
  },
})
