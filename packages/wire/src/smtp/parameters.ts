/**
 * ESMTP parameters of MAIL and RCPT as a table: RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8), RFC 3461 (RET, ENVID,
 * NOTIFY, ORCPT), RFC 4954 §5 (AUTH).
 */
import { MAX_ENVID, MAX_ORCPT, MAX_PARAMETERS } from './limits.ts'
import { parseMailbox } from './path.ts'
import { decodeUtf8Address, decodeXtext } from './xtext.ts'

/** What MAIL may say about the message. */
export interface MailParameters {
  size?: number
  body?: '7BIT' | '8BITMIME' | 'BINARYMIME'
  smtpUtf8?: true
  ret?: 'FULL' | 'HDRS'
  /** Decoded. */
  envid?: string
  /** The identity that submitted it (RFC 4954 §5); null for `<>`. */
  auth?: string | null
}

export type NotifyCondition = 'SUCCESS' | 'FAILURE' | 'DELAY'

/** What RCPT may say about the recipient. */
export interface RcptParameters {
  /** Empty for NEVER. */
  notify?: NotifyCondition[]
  orcpt?: OriginalRecipient
}

/** RFC 3461 §4.2: the type before the semicolon and the decoded address. */
export interface OriginalRecipient {
  addressType: string
  address: string
}

/** Why parameters were refused: not known at all (555), or known and malformed (501). */
export interface ParameterError {
  kind: 'unknown' | 'invalid'
  name: string
}

type Reader<T> = (value: string | undefined, into: T) => boolean

const MAIL: ReadonlyMap<string, Reader<MailParameters>> = new Map<string, Reader<MailParameters>>([
  [
    'SIZE',
    (value, into) => {
      if (value === undefined || !/^\d{1,20}$/.test(value)) return false
      into.size = Number(value)
      return true
    },
  ],
  [
    'BODY',
    (value, into) => {
      const body = value?.toUpperCase()
      if (body !== '7BIT' && body !== '8BITMIME' && body !== 'BINARYMIME') return false
      into.body = body
      return true
    },
  ],
  [
    'SMTPUTF8',
    (value, into) => {
      into.smtpUtf8 = true
      return value === undefined
    },
  ],
  [
    'RET',
    (value, into) => {
      const ret = value?.toUpperCase()
      if (ret !== 'FULL' && ret !== 'HDRS') return false
      into.ret = ret
      return true
    },
  ],
  [
    'ENVID',
    (value, into) => {
      const envid = value === undefined || value.length > MAX_ENVID ? undefined : decodeXtext(value)
      // RFC 3461 §4.4: only printable characters may come out of the encoding.
      if (envid === undefined || !/^[\x20-\x7e]+$/.test(envid)) return false
      into.envid = envid
      return true
    },
  ],
  [
    'AUTH',
    (value, into) => {
      const identity = value === undefined ? undefined : decodeXtext(value)
      if (identity === undefined) return false
      into.auth = identity === '<>' ? null : (parseMailbox(identity)?.address ?? null)
      return true
    },
  ],
])

const RCPT: ReadonlyMap<string, Reader<RcptParameters>> = new Map<string, Reader<RcptParameters>>([
  [
    'NOTIFY',
    (value, into) => {
      const conditions = value?.toUpperCase().split(',') ?? []
      if (conditions.length === 1 && conditions[0] === 'NEVER') {
        into.notify = []
        return true
      }
      const known = conditions.filter((c): c is NotifyCondition => c === 'SUCCESS' || c === 'FAILURE' || c === 'DELAY')
      if (known.length === 0 || known.length !== conditions.length) return false
      into.notify = [...new Set(known)]
      return true
    },
  ],
  [
    'ORCPT',
    (value, into) => {
      if (value === undefined || value.length > MAX_ORCPT) return false
      const [, addressType, encoded] = /^([A-Za-z0-9-]+);(.+)$/s.exec(value) ?? []
      if (addressType === undefined || encoded === undefined) return false
      const address = addressType.toLowerCase() === 'utf-8' ? decodeUtf8Address(encoded) : decodeXtext(encoded)
      if (address === undefined || /[\x00-\x1f\x7f]/.test(address)) return false
      into.orcpt = { addressType, address }
      return true
    },
  ],
])

/** Reads what follows the path of MAIL. */
export function parseMailParameters(text: string): MailParameters | ParameterError {
  return read(text, MAIL, {})
}

/** Reads what follows the path of RCPT. */
export function parseRcptParameters(text: string): RcptParameters | ParameterError {
  return read(text, RCPT, {})
}

/** Whether a result is a refusal. */
export function isParameterError(result: object): result is ParameterError {
  return 'kind' in result
}

function read<T extends object>(text: string, table: ReadonlyMap<string, Reader<T>>, into: T): T | ParameterError {
  const words = text.split(' ').filter((word) => word !== '')
  if (words.length > MAX_PARAMETERS) return { kind: 'invalid', name: 'too many parameters' }
  const seen = new Set<string>()
  for (const word of words) {
    const equals = word.indexOf('=')
    const name = (equals < 0 ? word : word.slice(0, equals)).toUpperCase()
    const reader = table.get(name)
    if (reader === undefined) return { kind: 'unknown', name: name.slice(0, 32) }
    if (seen.has(name) || !reader(equals < 0 ? undefined : word.slice(equals + 1), into))
      return { kind: 'invalid', name }
    seen.add(name)
  }
  return into
}
