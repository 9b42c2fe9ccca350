import { ok } from '../codes.ts'
import { anyState, command, selected } from '../command.ts'

/** RFC 9051 §6.1.2: the moment to hear of others' doings. */
export const noop = command({
  name: 'NOOP',
  states: anyState,
  updates: 'all',
  looks: true,
  run: () => ok('NOOP completed'),
})

/** RFC 3501 §6.4.1: everything is durable before it is answered, so there is nothing to check. */
export const check = command({
  name: 'CHECK',
  states: selected,
  updates: 'all',
  looks: true,
  run: () => ok('CHECK completed'),
})
