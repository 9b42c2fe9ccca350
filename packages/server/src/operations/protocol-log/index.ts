/**
 * What client and server of a line protocol say to each other, line by line: in the log for all who use a service (Exchange: ProtocolLogEnabled), and
 * in a trace for one account. In: the bytes of a connection; out: lines. Invariant: passwords, message contents and search words never
 * get in. Read next: transcript.ts, then one protocol.
 */
import type { Logger, Onlooker, TraceLine, Traces } from '@postrider/domain'
import type { ListenerName } from '../../config/settings.ts'
import { imapTranscript } from './imap.ts'
import { pop3Transcript } from './pop3.ts'
import { smtpTranscript } from './smtp.ts'
import type { Transcript } from './transcript.ts'

const transcripts: Partial<Record<ListenerName, () => Transcript>> = {
  imap: imapTranscript,
  imaps: imapTranscript,
  pop3: pop3Transcript,
  pop3s: pop3Transcript,
  smtp: smtpTranscript,
  submission: smtpTranscript,
  submissions: smtpTranscript,
}
/** Lines kept of a connection until it is known whose it is. */
const MAX_EARLY = 50

/** Looks on at a connection. */
export interface Tap {
  received(chunk: Uint8Array): void
  sent(chunk: Uint8Array | string): void
  /** The client has logged in. False: nobody wants to know more. */
  belongsTo(address: string): boolean
}

export interface TapParts {
  /** Id of the connection, and where it comes from. */
  readonly connection: string
  readonly remoteAddress: string
  /** Where all lines go; undefined: only to who traces the account. */
  readonly log: Logger | undefined
  readonly traces: Traces
}

/** A tap for a new connection; undefined for a service without a line protocol. */
export function protocolTap(name: ListenerName, { connection, remoteAddress, log, traces }: TapParts): Tap | undefined {
  const transcript = transcripts[name]?.()
  if (transcript === undefined) return undefined
  const own = log?.child({ listener: name, connection, address: remoteAddress })
  let early: TraceLine[] | undefined = []
  let onlooker: Onlooker | undefined
  const say = (from: TraceLine['from'], lines: readonly string[]): void => {
    for (const text of lines) {
      own?.info({ [from]: text }, 'protocol')
      const line = { protocol: name, conversation: connection, from, text }
      if (onlooker !== undefined) onlooker(line)
      else if (early !== undefined && early.length < MAX_EARLY) early.push(line)
    }
  }
  return {
    received: (chunk) => say('client', transcript.received(chunk)),
    sent: (chunk) => say('server', transcript.sent(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
    belongsTo(address) {
      onlooker = traces.of(address)
      if (onlooker !== undefined) for (const line of early ?? []) onlooker(line)
      early = undefined
      return onlooker !== undefined || own !== undefined
    },
  }
}
