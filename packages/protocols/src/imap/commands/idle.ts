import { afterLogin, command } from '../command.ts'

/**
 * RFC 9051 §6.3.13, R44. SELECT has put the session among the mailbox's waiters already; here it looks once more (what came in
 * between is not lost), then sleeps without a timer or promise of its own.
 */
export const idle = command({
  name: 'IDLE',
  states: afterLogin,
  capability: 'IDLE',
  updates: 'none',
  async run(session, { tag }) {
    session.out.ascii('+ idling\r\n')
    await session.update(true, true)
    session.startIdle(tag)
    return undefined
  },
})
