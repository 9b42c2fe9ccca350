/**
 * Protocol logs (Exchange: ProtocolLogEnabled): what client and server say to each other, line by line. In: the bytes of a connection; out: lines
 * in the log. Invariant: passwords, message contents and search words never get in. Read next: transcript.ts, then one protocol.
 */
import type { Logger } from '@postrider/domain'
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

/** Looks on at a connection. */
export interface Tap {
  received(chunk: Uint8Array): void
  sent(chunk: Uint8Array | string): void
}

/** A tap that writes to the log; undefined for a service without a line protocol. */
export function protocolTap(
  name: ListenerName,
  connection: string,
  remoteAddress: string,
  log: Logger,
): Tap | undefined {
  const transcript = transcripts[name]?.()
  if (transcript === undefined) return undefined
  const own = log.child({ listener: name, connection, address: remoteAddress })
  return {
    received(chunk) {
      for (const line of transcript.received(chunk)) own.info({ client: line }, 'protocol')
    },
    sent(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      for (const line of transcript.sent(bytes)) own.info({ server: line }, 'protocol')
    },
  }
}
