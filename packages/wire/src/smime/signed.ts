import { type Certificate, certificateOf } from './certificate.ts'
import { isSignedBy } from './check.ts'
import {
  child,
  context,
  copy,
  expect,
  find,
  octetsOf,
  oidOf,
  plainContext,
  type Problem,
  readValue,
  sameBytes,
  SmimeError,
  Tag,
  timeOf,
  type Value,
  value,
} from './der.ts'
import { MAX_CERTIFICATES, MAX_CMS_BYTES, MAX_SIGNERS } from './limits.ts'
import { type Hash, hashes, Oid } from './oids.ts'

/** SignedData: RFC 5652 §5. */
export interface Signed {
  /** What is signed, where it lies inside (opaque signing). */
  readonly content: Uint8Array<ArrayBuffer> | undefined
  readonly certificates: readonly Certificate[]
  readonly signers: readonly Signer[]
}
interface Signer {
  readonly who: Value
  readonly hash: Hash | undefined
  readonly attributes: Value | undefined
  readonly algorithm: Value
  readonly signature: Uint8Array<ArrayBuffer>
}

/** One signature, checked against the content; whether its certificate is believed is another question (trust.ts). */
export interface Signature {
  /** Undefined: made by the certificate's key over exactly this content. */
  readonly problem: Problem | undefined
  readonly certificate: Certificate | undefined
  /** What came along, to find the way to an anchor. */
  readonly others: readonly Certificate[]
  /** What the signer says of the time; nobody else does. */
  readonly signedAt: number | undefined
}

/** The content of a ContentInfo of this type: RFC 5652 §3. */
export function contentOf(
  bytes: Uint8Array,
  ...types: readonly string[]
): { readonly type: string; readonly inside: Value } {
  if (bytes.length > MAX_CMS_BYTES) throw new SmimeError('tooLarge')
  const info = expect(readValue(bytes), Tag.sequence)
  const type = oidOf(child(info, 0))
  if (!types.includes(type)) throw new SmimeError('unsupported')
  return { type, inside: child(child(info, 1, context(0)), 0, Tag.sequence) }
}

/** Reads a signature. Throws SmimeError. */
export function readSigned(bytes: Uint8Array): Signed {
  const { inside } = contentOf(bytes, Oid.signedData)
  const held = child(inside, 2, Tag.sequence)
  const wrapped = find(held, context(0))
  const certificates: Certificate[] = []
  for (const one of find(inside, context(0))?.children ?? []) {
    if (one.tag !== Tag.sequence) continue
    if (certificates.length >= MAX_CERTIFICATES) break
    try {
      certificates.push(certificateOf(one))
    } catch (error) {
      // One that cannot be read may be one that is not needed.
      if (!(error instanceof SmimeError)) throw error
    }
  }
  const list = inside.children.at(-1)
  if (list === undefined || list.tag !== Tag.set) throw new SmimeError('unreadable')
  return {
    content: wrapped === undefined ? undefined : octetsOf(child(wrapped, 0)),
    certificates,
    signers: list.children.slice(0, MAX_SIGNERS).map(signerOf),
  }
}

function signerOf(one: Value): Signer {
  const attributes = one.children[3]?.tag === context(0) ? one.children[3] : undefined
  const at = attributes === undefined ? 3 : 4
  return {
    who: child(one, 1),
    hash: hashes.get(oidOf(child(child(one, 2, Tag.sequence), 0))),
    attributes,
    algorithm: child(one, at, Tag.sequence),
    signature: octetsOf(child(one, at + 1, Tag.octets)),
  }
}

/**
 * Checks all signatures over `content` (that of the message beside, or the one inside). The best one is answered: a message may carry a
 * second one for programs that know only old algorithms.
 */
export async function checkSigned(signed: Signed, content: Uint8Array<ArrayBuffer> | undefined): Promise<Signature> {
  const none: Signature = { problem: 'unreadable', certificate: undefined, others: [], signedAt: undefined }
  const what = content ?? signed.content
  if (what === undefined || signed.signers.length === 0) return none
  let best = none
  for (const signer of signed.signers) {
    const found = await checkOne(signed, signer, what)
    if (found.problem === undefined) return found
    if (best === none) best = found
  }
  return best
}

async function checkOne(signed: Signed, signer: Signer, content: Uint8Array<ArrayBuffer>): Promise<Signature> {
  const certificate = signed.certificates.find((one) => isMeant(signer.who, one))
  const others = signed.certificates.filter((one) => one !== certificate)
  let signedAt: number | undefined
  const answer = (problem: Problem | undefined): Signature => ({ problem, certificate, others, signedAt })
  try {
    if (certificate === undefined) return answer('noCertificate')
    const { hash, attributes, algorithm, signature } = signer
    if (hash === undefined) return answer('unsupported')
    if (attributes === undefined) {
      const fits = await isSignedBy(certificate.key, algorithm, signature, content, hash)
      return answer(fits ? undefined : 'changed')
    }
    const facts = attributesOf(attributes)
    signedAt = facts.signedAt
    const digest = new Uint8Array(await crypto.subtle.digest(hash, content))
    if (facts.digest === undefined || facts.type === undefined) return answer('unreadable')
    if (!sameBytes(facts.digest, digest)) return answer('changed')
    // RFC 5652 §5.4: signed with the tag of a SET OF, not with the one it stands under.
    const fits = await isSignedBy(certificate.key, algorithm, signature, value(Tag.set, attributes.content), hash)
    return answer(fits ? undefined : 'changed')
  } catch (error) {
    if (error instanceof SmimeError) return answer(error.problem)
    throw error
  }
}

/** SignerIdentifier, RecipientIdentifier: RFC 5652 §5.3. */
export function isMeant(who: Value, { issuer, serial, subjectKeyId }: Certificate): boolean {
  if (who.tag === Tag.sequence)
    return sameBytes(child(who, 0).whole, issuer) && sameBytes(child(who, 1).content, serial)
  if (who.tag === plainContext(0) || who.tag === context(0))
    return subjectKeyId !== undefined && sameBytes(who.tag === context(0) ? octetsOf(who) : who.content, subjectKeyId)
  return false
}

/** RFC 5652 §11; each may stand there once, with one value. */
function attributesOf(attributes: Value): {
  readonly type: string | undefined
  readonly digest: Uint8Array | undefined
  readonly signedAt: number | undefined
} {
  const values = new Map<string, Value>()
  for (const one of attributes.children) {
    const id = oidOf(child(one, 0))
    const set = child(one, 1, Tag.set)
    if (
      ([Oid.contentType, Oid.messageDigest] as readonly string[]).includes(id) &&
      (values.has(id) || set.children.length !== 1)
    )
      throw new SmimeError('unreadable')
    const [first] = set.children
    if (first !== undefined) values.set(id, first)
  }
  const type = values.get(Oid.contentType)
  const digest = values.get(Oid.messageDigest)
  const at = values.get(Oid.signingTime)
  return {
    type: type === undefined ? undefined : oidOf(type),
    digest: digest === undefined ? undefined : copy(expect(digest, Tag.octets).content),
    signedAt: at === undefined ? undefined : timeOf(at),
  }
}
