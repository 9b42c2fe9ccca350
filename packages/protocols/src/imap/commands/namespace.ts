import { ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { SEPARATOR } from '../folders.ts'

/** RFC 2342: one's own mailbox is all there is; public folders are not shown to IMAP (R41). */
export const namespace = command({
  name: 'NAMESPACE',
  states: afterLogin,
  capability: 'NAMESPACE',
  updates: 'all',
  run(session) {
    session.out.ascii(`* NAMESPACE (("" "${SEPARATOR}")) NIL NIL\r\n`)
    return ok('NAMESPACE completed')
  },
})
