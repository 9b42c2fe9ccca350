/** Mailboxes and paths of the envelope: RFC 5321 §4.1.2, with RFC 6531 §3.3 (UTF-8) where the session allows it. */
import { domainToASCII } from 'node:url'
import { MAX_DOMAIN, MAX_LABEL, MAX_LOCAL_PART } from './limits.ts'

/** An envelope address. The local part is the meaning, without quotes or escapes. */
export interface SmtpMailbox {
  localPart: string
  /** Lower-cased; A-labels or U-labels as the client wrote them; a literal keeps its brackets. Empty only for `<postmaster>`. */
  domain: string
  /** The canonical spelling to store, compare and send: local part quoted only where it must be. */
  address: string
  /** Whether SMTPUTF8 is needed to send it (RFC 6531 §1.2). */
  utf8: boolean
}

/** A path as a command carries it. */
export type SmtpPath =
  | { kind: 'null' }
  | { kind: 'mailbox'; mailbox: SmtpMailbox; sourceRoute: boolean }
  | { kind: 'error'; problem: 'syntax' | 'localPart' | 'domain' }

const ATEXT = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+$/u
const LABEL = /^[A-Za-z0-9_\u0080-\u{10ffff}](?:[A-Za-z0-9_\-\u0080-\u{10ffff}]*[A-Za-z0-9_\u0080-\u{10ffff}])?$/u
const IPV4 = /^(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/
const NON_ASCII = /[\u0080-\u{10ffff}]/u

/**
 * Reads the path at the start of `text` and returns it with what follows (parameters, with their leading space). Angle brackets
 * may be missing, as old clients leave them out; a source route is read and dropped (RFC 5321 §4.1.1.3, Appendix C).
 */
export function parsePath(text: string): { path: SmtpPath; rest: string } {
  if (!text.startsWith('<')) {
    const space = endOfBarePath(text)
    return { path: mailboxPath(text.slice(0, space), false), rest: text.slice(space) }
  }
  const close = closingBracket(text)
  if (close < 0) return { path: { kind: 'error', problem: 'syntax' }, rest: '' }
  const rest = text.slice(close + 1)
  let inner = text.slice(1, close)
  if (inner === '') return { path: { kind: 'null' }, rest }
  let sourceRoute = false
  if (inner.startsWith('@')) {
    const colon = inner.indexOf(':')
    if (colon < 0 || !isSourceRoute(inner.slice(0, colon)))
      return { path: { kind: 'error', problem: 'syntax' }, rest: '' }
    inner = inner.slice(colon + 1)
    sourceRoute = true
  }
  return { path: mailboxPath(inner, sourceRoute), rest }
}

/** Reads a mailbox that stands alone (`local@domain`); undefined when it is none. */
export function parseMailbox(text: string): SmtpMailbox | undefined {
  const path = mailboxPath(text, false)
  return path.kind === 'mailbox' && path.mailbox.domain !== '' ? path.mailbox : undefined
}

/** Whether a name is a domain (or address literal) that an envelope or EHLO may carry. */
export function isDomain(text: string): boolean {
  if (text.startsWith('[')) return isAddressLiteral(text)
  if (text === '' || text.length > MAX_DOMAIN) return false
  return text.split('.').every((label) => label.length <= MAX_LABEL && LABEL.test(label))
}

/** The A-label form of a domain for DNS and comparison; a literal unchanged; undefined when it cannot be one. */
export function asciiDomain(domain: string): string | undefined {
  if (domain.startsWith('[')) return domain.toLowerCase()
  if (!NON_ASCII.test(domain)) return domain.toLowerCase()
  const ascii = domainToASCII(domain)
  return ascii === '' || ascii.length > MAX_DOMAIN ? undefined : ascii
}

/** Writes an envelope address, quoting the local part only when it is no dot-string. */
export function formatMailbox(localPart: string, domain: string): string {
  const local = isDotString(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`
  return domain === '' ? local : `${local}@${domain}`
}

function mailboxPath(text: string, sourceRoute: boolean): SmtpPath {
  const local = readLocalPart(text)
  if (local === undefined) return { kind: 'error', problem: 'localPart' }
  const { localPart, length } = local
  if (length === text.length) {
    // RFC 5321 §4.1.1.3: "<Postmaster>" is the one recipient without a domain.
    if (sourceRoute || localPart.toLowerCase() !== 'postmaster') return { kind: 'error', problem: 'syntax' }
    return { kind: 'mailbox', mailbox: { localPart, domain: '', address: localPart, utf8: false }, sourceRoute }
  }
  if (text[length] !== '@') return { kind: 'error', problem: 'localPart' }
  const domain = text.slice(length + 1).toLowerCase()
  if (!isDomain(domain)) return { kind: 'error', problem: 'domain' }
  const address = formatMailbox(localPart, domain)
  return { kind: 'mailbox', mailbox: { localPart, domain, address, utf8: NON_ASCII.test(address) }, sourceRoute }
}

function readLocalPart(text: string): { localPart: string; length: number } | undefined {
  if (!text.startsWith('"')) {
    // The last "@": none can occur in a dot-string, so more than one fails below.
    const at = text.lastIndexOf('@')
    const length = at < 0 ? text.length : at
    const localPart = text.slice(0, length)
    return isDotString(localPart) && localPart.length <= MAX_LOCAL_PART ? { localPart, length } : undefined
  }
  let localPart = ''
  for (let i = 1; i < text.length && localPart.length <= MAX_LOCAL_PART; i++) {
    let char = text[i]!
    if (char === '"') return localPart === '' ? undefined : { localPart, length: i + 1 }
    if (char === '\\') char = text[++i] ?? ''
    if (char < ' ' || char === '\x7f') return undefined
    localPart += char
  }
  return undefined
}

function isDotString(text: string): boolean {
  return text !== '' && text.split('.').every((atom) => ATEXT.test(atom))
}

function isSourceRoute(text: string): boolean {
  return text.split(',').every((hop) => hop.startsWith('@') && isDomain(hop.slice(1)))
}

function isAddressLiteral(text: string): boolean {
  if (!text.endsWith(']')) return false
  const inner = text.slice(1, -1)
  if (IPV4.test(inner)) return true
  if (!/^ipv6:/i.test(inner)) return false
  return isIPv6(inner.slice(5))
}

function isIPv6(text: string): boolean {
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text)) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = (half: string): number => {
    if (half === '') return 0
    let count = 0
    const parts = half.split(':')
    for (const [i, part] of parts.entries()) {
      if (i === parts.length - 1 && IPV4.test(part)) count += 2
      else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) count += 1
      else return Number.NaN
    }
    return count
  }
  const total = groups(halves[0]!) + (halves.length === 2 ? groups(halves[1]!) : 0)
  return halves.length === 2 ? total <= 7 : total === 8
}

/** The bracket that closes the path; one inside a quoted string does not count. */
function closingBracket(text: string): number {
  let quoted = false
  for (let i = 1; i < text.length; i++) {
    const char = text[i]
    if (quoted && char === '\\') i++
    else if (char === '"') quoted = !quoted
    else if (char === '>' && !quoted) return i
  }
  return -1
}

function endOfBarePath(text: string): number {
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (quoted && char === '\\') i++
    else if (char === '"') quoted = !quoted
    else if (char === ' ' && !quoted) return i
  }
  return text.length
}
