import { ok } from '../codes.ts'
import { anyState, command } from '../command.ts'

/** RFC 2971. Our version is nobody's business; the client's words go to the log for the quirk table. */
export const id = command({
  name: 'ID',
  states: anyState,
  capability: 'ID',
  updates: 'none',
  run(session, { parameters }) {
    const { log } = session.context
    log.debug({ client: [...parameters].map(([key, value]) => `${key}=${value}`).join(' ') }, 'imap client')
    session.out.ascii('* ID ("name" "Postrider")\r\n')
    return ok('ID completed')
  },
})
