/**
 * Raw 8-bit header fields for a server without SMTPUTF8: old programs send them and mean no internationalised mail by it. Display names
 * and texts become encoded-words (RFC 2047); an address whose local part is outside ASCII cannot be written otherwise (RFC 6531 §3.5).
 */
import { isAscii } from 'node:buffer'
import {
  bodyStartOf,
  decodeParameters,
  formatAddressList,
  formatParameterized,
  headerField,
  parseAddressList,
  parseHeaderFields,
  parseParameterized,
  textField,
  unfoldValue,
} from '@postrider/wire/mime'

const ADDRESS_FIELDS: ReadonlySet<string> = new Set(
  ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'].flatMap((name) => [name, `resent-${name}`]),
)
const PARAMETER_FIELDS: ReadonlySet<string> = new Set(['content-type', 'content-disposition'])

/** The message with an ASCII header section, its body untouched; undefined when the header cannot be said in ASCII. */
export function asciiHeader(message: Buffer): Buffer | undefined {
  const bodyStart = bodyStartOf(message, 0, message.length)
  const fields = parseHeaderFields(message, 0, bodyStart, { bytes: bodyStart, fields: Number.POSITIVE_INFINITY })
  const pieces: Uint8Array[] = []
  let at = 0
  for (const field of fields) {
    if (isAscii(message.subarray(field.start, field.end))) continue
    const written = asciiField(field.name, message, field)
    if (written === undefined) return undefined
    pieces.push(message.subarray(at, field.start), Buffer.from(written))
    at = field.end
  }
  pieces.push(message.subarray(at))
  const whole = Buffer.concat(pieces)
  // Bytes outside any field (an old mbox line, say) nobody can mend.
  return isAscii(whole.subarray(0, whole.length - (message.length - bodyStart))) ? whole : undefined
}

function asciiField(
  name: string,
  message: Buffer,
  { start, valueStart, end }: { readonly start: number; readonly valueStart: number; readonly end: number },
): string | undefined {
  const spelled = message.toString('latin1', start, start + name.length)
  const value = unfoldValue(message, valueStart, end)
  if (ADDRESS_FIELDS.has(name)) {
    const items = parseAddressList(value)
    const written = formatAddressList(items)
    const mailboxes = items.flatMap((item) => (item.kind === 'group' ? item.members : [item]))
    // What is no address would be left out by writing it anew.
    if (!isAscii(Buffer.from(written)) || mailboxes.some(({ address }) => address === '')) return undefined
    return headerField(spelled, written)
  }
  if (PARAMETER_FIELDS.has(name)) {
    const { value: type, parameters } = parseParameterized(value)
    const written = formatParameterized(type, decodeParameters(parameters))
    return isAscii(Buffer.from(written)) ? headerField(spelled, written) : undefined
  }
  return textField(spelled, value)
}
