import { isAscii, isUtf8 } from 'node:buffer'
import { asBuffer } from './bytes.ts'
import { decodeHz, decodeIso2022Kr, decodeUtf7 } from './charset-escapes.ts'
import { CODE_PAGES, decodeCodePage } from './codepages.ts'

/** Names mailers use that are not WHATWG labels. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'],
  ['windows-932', 'shift_jis'],
  ['cp936', 'gbk'],
  ['windows-936', 'gbk'],
  ['gb18030-2000', 'gb18030'],
  ['cp949', 'euc-kr'],
  ['ks_c_5601', 'euc-kr'],
  ['ms949', 'euc-kr'],
  ['uhc', 'euc-kr'],
  ['x-windows-949', 'euc-kr'],
  ['cp950', 'big5'],
  ['windows-950', 'big5'],
  ['cp1361', 'euc-kr'],
  ['iso-2022-jp-ms', 'iso-2022-jp'],
  ['iso-2022-jp-1', 'iso-2022-jp'],
  ['iso-2022-jp-2', 'iso-2022-jp'],
  ['iso-2022-jp-3', 'iso-2022-jp'],
  ['cp50220', 'iso-2022-jp'],
  ['cp50221', 'iso-2022-jp'],
  ['cp874', 'windows-874'],
  ['latin-1', 'windows-1252'],
  ['latin-9', 'iso-8859-15'],
  ['latin9', 'iso-8859-15'],
  ['utf8mb4', 'utf-8'],
  ['utf_8', 'utf-8'],
  ['cp65001', 'utf-8'],
  ['unicode-1-1-utf-7', 'utf-7'],
  ['x-unicode-2-0-utf-7', 'utf-7'],
  ['csutf7', 'utf-7'],
  ['utf7', 'utf-7'],
  ['hz', 'hz-gb-2312'],
  ['ibm437', 'cp437'],
  ['437', 'cp437'],
  ['ibm850', 'cp850'],
  ['850', 'cp850'],
  ['ibm858', 'cp850'],
  ['cp858', 'cp850'],
  ['ibm852', 'cp852'],
  ['852', 'cp852'],
  ['cp866', 'ibm866'],
  ['macroman', 'macintosh'],
])

/** Labels that say nothing beyond ASCII; senders put UTF-8 or windows-1252 below them all the same. */
const UNSAID = new Set([
  '',
  'us-ascii',
  'ascii',
  'ansi_x3.4-1968',
  '7bit',
  '8bit',
  'unknown',
  'unknown-8bit',
  'x-unknown',
  'default',
])

type Decode = (bytes: Uint8Array) => string

/** Decoders by label; only labels that exist are kept, so hostile labels cannot fill it. */
const DECODERS = new Map<string, { decode: Decode; asciiSafe: boolean } | undefined>([
  ['utf-7', { decode: decodeUtf7, asciiSafe: false }],
  ['hz-gb-2312', { decode: decodeHz, asciiSafe: false }],
  ['iso-2022-kr', { decode: decodeIso2022Kr, asciiSafe: false }],
])
DECODERS.set('iso-2022-jp', { decode: decodeIso2022Jp, asciiSafe: false })
for (const [name, upper] of CODE_PAGES)
  DECODERS.set(name, { decode: (bytes) => decodeCodePage(bytes, upper), asciiSafe: true })

/** WHATWG reports two escapes in a row as an error; joined encoded-words and many mailers have them: the first one is dropped. */
function decodeIso2022Jp(bytes: Uint8Array): string {
  const text = asBuffer(bytes).toString('latin1')
  return iso2022Jp.decode(Buffer.from(text.replace(/\x1b[($][@A-Z](?=\x1b[($])/g, ''), 'latin1'))
}

const iso2022Jp = new TextDecoder('iso-2022-jp')

/** The windows-1252 reading, for text that names no charset and is not UTF-8. */
const windows1252 = new TextDecoder('windows-1252')

/** Text of unknown charset: UTF-8 if it is valid, else windows-1252. Never fails. */
export function decodeUnknown(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes)
  if (isAscii(buffer)) return buffer.toString('latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : windows1252.decode(buffer)
}

/** The charset name in the form the decoders know, undefined if it names no charset. */
function decoderFor(charset: string): { decode: Decode; asciiSafe: boolean } | undefined {
  const lower = charset.trim().toLowerCase()
  // RFC 2231 §5: a language may follow the charset of an encoded-word.
  const name = lower.includes('*') ? lower.slice(0, lower.indexOf('*')) : lower
  if (UNSAID.has(name) || name.length > 40) return undefined
  const label = ALIASES.get(name) ?? name
  const known = DECODERS.get(label)
  if (known !== undefined) return known
  const decoder = textDecoder(label) ?? textDecoder(label.replace(/^x-|_/g, (m) => (m === '_' ? '-' : '')))
  if (decoder === undefined) return undefined
  const made = {
    decode: (bytes: Uint8Array) => decoder.decode(bytes),
    asciiSafe: !/^(utf-16|iso-2022)/.test(decoder.encoding),
  }
  DECODERS.set(label, made)
  return made
}

function textDecoder(label: string): TextDecoder | undefined {
  const guess = /^(?:windows|win|cp)[-_]?(125\d|874)$/.exec(label)
  const latin = /^iso[-_]?8859[-_](\d{1,2})$/.exec(label)
  const name = guess !== null ? `windows-${guess[1]}` : latin !== null ? `iso-8859-${latin[1]}` : label
  try {
    const decoder = new TextDecoder(name)
    return decoder.encoding === 'replacement' ? undefined : decoder
  } catch {
    // Not a charset of this platform: the caller falls back to a guess.
    return undefined
  }
}

/** True if decodeText knows this charset by name. */
export function isKnownCharset(charset: string): boolean {
  return decoderFor(charset) !== undefined
}

/**
 * Bytes as text in the named charset (RFC 2045 §5, WHATWG decoders with ICU, aliases, UTF-7, HZ, DOS code pages). An unknown or
 * missing name is read as UTF-8 if valid, else windows-1252. A leading byte order mark is dropped. Never fails.
 */
export function decodeText(bytes: Uint8Array, charset: string | undefined): string {
  const decoder = charset === undefined ? undefined : decoderFor(charset)
  const buffer = asBuffer(bytes)
  if (decoder === undefined) {
    const text = decodeUnknown(buffer)
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  }
  return decoder.asciiSafe && isAscii(buffer) ? buffer.toString('latin1') : decoder.decode(buffer)
}
