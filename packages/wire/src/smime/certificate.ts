import {
  bitsOf,
  child,
  context,
  copy,
  expect,
  find,
  hex,
  oidOf,
  octetsOf,
  plainContext,
  readValue,
  SmimeError,
  smallOf,
  Tag,
  textOf,
  timeOf,
  type Value,
} from './der.ts'
import { MAX_CERTIFICATE_BYTES } from './limits.ts'
import { Oid } from './oids.ts'

/** A certificate: RFC 5280 §4.1. */
export interface Certificate {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What its issuer signed. */
  readonly signed: Uint8Array<ArrayBuffer>
  readonly algorithm: Value
  readonly signature: Uint8Array<ArrayBuffer>
  /** The number as its octets. */
  readonly serial: Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo. */
  readonly key: Value
  readonly subjectName: string
  readonly issuerName: string
  /** Addresses it was issued for, lower case. */
  readonly addresses: readonly string[]
  readonly isAuthority: boolean
  readonly pathLength: number | undefined
  /** Bits of KeyUsage; undefined: everything. */
  readonly usage: number | undefined
  readonly purposes: readonly string[] | undefined
  readonly subjectKeyId: Uint8Array | undefined
  readonly constraints: Constraints | undefined
  /** A critical extension that is not understood here. */
  readonly strange: boolean
}
/** Names of mail addresses an authority may issue for: RFC 5280 §4.2.1.10. */
export interface Constraints {
  readonly permitted: readonly string[]
  readonly excluded: readonly string[]
}

/** KeyUsage: RFC 5280 §4.2.1.3, the first bit is the highest. */
export const Usage = {
  digitalSignature: 0x8000,
  nonRepudiation: 0x4000,
  keyEncipherment: 0x2000,
  keyAgreement: 0x0800,
  certSign: 0x0400,
} as const

/** Reads a certificate. Throws SmimeError. */
export function readCertificate(bytes: Uint8Array): Certificate {
  if (bytes.length > MAX_CERTIFICATE_BYTES) throw new SmimeError('tooLarge')
  return certificateOf(readValue(bytes))
}

export function certificateOf(whole: Value): Certificate {
  if (whole.whole.length > MAX_CERTIFICATE_BYTES) throw new SmimeError('tooLarge')
  expect(whole, Tag.sequence)
  const signed = child(whole, 0, Tag.sequence)
  const at = signed.children[0]?.tag === context(0) ? 1 : 0
  const serial = child(signed, at, Tag.integer)
  const issuer = child(signed, at + 2, Tag.sequence)
  const validity = child(signed, at + 3, Tag.sequence)
  const subject = child(signed, at + 4, Tag.sequence)
  const key = child(signed, at + 5, Tag.sequence)
  const facts = extensionsOf(find(signed, context(3)))
  const names = nameParts(subject)
  const addresses = new Set(facts.addresses)
  for (const [type, text] of names)
    if (type === Oid.emailAddress && text.includes('@')) addresses.add(text.toLowerCase())
  return {
    bytes: copy(whole.whole),
    signed: copy(signed.whole),
    algorithm: child(whole, 1, Tag.sequence),
    signature: bitsOf(child(whole, 2, Tag.bits)),
    serial: serial.content,
    issuer: issuer.whole,
    subject: subject.whole,
    notBefore: timeOf(child(validity, 0)),
    notAfter: timeOf(child(validity, 1)),
    key,
    subjectName: nameText(names),
    issuerName: nameText(nameParts(issuer)),
    ...facts,
    addresses: [...addresses],
  }
}

function nameParts(name: Value): (readonly [type: string, text: string])[] {
  return name.children
    .slice(0, 50)
    .flatMap((set) => set.children.slice(0, 10).map((pair) => [oidOf(child(pair, 0)), textOf(child(pair, 1))] as const))
}
/** The name a person reads: the common name, else the most particular part. */
const nameText = (parts: readonly (readonly [string, string])[]): string => {
  const found = parts.findLast(([type]) => type === Oid.commonName) ?? parts.at(-1)
  return (found?.[1] ?? '')
    .replace(/[\u0000-\u001f\u007f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .slice(0, 200)
}

type Facts = Pick<
  Certificate,
  'addresses' | 'isAuthority' | 'pathLength' | 'usage' | 'purposes' | 'subjectKeyId' | 'constraints' | 'strange'
>

/** Extensions that are understood, or may be passed over because they cannot matter to a mail address. */
const known = new Set<string>([
  Oid.subjectKeyId,
  Oid.keyUsage,
  Oid.subjectAltName,
  Oid.basicConstraints,
  Oid.nameConstraints,
  Oid.certificatePolicies,
  Oid.policyMappings,
  Oid.authorityKeyId,
  Oid.extendedKeyUsage,
])

function extensionsOf(found: Value | undefined): Facts {
  const facts: { -readonly [K in keyof Facts]: Facts[K] } = {
    addresses: [],
    isAuthority: false,
    pathLength: undefined,
    usage: undefined,
    purposes: undefined,
    subjectKeyId: undefined,
    constraints: undefined,
    strange: false,
  }
  if (found === undefined) return facts
  for (const one of child(found, 0, Tag.sequence).children) {
    const id = oidOf(child(one, 0))
    const critical = one.children[1]?.tag === Tag.boolean && one.children[1].content[0] !== 0
    const held = one.children.at(-1)
    if (held === undefined) throw new SmimeError('unreadable')
    if (!known.has(id)) {
      if (critical) facts.strange = true
      continue
    }
    const inside = readValue(octetsOf(expect(held, Tag.octets)))
    if (id === Oid.subjectAltName) facts.addresses = inside.children.flatMap(addressOf)
    else if (id === Oid.basicConstraints) {
      facts.isAuthority = (inside.children[0]?.tag === Tag.boolean && inside.children[0].content[0] !== 0) || false
      const length = find(inside, Tag.integer)
      facts.pathLength = length === undefined ? undefined : smallOf(length)
    } else if (id === Oid.keyUsage) facts.usage = ((inside.content[1] ?? 0) << 8) | (inside.content[2] ?? 0)
    else if (id === Oid.extendedKeyUsage) facts.purposes = inside.children.map(oidOf)
    else if (id === Oid.subjectKeyId) facts.subjectKeyId = inside.content
    else if (id === Oid.nameConstraints) {
      const names = (tag: number): (string | undefined)[] =>
        find(inside, context(tag))?.children.map((tree) => mailName(child(tree, 0))) ?? []
      const [permitted, excluded] = [names(0), names(1)]
      // A name of the directory, or one of a kind unknown here: nobody can tell whether it allows this.
      if ([...permitted, ...excluded].includes(undefined)) facts.strange = true
      const texts = (list: readonly (string | undefined)[]): string[] =>
        list.filter((text): text is string => text !== undefined && text !== '')
      facts.constraints = { permitted: texts(permitted), excluded: texts(excluded) }
    }
  }
  return facts
}

/** rfc822Name, and the SmtpUTF8Mailbox of RFC 9598. */
function addressOf(name: Value): string[] {
  if (name.tag === plainContext(1)) return [textOf(name).toLowerCase()]
  if (name.tag !== context(0) || name.children[0]?.tag !== Tag.oid) return []
  const text = name.children[1]?.children[0]
  return oidOf(name.children[0]) === Oid.smtpUtf8Mailbox && text !== undefined ? [textOf(text).toLowerCase()] : []
}
/** '' for kinds of names that are not about mail; undefined for those that may be. */
const mailName = (name: Value): string | undefined =>
  name.tag === plainContext(1)
    ? textOf(name).toLowerCase()
    : [plainContext(2), plainContext(6), plainContext(7)].includes(name.tag)
      ? ''
      : undefined

/** Whether the address lies in a subtree: a mailbox, a host, or `.domain`. */
export const inSubtree = (address: string, tree: string): boolean => {
  const host = address.slice(address.lastIndexOf('@') + 1)
  return tree.includes('@') ? address === tree : tree.startsWith('.') ? host.endsWith(tree) : host === tree
}

/** What people and clients are told of a certificate. */
export interface CertificateInfo {
  readonly name: string
  readonly issuer: string
  readonly addresses: readonly string[]
  readonly serial: string
  readonly notBefore: number
  readonly notAfter: number
  /** SHA-256 of it, hexadecimal. */
  readonly fingerprint: string
}
export async function certificateInfo(one: Certificate): Promise<CertificateInfo> {
  return {
    name: one.subjectName,
    issuer: one.issuerName,
    addresses: one.addresses,
    serial: hex(one.serial),
    notBefore: one.notBefore,
    notAfter: one.notAfter,
    fingerprint: hex(new Uint8Array(await crypto.subtle.digest('SHA-256', one.bytes))),
  }
}

/** Certificates of a PEM text, or of one in DER. Throws SmimeError. */
export function readCertificates(bytes: Uint8Array): Certificate[] {
  const text = new TextDecoder('latin1').decode(bytes)
  if (!text.includes('-----BEGIN')) return [readCertificate(bytes)]
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)].map(
    ([, body = '']) => readCertificate(Uint8Array.from(atob(body.replace(/\s+/g, '')), (one) => one.charCodeAt(0))),
  )
}
