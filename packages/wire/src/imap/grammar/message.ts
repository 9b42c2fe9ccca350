import type { ArgumentReader } from '../reader.ts'
import type { Literal } from '../receiver.ts'
import type { SequenceSet } from '../sequence-set.ts'
import { readDateTime } from './dates.ts'
import { readFetch } from './fetch.ts'

/** One message of APPEND or REPLACE. */
export interface AppendMessage {
  readonly flags: readonly string[]
  /** Milliseconds since 1970. */
  readonly internalDate: number | undefined
  /** The message; undefined while its literal has been announced only. */
  readonly literal: Literal | undefined
  /** RFC 6855 §4: headers are UTF-8. */
  readonly utf8: boolean
}

/** Arguments of commands about messages: RFC 9051 §6.4, RFC 3502, RFC 6851, RFC 8508, RFC 7162. */
export const messageCommands = {
  APPEND: (r: ArgumentReader) => {
    const mailbox = r.space().mailbox()
    const messages = [readMessage(r)]
    while (messages.at(-1)?.literal !== undefined && r.optionalSpace()) messages.push(readMessage(r, false))
    return { mailbox, messages }
  },
  REPLACE: (r: ArgumentReader) => ({
    set: r.space().sequenceSet(),
    mailbox: r.space().mailbox(),
    message: readMessage(r),
  }),
  FETCH: readFetch,
  STORE: readStore,
  COPY: readTarget,
  MOVE: readTarget,
  EXPUNGE: (r: ArgumentReader): { set: SequenceSet | undefined } => ({
    set: r.optionalSpace() ? r.sequenceSet() : undefined,
  }),
} as const

function readTarget(r: ArgumentReader): { set: SequenceSet; mailbox: string } {
  return { set: r.space().sequenceSet(), mailbox: r.space().mailbox() }
}

function readMessage(r: ArgumentReader, spaceFirst = true): AppendMessage {
  if (spaceFirst) r.space()
  let flags: string[] = []
  let internalDate: number | undefined
  if (r.atList) {
    flags = r.list(() => r.flag()).filter((flag) => flag !== '\\Recent')
    r.space()
  }
  if (r.peek() === 0x22) {
    internalDate = readDateTime(r)
    r.space()
  }
  const utf8 = r.takeWord('UTF8')
  if (utf8) r.space().expect('(')
  const literal = r.prefix && r.done ? undefined : r.literal()
  if (utf8 && literal !== undefined) r.expect(')')
  return { flags, internalDate, literal, utf8 }
}

/** STORE: RFC 9051 §6.4.6 with UNCHANGEDSINCE of RFC 7162 §3.1.3. */
function readStore(r: ArgumentReader): {
  set: SequenceSet
  unchangedSince: number | undefined
  action: 'replace' | 'add' | 'remove'
  silent: boolean
  flags: readonly string[]
} {
  const set = r.space().sequenceSet()
  r.space()
  let unchangedSince: number | undefined
  if (r.atList) {
    r.list(() => {
      if (r.keyword() !== 'UNCHANGEDSINCE') r.fail('Unknown STORE modifier')
      unchangedSince = r.space().number64()
    })
    r.space()
  }
  const action = r.take('+') ? 'add' : r.take('-') ? 'remove' : 'replace'
  const item = r.keyword()
  if (item !== 'FLAGS' && item !== 'FLAGS.SILENT') r.fail('FLAGS expected')
  r.space()
  const flags: string[] = []
  if (r.atList) flags.push(...r.list(() => r.flag()))
  else {
    flags.push(r.flag())
    while (r.optionalSpace()) flags.push(r.flag())
  }
  return {
    set,
    unchangedSince,
    action,
    silent: item === 'FLAGS.SILENT',
    flags: [...new Set(flags)].filter((flag) => flag !== '\\Recent'),
  }
}
