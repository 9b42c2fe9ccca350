import { agreedBits, wrappingKey } from './agree.ts'
import type { Certificate } from './certificate.ts'
import {
  bitsOf,
  child,
  context,
  copy,
  none,
  octets,
  oid,
  oidOf,
  plainContext,
  sequence,
  setOf,
  small,
  SmimeError,
  Tag,
  value,
} from './der.ts'
import { curves, Oid } from './oids.ts'
import { wrapKey } from './rsa.ts'

/** Encrypting for people: EnvelopedData (RFC 5652 §6) with AES-256-CBC, which every program opens. */

const KEY = 32
const BLOCK = 16

/** For the holders of these certificates. Throws SmimeError: `unsupported`, `weak`. */
export async function encrypt(
  content: Uint8Array<ArrayBuffer>,
  recipients: readonly Certificate[],
): Promise<Uint8Array<ArrayBuffer>> {
  const secret = crypto.getRandomValues(new Uint8Array(KEY))
  const iv = crypto.getRandomValues(new Uint8Array(BLOCK))
  const key = await crypto.subtle.importKey('raw', secret, 'AES-CBC', false, ['encrypt'])
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, key, content))
  const infos: Uint8Array[] = []
  let version = 0
  for (const one of recipients) {
    const agreed = oidOf(child(child(one.key, 0), 0)) === Oid.ecKey
    if (agreed) version = 2
    infos.push(agreed ? await byAgreement(one, secret) : byTransport(one, secret))
  }
  return sequence(
    oid(Oid.envelopedData),
    value(
      context(0),
      sequence(
        small(version),
        setOf(Tag.set, infos),
        sequence(oid(Oid.data), sequence(oid(Oid.aes256Cbc), octets(iv)), value(plainContext(0), sealed)),
      ),
    ),
  )
}

const named = ({ issuer, serial }: Certificate): Uint8Array => sequence(issuer, value(Tag.integer, serial))

/** KeyTransRecipientInfo: RFC 5652 §6.2.1. */
function byTransport(one: Certificate, secret: Uint8Array): Uint8Array {
  if (oidOf(child(child(one.key, 0), 0)) !== Oid.rsa) throw new SmimeError('unsupported')
  return sequence(small(0), named(one), sequence(oid(Oid.rsa), none), octets(wrapKey(one.key, secret)))
}

/** KeyAgreeRecipientInfo with a key made for this message: RFC 5753 §3.1. */
async function byAgreement(one: Certificate, secret: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const curve = curves.get(oidOf(child(child(one.key, 0), 1)))
  if (curve === undefined) throw new SmimeError('unsupported')
  const { subtle } = crypto
  const how = { name: 'ECDH', namedCurve: curve }
  const other = await subtle.importKey('raw', bitsOf(child(one.key, 1, Tag.bits)), how, false, [])
  const own = await subtle.generateKey(how, true, ['deriveBits'])
  const shared = await subtle.deriveBits({ name: 'ECDH', public: other }, own.privateKey, agreedBits[curve])
  const wrap = sequence(oid(Oid.aes256Wrap))
  const kek = await wrappingKey(shared, { hash: 'SHA-256', wrap, bits: 256 }, 'wrapKey')
  const held = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
  const wrapped = new Uint8Array(await subtle.wrapKey('raw', held, kek, 'AES-KW'))
  const point = new Uint8Array(await subtle.exportKey('raw', own.publicKey))
  return value(
    context(1),
    small(3),
    value(context(0), value(context(1), sequence(oid(Oid.ecKey)), value(Tag.bits, Uint8Array.of(0), point))),
    sequence(oid(Oid.ecdhSha256Kdf), wrap),
    sequence(sequence(copy(named(one)), octets(wrapped))),
  )
}
