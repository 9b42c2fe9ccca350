/** S/MIME of stored mail: what kind it is, and its signature, checked once and remembered by the id of its bytes. */
import type { Item, MailboxHandle } from '@postrider/domain'
import { type MimePart, readMessageIndex, toCrlf } from '@postrider/wire/mime'
import { checkSigned, readSigned, type Signature, SmimeError } from '@postrider/wire/smime'
import { blobIdOf, undone } from '../blobs/blob.ts'

/** Bytes of a mail whose signature is checked; larger ones stay `signed`. */
const MAX_CHECKED_BYTES = 48 * 1024 * 1024
/** Signatures remembered, each a few certificates. */
const MAX_REMEMBERED = 2_000

export interface SmimeMail {
  /** `clear`: readable without us (multipart/signed); `opaque`: the content lies inside of the signature. */
  readonly kind: 'clear' | 'opaque' | 'encrypted'
  /** Undefined for what is encrypted and not signed outside; `problem` says why a signature could not be checked. */
  readonly signature: Signature | undefined
}

const failed = (problem: NonNullable<Signature['problem']>): Signature => ({
  problem,
  certificate: undefined,
  others: [],
  signedAt: undefined,
})

export class Signatures {
  readonly #known = new Map<string, Promise<SmimeMail | undefined>>()

  /** Undefined for a mail that is none of S/MIME. Needs the columns `index` and `original`. */
  of(handle: MailboxHandle, item: Item): Promise<SmimeMail | undefined> {
    const root = rootOf(item)
    if (root === undefined) return Promise.resolve(undefined)
    const key = `${handle.mailbox} ${blobIdOf(item)}`
    const known = this.#known.get(key)
    if (known !== undefined) {
      this.#known.delete(key)
      this.#known.set(key, known)
      return known
    }
    const made = read(handle, item, root)
    this.#known.set(key, made)
    // An owner that was away is asked again.
    made.catch(() => this.#known.delete(key))
    for (const old of this.#known.keys()) {
      if (this.#known.size <= MAX_REMEMBERED) break
      this.#known.delete(old)
    }
    return made
  }
}

interface Root {
  readonly parts: readonly MimePart[]
  readonly root: MimePart
  readonly clear: boolean
}

/** Only the outermost part counts: a signature around some part of a mail says nothing of the rest that is shown with it. */
function rootOf({ index }: Item): Root | undefined {
  if (index === undefined || index.length === 0) return undefined
  const { parts } = readMessageIndex(index)
  const [root] = parts
  if (root === undefined) return undefined
  const clear = root.type === 'multipart' && root.subtype === 'signed'
  return clear || (root.type === 'application' && /^(?:x-)?pkcs7-mime$/.test(root.subtype))
    ? { parts, root, clear }
    : undefined
}

async function read(handle: MailboxHandle, item: Item, { parts, root, clear }: Root): Promise<SmimeMail | undefined> {
  const range = (part: MimePart, from: number): Promise<Uint8Array> => handle.original(item, from, part.bodyEnd)
  if (!clear) {
    const kind = root.parameters.get('smime-type')?.toLowerCase()
    if (kind === 'enveloped-data' || kind === 'authenveloped-data') return { kind: 'encrypted', signature: undefined }
    if (root.bodyEnd - root.bodyStart > MAX_CHECKED_BYTES) return { kind: 'opaque', signature: failed('tooLarge') }
    const bytes = undone(await range(root, root.bodyStart), root)
    try {
      return { kind: 'opaque', signature: await checkSigned(readSigned(bytes), undefined) }
    } catch (error) {
      if (!(error instanceof SmimeError)) throw error
      // Not said what it is, and no signature: it is taken for encrypted.
      if (kind === undefined && error.problem === 'unsupported') return { kind: 'encrypted', signature: undefined }
      return { kind: 'opaque', signature: failed(error.problem) }
    }
  }
  const [content, seal, more] = parts.filter(({ parent }) => parent === 0)
  // Another kind of signature: not ours to judge.
  // Wrapped three times (RFC 2634): what is signed has to be opened, too.
  const kind = content?.type === 'application' && /^(?:x-)?pkcs7-mime$/.test(content.subtype) ? 'encrypted' : 'clear'
  if (content === undefined || seal === undefined || !/^(?:x-)?pkcs7-signature$/.test(seal.subtype)) return undefined
  if (more !== undefined) return { kind, signature: failed('unreadable') }
  if (content.bodyEnd - content.headerStart > MAX_CHECKED_BYTES) return { kind, signature: failed('tooLarge') }
  try {
    const signed = readSigned(undone(await range(seal, seal.bodyStart), seal))
    // RFC 8551 §3.1.1: signed with CRLF at the end of every line.
    const bytes = Uint8Array.from(toCrlf(await range(content, content.headerStart)))
    return { kind, signature: await checkSigned({ ...signed, content: undefined }, bytes) }
  } catch (error) {
    if (!(error instanceof SmimeError)) throw error
    return { kind, signature: failed(error.problem) }
  }
}
