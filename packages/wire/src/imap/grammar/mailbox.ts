import type { ArgumentReader } from '../reader.ts'
import type { SequenceSet } from '../sequence-set.ts'
import { readList } from './list.ts'
import { none } from './session.ts'
import { readStatusItems } from './status.ts'

/** The QRESYNC parameter of SELECT: RFC 7162 §3.2.5. */
export interface QresyncParameter {
  readonly uidValidity: number
  readonly modSeq: number
  readonly knownUids: SequenceSet | undefined
  /** Pairs of sequence numbers and the UIDs they had. */
  readonly matchData: { readonly numbers: SequenceSet; readonly uids: SequenceSet } | undefined
}

/** Arguments of commands about mailboxes: RFC 9051 §6.3, RFC 7162, RFC 6154, RFC 5258, RFC 9208, RFC 4314. */
export const mailboxCommands = {
  SELECT: readSelect,
  EXAMINE: readSelect,
  CREATE: (r: ArgumentReader) => ({ mailbox: r.space().mailbox(), specialUse: readUse(r) }),
  DELETE: (r: ArgumentReader) => ({ mailbox: r.space().mailbox() }),
  RENAME: (r: ArgumentReader) => ({ from: r.space().mailbox(), to: r.space().mailbox() }),
  SUBSCRIBE: (r: ArgumentReader) => ({ mailbox: r.space().mailbox() }),
  UNSUBSCRIBE: (r: ArgumentReader) => ({ mailbox: r.space().mailbox() }),
  NAMESPACE: none,
  LIST: readList,
  LSUB: (r: ArgumentReader) => ({ reference: r.space().mailbox(), pattern: r.space().pattern() }),
  STATUS: (r: ArgumentReader) => ({ mailbox: r.space().mailbox(), items: readStatusItems(r.space()) }),
  CLOSE: none,
  UNSELECT: none,
  CHECK: none,
  GETACL: (r: ArgumentReader) => ({ mailbox: r.space().mailbox() }),
  MYRIGHTS: (r: ArgumentReader) => ({ mailbox: r.space().mailbox() }),
  LISTRIGHTS: readMember,
  DELETEACL: readMember,
  SETACL: (r: ArgumentReader) => {
    const member = readMember(r)
    const text = r.space().text()
    const change: '' | '+' | '-' = text.startsWith('+') ? '+' : text.startsWith('-') ? '-' : ''
    return { ...member, change, rights: text.slice(change.length) }
  },
  GETQUOTA: (r: ArgumentReader) => ({ root: r.space().text() }),
  GETQUOTAROOT: (r: ArgumentReader) => ({ mailbox: r.space().mailbox() }),
  SETQUOTA: (r: ArgumentReader) => ({
    root: r.space().text(),
    limits: r.space().list(() => ({ resource: r.keyword(), limit: r.space().number64() })),
  }),
} as const

function readMember(r: ArgumentReader): { mailbox: string; identifier: string } {
  return { mailbox: r.space().mailbox(), identifier: r.space().text() }
}

function readSelect(r: ArgumentReader): {
  mailbox: string
  condstore: boolean
  qresync: QresyncParameter | undefined
} {
  const mailbox = r.space().mailbox()
  let condstore = false
  let qresync: QresyncParameter | undefined
  if (r.optionalSpace()) {
    r.list(() => {
      const name = r.keyword()
      if (name === 'CONDSTORE') condstore = true
      else if (name === 'QRESYNC' && qresync === undefined) qresync = readQresync(r.space())
      else r.fail('Unknown SELECT parameter')
    }, 'filled')
  }
  return { mailbox, condstore, qresync }
}

function readQresync(r: ArgumentReader): QresyncParameter {
  r.expect('(')
  const uidValidity = r.nonZero()
  const modSeq = r.space().number64()
  let knownUids: SequenceSet | undefined
  let matchData: QresyncParameter['matchData']
  if (r.optionalSpace()) {
    if (!r.atList) {
      knownUids = r.sequenceSet()
      r.optionalSpace()
    }
    if (r.take('(')) {
      matchData = { numbers: r.sequenceSet(), uids: r.space().sequenceSet() }
      r.expect(')')
    }
  }
  r.expect(')')
  return { uidValidity, modSeq, knownUids, matchData }
}

/** RFC 6154 §3: `(USE (\Drafts))`; flags come in the client's spelling, without the backslash, in lower case. */
function readUse(r: ArgumentReader): string[] {
  if (!r.optionalSpace()) return []
  const uses = r.list(() => {
    if (r.keyword() !== 'USE') r.fail('Unknown CREATE parameter')
    return r.space().list(() => r.expect('\\').atom().toLowerCase())
  })
  return uses.flat()
}
