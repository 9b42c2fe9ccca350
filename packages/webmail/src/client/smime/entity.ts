/** MIME as far as an opened mail needs it: RFC 2045–2047, RFC 2183, RFC 2231. What was decrypted here is read here; the server never sees it. */

const MAX_DEPTH = 12
const MAX_PARTS = 500
const MAX_HEADER = 64 * 1024

export interface Entity {
  /** Lower case. */
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly disposition: string
  readonly name: string | null
  readonly cid: string | null
  /** As it was written, header included: what a signature is over. */
  readonly whole: Uint8Array<ArrayBuffer>
  /** Its transfer encoding undone; empty for multiparts. */
  readonly body: Uint8Array<ArrayBuffer>
  readonly parts: readonly Entity[]
}

export const readEntity = (bytes: Uint8Array<ArrayBuffer>): Entity => read(bytes, 0, { parts: MAX_PARTS })

function read(bytes: Uint8Array<ArrayBuffer>, depth: number, budget: { parts: number }): Entity {
  budget.parts--
  const { fields, end } = headerOf(bytes)
  const [type, parameters] = structured(fields.get('content-type') ?? 'text/plain')
  const [disposition, more] = structured(fields.get('content-disposition') ?? '')
  const raw = bytes.subarray(end)
  const boundary = parameters.get('boundary')
  const parts: Entity[] = []
  if (type.startsWith('multipart/') && boundary !== undefined && boundary !== '' && depth < MAX_DEPTH)
    for (const piece of split(raw, boundary)) if (budget.parts > 0) parts.push(read(piece, depth + 1, budget))
  const name = more.get('filename') ?? parameters.get('name')
  return {
    type: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type) ? type : 'application/octet-stream',
    parameters,
    disposition,
    name: name === undefined ? null : words(name),
    cid: fields.get('content-id')?.trim().replace(/^<|>$/g, '') ?? null,
    whole: bytes,
    body:
      parts.length > 0
        ? new Uint8Array(0)
        : decoded(raw, (fields.get('content-transfer-encoding') ?? '').trim().toLowerCase()),
    parts,
  }
}

function headerOf(bytes: Uint8Array): { readonly fields: ReadonlyMap<string, string>; readonly end: number } {
  let end = bytes.length
  let line = 0
  for (;;) {
    const next = bytes.indexOf(10, line)
    if (next < 0) break
    if (next === line || (next === line + 1 && bytes[line] === 13)) {
      end = next + 1
      break
    }
    line = next + 1
  }
  const text = new TextDecoder().decode(bytes.subarray(0, Math.min(end, MAX_HEADER))).replace(/\r?\n(?=[ \t])/g, '')
  const fields = new Map<string, string>()
  for (const one of text.split(/\r?\n/)) {
    const colon = one.indexOf(':')
    const name = one.slice(0, Math.max(0, colon)).trim().toLowerCase()
    if (name !== '' && !fields.has(name)) fields.set(name, one.slice(colon + 1).trim())
  }
  return { fields, end }
}

function structured(text: string): readonly [string, ReadonlyMap<string, string>] {
  const [head = '', ...rest] = text.split(/;(?=(?:[^"]*"[^"]*")*[^"]*$)/)
  const found = new Map<string, string>()
  const pieces = new Map<string, string[]>()
  for (const one of rest.slice(0, 100)) {
    const equals = one.indexOf('=')
    if (equals < 0) continue
    const key = one.slice(0, equals).trim().toLowerCase()
    const value = one
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/s, (_all, inner: string) => inner.replace(/\\(.)/g, '$1'))
    const parts = /^([^*]+)\*(?:(\d{1,2})(\*)?)?$/.exec(key)
    if (parts === null) found.set(key, value)
    else {
      const [, name = '', index = '0', star] = parts
      const list = pieces.get(name) ?? []
      list[Number(index)] = parts[2] === undefined || star !== undefined ? unescaped(value) : value
      pieces.set(name, list)
    }
  }
  for (const [name, list] of pieces) found.set(name, list.join(''))
  return [head.trim().toLowerCase(), found]
}
/** RFC 2231 §4; other charsets than UTF-8 are rare enough to be left as they are. */
const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text.replace(/^[\w-]*'[\w-]*'/, ''))
  } catch {
    return text
  }
}

/** Between the boundaries: RFC 2046 §5.1.1. */
function* split(bytes: Uint8Array<ArrayBuffer>, boundary: string): Generator<Uint8Array<ArrayBuffer>> {
  const mark = new TextEncoder().encode(`--${boundary}`)
  let start = -1
  for (let line = 0; line <= bytes.length; ) {
    const is = mark.every((octet, i) => bytes[line + i] === octet)
    const next = bytes.indexOf(10, line)
    const after = next < 0 ? bytes.length + 1 : next + 1
    if (is) {
      const rest = new TextDecoder('latin1')
        .decode(bytes.subarray(line + mark.length, Math.min(after, bytes.length)))
        .trim()
      if (rest === '' || rest === '--') {
        let end = line
        if (end > 0 && bytes[end - 1] === 10) end--
        if (end > 0 && bytes[end - 1] === 13) end--
        if (start >= 0) yield bytes.slice(start, Math.max(start, end))
        start = after
        if (rest === '--') return
      }
    }
    line = after
  }
  if (start >= 0 && start < bytes.length) yield bytes.slice(start)
}

function decoded(raw: Uint8Array<ArrayBuffer>, encoding: string): Uint8Array<ArrayBuffer> {
  if (encoding === 'base64') return fromBase64(new TextDecoder('latin1').decode(raw))
  if (encoding !== 'quoted-printable') return raw
  const out = new Uint8Array(raw.length)
  const digit = (octet: number | undefined): number =>
    octet === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(octet), 16)
  let size = 0
  for (let i = 0; i < raw.length; i++) {
    const octet = raw[i] as number
    if (octet !== 61) out[size++] = octet
    else if (raw[i + 1] === 10) i++
    else if (raw[i + 1] === 13 && raw[i + 2] === 10) i += 2
    else {
      const value = digit(raw[i + 1]) * 16 + digit(raw[i + 2])
      if (Number.isNaN(value)) out[size++] = octet
      else {
        out[size++] = value
        i += 2
      }
    }
  }
  return out.slice(0, size)
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const plain = text.replace(/[^A-Za-z0-9+/]/g, '')
  const binary = atob(plain.length % 4 === 1 ? plain.slice(0, -1) : plain)
  const out = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) out[i] = binary.charCodeAt(i)
  return out
}
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(binary)
}

/** RFC 2047. */
const words = (text: string): string =>
  text
    .replace(/(\?=)\s+(=\?)/g, '$1$2')
    .replace(
      /=\?([\w-]{1,40})(?:\*[\w-]*)?\?([bq])\?([^?]*)\?=/gi,
      (all, charset: string, kind: string, body: string) => {
        const bytes =
          kind.toLowerCase() === 'b'
            ? fromBase64(body)
            : decoded(new TextEncoder().encode(body.replaceAll('_', ' ')), 'quoted-printable')
        return textIn(bytes, charset) ?? all
      },
    )

function textIn(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return undefined
  }
}
export const textOfEntity = ({ body, parameters }: Entity): string =>
  textIn(body, parameters.get('charset') ?? 'utf-8') ?? new TextDecoder().decode(body)

/** What is shown of a mail, each in a frame of its own, and what is saved. */
export interface Shown {
  readonly bodies: readonly Entity[]
  readonly files: readonly Entity[]
  /** By Content-ID: pictures of this mail itself. */
  readonly pictures: ReadonlyMap<string, Entity>
}

export function shownOf(root: Entity): Shown {
  const bodies: Entity[] = []
  const files: Entity[] = []
  const pictures = new Map<string, Entity>()
  const visit = (one: Entity): void => {
    if (one.parts.length > 0) {
      if (one.type === 'multipart/alternative') {
        // The last one that can be shown: RFC 2046 §5.1.4.
        const best = [...one.parts]
          .reverse()
          .find((part) => part.parts.length > 0 || /^text\/(?:html|plain)$/.test(part.type))
        if (best !== undefined) visit(best)
        for (const part of one.parts)
          if (part !== best && !part.type.startsWith('text/') && part.parts.length === 0) visit(part)
      } else for (const part of one.parts) visit(part)
      return
    }
    if (/^text\/(?:html|plain)$/.test(one.type) && one.disposition !== 'attachment') bodies.push(one)
    else if (one.cid !== null && /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/.test(one.type)) pictures.set(one.cid, one)
    else if (!/^application\/(?:x-)?pkcs7-signature$/.test(one.type)) files.push(one)
  }
  visit(root)
  return { bodies, files, pictures }
}
