/** A mail as it is signed: built here, because a signature is over these very bytes. RFC 5322, RFC 2045–2047, RFC 8551 §3. */
import { textOfHtml, withCids, type Written } from '../compose/outgoing.ts'
import type { Address } from '../jmap/types.ts'
import { toBase64 } from './entity.ts'

/** A file of the mail with its bytes. */
export interface FilePart {
  readonly name: string
  readonly type: string
  readonly cid: string | undefined
  readonly bytes: Uint8Array
}

const utf8 = new TextEncoder()
const lines = (text: string): string => text.replace(/.{1,76}/g, '$&\r\n')
const base64 = (bytes: Uint8Array): string => lines(toBase64(bytes))
const newBoundary = (): string => `=_${crypto.randomUUID()}`

/** Text that no mail system changes on its way: RFC 2045 §6.7. */
function quotedPrintable(text: string): string {
  const out: string[] = []
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    let now = ''
    for (const octet of utf8.encode(line)) {
      const plain = octet >= 33 && octet <= 126 && octet !== 61
      const piece =
        plain || octet === 32 ? String.fromCharCode(octet) : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
      if (now.length + piece.length > 75) {
        out.push(`${now}=`)
        now = ''
      }
      now += piece
    }
    now = now
      .replace(/ $/, '=20')
      .replace(/^From /, '=46rom ')
      .replace(/^\.$/, '=2E')
    out.push(now)
  }
  return out.join('\r\n')
}

const textPart = (kind: 'plain' | 'html', text: string): string =>
  `Content-Type: text/${kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(text)}\r\n`

function multipart(kind: string, parts: readonly string[]): string {
  const boundary = newBoundary()
  const inside = parts.map((one) => `--${boundary}\r\n${one}\r\n`).join('')
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${inside}--${boundary}--\r\n`
}

const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f]/g, ' ')
/** RFC 2047, in words that are short enough. */
function encoded(text: string): string {
  const clean = plain(text)
  if (/^[ -~]*$/.test(clean) && !clean.includes('=?')) return clean
  const words: string[] = []
  let now = ''
  for (const letter of clean) {
    if (utf8.encode(now + letter).length > 42) {
      words.push(now)
      now = ''
    }
    now += letter
  }
  return [...words, now].map((one) => `=?utf-8?B?${toBase64(utf8.encode(one))}?=`).join('\r\n ')
}

const person = ({ name, email }: Address): string => {
  const address = `<${plain(email).replace(/[<>\s]/g, '')}>`
  if (name === null || name.trim() === '') return address
  return /^[ -~]*$/.test(name)
    ? `"${plain(name).replace(/(["\\])/g, '\\$1')}" ${address}`
    : `${encoded(name)} ${address}`
}
const people = (field: string, list: readonly Address[] | null): string =>
  list === null || list.length === 0 ? '' : `${field}: ${list.map(person).join(',\r\n ')}\r\n`

const filePart = ({ name, type, cid, bytes }: FilePart): string => {
  const clean = plain(name)
  const named = /^[ -~]*$/.test(clean)
    ? `filename="${clean.replace(/(["\\])/g, '\\$1')}"`
    : `filename*=utf-8''${encodeURIComponent(clean).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`
  const safeType =
    /^[\w.+-]+\/[\w.+-]+$/.test(type) && !/^(?:multipart|message)\//i.test(type) ? type : 'application/octet-stream'
  const id = cid === undefined ? '' : `Content-ID: <${plain(cid)}>\r\n`
  return `Content-Type: ${safeType}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: ${cid === undefined ? 'attachment' : 'inline'}; ${named}\r\n${id}\r\n${base64(bytes)}`
}

/** The content: text, HTML, pictures, files. 7-bit throughout. */
export function contentOf(written: Written, files: readonly FilePart[]): string {
  const { html } = withCids(written.html, written.attached)
  const body = `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>${html}</body></html>`
  const pictures = files.filter((one) => one.cid !== undefined)
  const shown = textPart('html', body)
  const rich = pictures.length === 0 ? shown : multipart('related', [shown, ...pictures.map(filePart)])
  const texts = multipart('alternative', [textPart('plain', textOfHtml(html)), rich])
  const attached = files.filter((one) => one.cid === undefined)
  return attached.length === 0 ? texts : multipart('mixed', [texts, ...attached.map(filePart)])
}

/** What stands above the content. The server leaves Bcc out of what it sends. */
export function headOf(written: Written, messageId: string, now: Date): string {
  const { from, to, cc, bcc, subject, inReplyTo, references, identity, receipt } = written
  const ids = (field: string, list: readonly string[] | null): string =>
    list === null || list.length === 0 ? '' : `${field}: ${list.map((one) => `<${plain(one)}>`).join('\r\n ')}\r\n`
  return [
    people('From', [from]),
    people('To', to),
    people('Cc', cc),
    people('Bcc', bcc),
    people('Reply-To', identity?.replyTo ?? null),
    `Subject: ${encoded(subject)}\r\n`,
    `Date: ${now.toUTCString().replace('GMT', '+0000')}\r\n`,
    `Message-ID: <${messageId}>\r\n`,
    // RFC 8098 §2.1.
    people('Disposition-Notification-To', receipt ? [from] : null),
    ids('In-Reply-To', inReplyTo),
    ids('References', references),
    'MIME-Version: 1.0\r\n',
  ].join('')
}

/** multipart/signed: RFC 8551 §3.5.3. */
export function signedEntity(content: string, signature: Uint8Array, hash: string): string {
  const boundary = newBoundary()
  const seal = `Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7s"\r\n\r\n${base64(signature)}`
  return `Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=${hash.toLowerCase()};\r\n boundary="${boundary}"\r\n\r\nThis is a signed message (S/MIME).\r\n--${boundary}\r\n${content}\r\n--${boundary}\r\n${seal}--${boundary}--\r\n`
}

/** application/pkcs7-mime: RFC 8551 §3.3. */
export const sealedEntity = (sealed: Uint8Array): string =>
  `Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7m"\r\n\r\n${base64(sealed)}`

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => utf8.encode(text)
