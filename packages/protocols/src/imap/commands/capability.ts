import { ok } from '../codes.ts'
import { anyState, command } from '../command.ts'

/** RFC 9051 §6.1.1. */
export const capability = command({
  name: 'CAPABILITY',
  states: anyState,
  updates: 'all',
  run(session) {
    session.out.ascii(`* CAPABILITY ${session.capabilities()}\r\n`)
    return ok('CAPABILITY completed')
  },
})
