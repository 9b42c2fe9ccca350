/**
 * Up to 12.1 a sent mail has no ClientId, yet a phone that got no answer sends it again. The same bytes with the same
 * Message-ID or Date are the same mail; they are answered as sent and not sent twice.
 */
import { createHash } from 'node:crypto'
import { HeaderFields } from '@postrider/wire/mime'
import type { Context } from '../context.ts'

/** The once key of a mail; undefined where nothing tells two equal mails apart. */
export function resendKey(context: Context, mime: Uint8Array): string | undefined {
  const header = new HeaderFields(mime)
  if (!header.has('message-id') && !header.has('date')) return undefined
  return `eas/resend/${context.device.id}/${createHash('sha256').update(mime).digest('base64url')}`
}
