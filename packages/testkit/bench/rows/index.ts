/** The rows of the table, in its order. One file a row or family; each starts what it needs from the stage, and nothing else. */
import type { Scenario } from '../harness/scenario.ts'
import { accept } from './accept.ts'
import { activesync } from './activesync.ts'
import { append } from './append.ts'
import { beside } from './beside.ts'
import { change } from './change.ts'
import { deliver } from './deliver.ts'
import { download } from './download.ts'
import { fetchCold, fetchWarm } from './fetch.ts'
import { login } from './login.ts'
import { memoryHeld } from './memory.ts'
import { postgres } from './postgres.ts'
import { resync } from './resync.ts'
import { ring } from './ring.ts'
import { search } from './search.ts'
import { stalls } from './stalls.ts'
import { start } from './start.ts'
import { web } from './web.ts'

export const scenarios: readonly Scenario[] = [
  accept,
  deliver,
  append,
  login,
  fetchWarm,
  download,
  search,
  change,
  resync,
  fetchCold,
  beside,
  memoryHeld,
  ring,
  activesync,
  postgres,
  stalls,
  web,
  // Last: a million mails are indexed behind it.
  start,
]
