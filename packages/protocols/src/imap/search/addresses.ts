/** One address of a prepared ENVELOPE: RFC 9051 §7.5.2. A group begins with its name as mailbox and no host. */
export interface EnvelopeAddress {
  /** As in the header: encoded-words are not decoded. */
  readonly name: string
  readonly mailbox: string
  readonly host: string
}

/** Places of the address lists in an ENVELOPE. */
export const envelopePlace = { from: 2, to: 5, cc: 6 } as const

/**
 * The first address of a list of a prepared ENVELOPE, undefined when the list is NIL. The bytes are our own, so the reader is small: it steps
 * over values until the list begins.
 */
export function firstAddress(envelope: Uint8Array, place: number): EnvelopeAddress | undefined {
  const text = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength).toString('utf8')
  let at = 1
  for (let i = 0; i < place; i++) at = skip(text, at) + 1
  if (text[at] !== '(') return undefined
  const parts: string[] = []
  at += 2
  for (let i = 0; i < 4; i++) {
    const end = skip(text, at)
    parts.push(unquoted(text.slice(at, end)))
    at = end + 1
  }
  const [name = '', , mailbox = '', host = ''] = parts
  return { name, mailbox, host }
}

/** Where the value that begins at `at` ends. */
function skip(text: string, at: number): number {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const char = text[i]
    if (char === '"') i = endOfQuoted(text, i)
    else if (char === '{') i = endOfLiteral(text, i)
    else if (char === '(') depth++
    else if (char === ')') {
      if (depth === 0) return i
      depth--
    } else if (char === ' ' && depth === 0) return i
  }
  return text.length
}

function endOfQuoted(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return text.length
}

/** Literals count octets; ours hold ASCII or UTF-8. */
function endOfLiteral(text: string, at: number): number {
  const close = text.indexOf('}', at)
  let octets = Number(text.slice(at + 1, close))
  let i = close + 3
  while (octets > 0 && i < text.length) {
    const code = text.codePointAt(i) ?? 0
    octets -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4
    i += code < 0x1_0000 ? 1 : 2
  }
  return i - 1
}

function unquoted(text: string): string {
  if (text.startsWith('"')) return text.slice(1, -1).replace(/\\(.)/gs, '$1')
  if (text.startsWith('{')) return text.slice(text.indexOf('}') + 3)
  return text === 'NIL' ? '' : text
}
