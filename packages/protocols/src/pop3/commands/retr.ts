/** RETR and TOP: RFC 1939 §5, §7. The original as it was received, dots stuffed, sent as the client takes it. */
import { DomainError } from '@postrider/domain'
import { ok, TopScan } from '@postrider/wire/pop3'
import { DotStuffer } from '@postrider/wire/smtp'
import type { Maildrop } from '../maildrop.ts'
import type { Answer, Pop3Session } from '../session.ts'
import { say } from '../texts.ts'

/** Bytes read from the store at a time. */
const PIECE = 256 * 1024

/** `lines` undefined is RETR; otherwise TOP. */
export async function retr(
  session: Pop3Session,
  maildrop: Maildrop,
  number: number,
  lines: number | undefined,
): Promise<Answer> {
  const message = maildrop.at(number)
  if (message === undefined) return session.err('noSuchMessage')
  if (message.deleted) return session.err('messageDeleted')
  let first: Uint8Array
  let item: Awaited<ReturnType<Maildrop['item']>>
  try {
    item = await maildrop.item(message)
    if (item === undefined) return session.err('messageGone')
    // The first piece before the +OK: afterwards an error could only be told by breaking the connection.
    first = await maildrop.read(item, 0, PIECE)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    return error.code === 'itemGone' || error.code === 'blobGone'
      ? session.err('messageGone')
      : session.err('unavailable', 'SYS/TEMP')
  }
  const stuffer = new DotStuffer()
  const limit = lines === undefined ? undefined : new TopScan(lines)
  await session.stream(Buffer.from(ok(say(session.language, 'octets', { octets: message.size }))))
  let piece = Buffer.from(first.buffer, first.byteOffset, first.byteLength)
  for (let at = 0; piece.length > 0; ) {
    const taken = limit === undefined ? piece : piece.subarray(0, limit.take(piece))
    if (taken.length > 0) await session.stream(stuffer.push(taken))
    at += piece.length
    if (session.isClosed || limit?.done || piece.length < PIECE) break
    const next = await maildrop.read(item, at, at + PIECE)
    piece = Buffer.from(next.buffer, next.byteOffset, next.byteLength)
  }
  if (lines === undefined) message.retrieved = true
  return { text: stuffer.end().toString('latin1') }
}
