import { ok } from '../codes.ts'
import { anyState, command } from '../command.ts'

/** RFC 9051 §6.1.3: BYE stands before the tagged answer. */
export const logout = command({
  name: 'LOGOUT',
  states: anyState,
  updates: 'none',
  run(session, { tag }) {
    session.out.ascii('* BYE Logging out\r\n')
    session.answer(tag, ok('LOGOUT completed'))
    session.end()
    return undefined
  },
})
