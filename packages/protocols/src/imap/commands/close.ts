import { ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { removeDeleted } from './expunge.ts'
import { closeView } from './select.ts'

/** RFC 9051 §6.4.1: deleted messages go without being told one by one. */
export const close = command({
  name: 'CLOSE',
  states: selected,
  updates: 'none',
  async run(session) {
    if (!session.view.readOnly) await removeDeleted(session, undefined)
    closeView(session, false)
    return ok('CLOSE completed')
  },
})

/** RFC 9051 §6.4.2: leaves without removing anything. */
export const unselect = command({
  name: 'UNSELECT',
  states: selected,
  capability: 'UNSELECT',
  updates: 'none',
  run(session) {
    closeView(session, false)
    return ok('UNSELECT completed')
  },
})
