import { context, copy, joined, octets, sequence, value } from './der.ts'
import { type Hash, Oid } from './oids.ts'

/** The key that wraps a message's key, out of what two elliptic keys agree on: RFC 5753 §7.1.4, §7.2, ANSI X9.63. */

export const kdfHash: ReadonlyMap<string, Hash> = new Map([
  [Oid.ecdhSha1Kdf, 'SHA-1'],
  [Oid.ecdhSha256Kdf, 'SHA-256'],
  [Oid.ecdhSha384Kdf, 'SHA-384'],
  [Oid.ecdhSha512Kdf, 'SHA-512'],
])
export const wrapBits: ReadonlyMap<string, number> = new Map([
  [Oid.aes128Wrap, 128],
  [Oid.aes192Wrap, 192],
  [Oid.aes256Wrap, 256],
])
export const agreedBits = { 'P-256': 256, 'P-384': 384, 'P-521': 528 } as const

/** `wrap`: the AlgorithmIdentifier of the key wrapping, as it was written; `ukm`: the sender's own material. */
export async function wrappingKey(
  shared: ArrayBuffer,
  {
    hash,
    wrap,
    bits,
    ukm,
  }: { readonly hash: Hash; readonly wrap: Uint8Array; readonly bits: number; readonly ukm?: Uint8Array | undefined },
  use: 'wrapKey' | 'unwrapKey',
): Promise<CryptoKey> {
  const size = Uint8Array.of(bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255)
  const info = sequence(
    copy(wrap),
    ...(ukm === undefined ? [] : [value(context(0), octets(ukm))]),
    value(context(2), octets(size)),
  )
  const out: Uint8Array[] = []
  for (let counter = 1, made = 0; made < bits / 8; counter++) {
    const block = await crypto.subtle.digest(
      hash,
      joined(new Uint8Array(shared), Uint8Array.of(0, 0, 0, counter), info),
    )
    out.push(new Uint8Array(block))
    made += block.byteLength
  }
  return crypto.subtle.importKey('raw', joined(...out).slice(0, bits / 8), 'AES-KW', false, [use])
}
