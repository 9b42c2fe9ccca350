import { isNonAscii } from './bytes.ts'
import { envelopeText, type ImapTextOptions } from './envelope.ts'
import { imapString, nstring } from './imap-string.ts'
import { readMessageHeader } from './message-header.ts'
import { isEmbedded } from './scan.ts'
import type { MimePart, MimeTree, RawParameter } from './types.ts'
import { encodeWords } from './words.ts'

/** BODY and BODYSTRUCTURE: RFC 9051 §7.5.2, RFC 3501 §7.4.2 and its grammar in §9. */

/** BODY: the structure without extension data. */
export function imapBody(tree: MimeTree, options: ImapTextOptions = {}): Uint8Array {
  return Buffer.from(bodyText(tree, 0, options.utf8 === true, false), 'utf8')
}

/** BODYSTRUCTURE: the structure with extension data. */
export function imapBodyStructure(tree: MimeTree, options: ImapTextOptions = {}): Uint8Array {
  return Buffer.from(bodyText(tree, 0, options.utf8 === true, true), 'utf8')
}

/** The grammar has no multipart without parts; servers of RFC 3501 put an empty text there. */
const EMPTY_PART = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0)'
const EMPTY_PART_EXTENDED = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'

/** The text of one part; recursion is bounded by the scanner's depth limit. */
export function bodyText(tree: MimeTree, index: number, utf8: boolean, extended: boolean): string {
  const part = tree.parts[index]!
  if (part.type === 'multipart') {
    let children = ''
    for (let child = part.firstChild; child >= 0; child = tree.parts[child]!.nextSibling)
      children += bodyText(tree, child, utf8, extended)
    if (children === '') children = extended ? EMPTY_PART_EXTENDED : EMPTY_PART
    const head = `(${children} ${imapString(part.subtype, utf8)}`
    if (!extended) return `${head})`
    return `${head} ${parameterText(part.rawParameters, part.parameters, utf8, false)} ${commonExtension(part, utf8)})`
  }
  const size = part.bodyEnd - part.bodyStart
  // Only RFC 9051 §9 knows media-message for message/global: to a client of RFC 3501 it is a part like any other.
  const message = isEmbedded(part) && (utf8 || part.subtype !== 'global')
  // message/rfc822 that cannot be looked into (base64, too deep) has no envelope to show, so it goes out as octets.
  const closed = message && part.firstChild < 0
  const type = closed ? 'application' : part.type
  const subtype = closed ? 'octet-stream' : part.subtype
  const parameters = parameterText(part.rawParameters, part.parameters, utf8, part.type === 'text')
  const fields = `${imapString(type, utf8)} ${imapString(subtype, utf8)} ${parameters} ${nstring(
    part.contentId,
    utf8,
  )} ${nstring(part.description, utf8)} ${imapString(part.encoding, utf8)} ${size}`
  let text = `(${fields}`
  if (part.type === 'text') text += ` ${part.lines}`
  else if (message && !closed)
    text += ` ${envelopeText(readMessageHeader(tree.header(part.firstChild)), utf8)} ${bodyText(
      tree,
      part.firstChild,
      utf8,
      extended,
    )} ${part.lines}`
  if (!extended) return `${text})`
  return `${text} ${nstring(part.md5, utf8)} ${commonExtension(part, utf8)})`
}

/** body-fld-dsp SP body-fld-lang SP body-fld-loc. */
function commonExtension(part: MimePart, utf8: boolean): string {
  const disposition =
    part.disposition === undefined
      ? 'NIL'
      : `(${imapString(part.disposition, utf8)} ${parameterText(
          part.rawDispositionParameters,
          part.dispositionParameters,
          utf8,
          false,
        )})`
  const { language } = part
  const languages =
    language.length === 0
      ? 'NIL'
      : language.length === 1
        ? imapString(language[0]!, utf8)
        : `(${language.map((tag) => imapString(tag, utf8)).join(' ')})`
  return `${disposition} ${languages} ${nstring(part.location, utf8)}`
}

/**
 * body-fld-param, NIL if there are none. Continuations are joined as RFC 9051 §7.5.2 asks: `name*0`, `name*1` become `name`, and
 * extended ones `name*` in the form of RFC 2231 §4, which is plain ASCII. `text` parts without charset get the default of RFC 2046 §4.1.2.
 */
function parameterText(
  raw: readonly RawParameter[],
  decoded: ReadonlyMap<string, string>,
  utf8: boolean,
  text: boolean,
): string {
  const out: string[] = []
  let joined: Set<string> | undefined
  let charset = false
  for (const { name, value } of raw) {
    const star = name.indexOf('*')
    if (name === 'charset' || name.startsWith('charset*')) charset = true
    if (star <= 0) out.push(pair(name, utf8 || !isNonAscii(value) ? value : encodeWords(value), utf8))
    else if (star === name.length - 1) out.push(pair(name, isNonAscii(value) ? percent(value) : value, utf8))
    else {
      const base = name.slice(0, star)
      joined ??= new Set()
      if (joined.has(base)) continue
      joined.add(base)
      const whole = decoded.get(base) ?? value
      if (isNonAscii(whole) || raw.some((other) => other.name === `${base}*0*`))
        out.push(pair(`${base}*`, `utf-8''${percent(whole)}`, utf8))
      else out.push(pair(base, whole, utf8))
    }
  }
  if (text && !charset) out.push('"charset" "us-ascii"')
  return out.length === 0 ? 'NIL' : `(${out.join(' ')})`
}

function pair(name: string, value: string, utf8: boolean): string {
  return `${imapString(name, utf8)} ${imapString(value, utf8)}`
}

/** Percent-encoding of RFC 2231 §4 for what is no attribute-char. */
function percent(value: string): string {
  let out = ''
  for (const byte of Buffer.from(value, 'utf8')) {
    const char = String.fromCharCode(byte)
    out += /[!#$&+\-.0-9A-Z^_`a-z{|}~']/.test(char)
      ? char
      : `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`
  }
  return out
}
