import { bad, ok, SessionEnded } from '../codes.ts'
import { beforeLogin, command } from '../command.ts'

/** RFC 9051 §6.2.1. What the client sent behind the command in the clear is forgotten (reliability P7). */
export const starttls = command({
  name: 'STARTTLS',
  states: beforeLogin,
  updates: 'none',
  async run(session, { tag }) {
    if (session.connection.secure) return bad('TLS is on already')
    session.forgetInput()
    session.answer(tag, ok('Begin TLS negotiation now'))
    session.channel.flush()
    try {
      await session.connection.startTls()
    } catch (error) {
      session.context.log.info({ error, remote: session.connection.remoteAddress }, 'imap TLS negotiation failed')
      session.destroy()
      throw new SessionEnded()
    }
    session.forgetInput()
    return undefined
  },
})
