import { crc32 } from 'node:zlib'
import {
  type Attachment,
  DomainError,
  decodeBag,
  emptyBag,
  encodeBag,
  type PropertyBag,
  type Recipient,
} from '@postrider/domain'

/**
 * How the fat columns are written: nothing at all as NULL, everything else as crc32 (4 bytes, little endian) and the bytes. Recipients and
 * attachments are JSON with bags in base64.
 */
const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

export function seal(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length === 0) return null
  const sealed = Buffer.allocUnsafe(bytes.length + 4)
  sealed.writeUInt32LE(crc32(bytes), 0)
  sealed.set(bytes, 4)
  return sealed
}

/** The bytes that `seal` was given. Throws `corrupt`. */
export function unseal(sealed: Uint8Array | null): Uint8Array {
  if (sealed === null) return new Uint8Array(0)
  if (sealed.length < 4) throw new DomainError('corrupt', 'sealed bytes cut short')
  const bytes = sealed.subarray(4)
  const crc = (sealed[0]! | (sealed[1]! << 8) | (sealed[2]! << 16) | (sealed[3]! << 24)) >>> 0
  if (crc32(bytes) !== crc) throw new DomainError('corrupt', 'checksum of a column')
  return bytes
}

/** Throws `invalid` for a bag beyond the limits or with values that are not what their type says. */
export function sealBag(bag: PropertyBag): Uint8Array | null {
  if (bag.size === 0) return null
  try {
    return seal(encodeBag(bag))
  } catch (cause) {
    throw new DomainError('invalid', String(cause), { cause })
  }
}

export function unsealBag(sealed: Uint8Array | null): PropertyBag {
  if (sealed === null) return emptyBag
  const bytes = unseal(sealed)
  try {
    return decodeBag(bytes)
  } catch (cause) {
    throw new DomainError('corrupt', String(cause), { cause })
  }
}

const bagText = (bag: PropertyBag | undefined): { readonly bag?: string } =>
  bag === undefined ? {} : { bag: Buffer.from(encodeBag(bag)).toString('base64') }
const textBag = (text: string | undefined): { readonly props?: PropertyBag } =>
  text === undefined ? {} : { props: decodeBag(Buffer.from(text, 'base64')) }

function sealList<T extends { readonly props?: PropertyBag }>(list: readonly T[]): Uint8Array | null {
  if (list.length === 0) return null
  try {
    return seal(utf8.encode(JSON.stringify(list.map(({ props, ...rest }) => ({ ...rest, ...bagText(props) })))))
  } catch (cause) {
    throw new DomainError('invalid', String(cause), { cause })
  }
}

function unsealList<T>(sealed: Uint8Array | null): readonly T[] {
  if (sealed === null) return []
  const text = fromUtf8.decode(unseal(sealed))
  try {
    const list = JSON.parse(text) as readonly (Record<string, unknown> & { readonly bag?: string })[]
    return list.map(({ bag, ...rest }) => ({ ...rest, ...textBag(bag) }) as T)
  } catch (cause) {
    throw new DomainError('corrupt', String(cause), { cause })
  }
}

export const sealRecipients = (list: readonly Recipient[]): Uint8Array | null => sealList(list)
export const unsealRecipients = (sealed: Uint8Array | null): readonly Recipient[] => unsealList<Recipient>(sealed)
export const sealAttachments = (list: readonly Attachment[]): Uint8Array | null => sealList(list)
export const unsealAttachments = (sealed: Uint8Array | null): readonly Attachment[] => unsealList<Attachment>(sealed)
