import { type HeaderFields, unfoldValue } from './headers.ts'
import { decodeParameters, type Parameterized, parseParameterized } from './parameters.ts'
import type { PartHeader, RawParameter } from './types.ts'
import { decodeWords } from './words.ts'

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()
const NO_RAW: readonly RawParameter[] = []
const NO_LANGUAGE: readonly string[] = []

const PLAIN: Parameterized = { value: 'text/plain', parameters: NO_RAW }
const EMBEDDED: Parameterized = { value: 'message/rfc822', parameters: NO_RAW }

/** Reads the Content-* fields. `digest` makes message/rfc822 the default type (RFC 2046 §5.1.5). */
export function readPartHeader(header: HeaderFields, digest: boolean): PartHeader {
  let contentType: Parameterized | undefined
  let encoding = '7bit'
  let contentId: string | undefined
  let description: string | undefined
  let md5: string | undefined
  let language = NO_LANGUAGE
  let location: string | undefined
  let disposition: Parameterized | undefined
  let seenEncoding = false
  for (const field of header.fields) {
    if (field.name.charCodeAt(0) !== 99 || !field.name.startsWith('content-')) continue
    if (!CONTENT_FIELDS.has(field.name)) continue
    const value = unfoldValue(header.bytes, field.valueStart, field.end)
    if (value === '') continue
    switch (field.name) {
      case 'content-type':
        contentType ??= parseParameterized(value)
        break
      case 'content-transfer-encoding':
        if (!seenEncoding) encoding = readToken(value)
        seenEncoding = true
        break
      case 'content-id':
        contentId ??= value
        break
      case 'content-description':
        description ??= value
        break
      case 'content-md5':
        md5 ??= value
        break
      case 'content-language':
        language = readLanguages(value)
        break
      case 'content-location':
        location ??= value.replace(/[ \t]+/g, '')
        break
      case 'content-disposition':
        disposition ??= parseParameterized(value)
        break
    }
  }
  const kind = contentType ?? (digest ? EMBEDDED : PLAIN)
  const { type, subtype } = splitType(kind.value, digest)
  const parameters = kind.parameters.length === 0 ? NO_PARAMETERS : decodeParameters(kind.parameters)
  const dispositionParameters =
    disposition === undefined || disposition.parameters.length === 0
      ? NO_PARAMETERS
      : decodeParameters(disposition.parameters)
  const name = dispositionParameters.get('filename') ?? parameters.get('name')
  return {
    type,
    subtype,
    parameters,
    rawParameters: kind.parameters,
    encoding: encoding === '' ? '7bit' : encoding,
    contentId,
    description,
    md5,
    language,
    location,
    disposition: disposition?.value === '' ? undefined : disposition?.value,
    dispositionParameters,
    rawDispositionParameters: disposition?.parameters ?? NO_RAW,
    charset: parameters.get('charset')?.trim().toLowerCase() || undefined,
    filename: name === undefined || name === '' ? undefined : decodeWords(name),
  }
}

const CONTENT_FIELDS = new Set([
  'content-type',
  'content-transfer-encoding',
  'content-id',
  'content-description',
  'content-md5',
  'content-language',
  'content-location',
  'content-disposition',
])

/** The first token of a value, comments dropped: `base64 (really)`. */
function readToken(value: string): string {
  const token = /^(?:\([^()]*\)|[ \t])*([^\s();,"]{1,60})/.exec(value)
  return token === null ? '7bit' : token[1]!.toLowerCase()
}

function readLanguages(value: string): string[] {
  return value
    .slice(0, 1000)
    .replace(/\([^()]*\)/g, '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
    .slice(0, 50)
}

/** Types whose content is no text to be shown, even where the subtype is missing or broken. */
const OCTETS = new Set(['application', 'audio', 'font', 'image', 'message', 'model', 'video'])

/**
 * Type and subtype. What is no media type counts as plain text (RFC 2045 §5.2), as a mixed multipart (RFC 2046 §5.1.7: the unknown ones)
 * or as octets, as far as its type tells.
 */
function splitType(value: string, digest: boolean): { type: string; subtype: string } {
  const slash = value.indexOf('/')
  const type = slash < 0 ? value : value.slice(0, slash)
  const subtype = slash < 0 ? '' : value.slice(slash + 1)
  if (isToken(type) && isToken(subtype)) return { type, subtype }
  if (type === 'multipart') return { type, subtype: 'mixed' }
  if (OCTETS.has(type)) return { type: 'application', subtype: 'octet-stream' }
  return digest && value === '' ? { type: 'message', subtype: 'rfc822' } : { type: 'text', subtype: 'plain' }
}

function isToken(text: string): boolean {
  return text.length <= 127 && /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/.test(text)
}
