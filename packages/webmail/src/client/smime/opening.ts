/** Opening a mail of S/MIME: layer by layer, signatures checked on the way. Nothing of it is kept or told to the server but the signer's certificates. */
import {
  type Believes,
  checkSigned,
  decrypt,
  encryptionCertificate,
  type Fault,
  judge,
  readSigned,
  type Signature,
  SmimeError,
  type Verdict,
} from '@postrider/wire/smime'
import { app } from '../app.ts'
import type { Email, EmailContent } from '../jmap/types.ts'
import { type Entity, readEntity, toBase64 } from './entity.ts'
import { loadKeys, rememberPerson } from './keys.ts'

/** Signed, encrypted, signed again: RFC 2634 calls that triple wrapped. */
const MAX_LAYERS = 6
const MAX_BYTES = 64 * 1024 * 1024

export interface OpenedMail {
  readonly entity: Entity
  readonly encrypted: boolean
  /** Could the encrypted bytes have been changed unnoticed? */
  readonly authenticated: boolean
  /** The innermost signature. */
  readonly verdict: Verdict | undefined
}

/** Asks the server whom it believes. */
const believes: Believes = async (leaf, others, at) => {
  const certificates = [leaf, ...others].slice(0, 20).map(({ bytes }) => toBase64(bytes))
  const { fault } = await app.client.call('Certificate/check', {
    certificates,
    at: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
  })
  return (fault as Fault | null) ?? undefined
}

const open = new Map<string, Promise<OpenedMail>>()
const MOST_OPEN = 20

/** Throws SmimeError. */
export function openMail(
  email: Pick<Email, 'from' | 'receivedAt'>,
  { blobId }: Pick<EmailContent, 'blobId'>,
): Promise<OpenedMail> {
  const known = open.get(blobId)
  if (known !== undefined) return known
  const made = read(email, blobId)
  open.set(blobId, made)
  made.catch(() => open.delete(blobId))
  for (const old of open.keys()) {
    if (open.size <= MOST_OPEN) break
    open.delete(old)
  }
  return made
}

async function read(email: Pick<Email, 'from' | 'receivedAt'>, blobId: string): Promise<OpenedMail> {
  const response = await app.client.request(app.client.downloadUrl(blobId, 'mail.eml', 'message/rfc822'))
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (bytes.length > MAX_BYTES) throw new SmimeError('tooLarge')
  const about = { from: (email.from ?? []).map((one) => one.email), at: Date.parse(email.receivedAt), believes }
  let entity = readEntity(bytes)
  let encrypted = false
  let authenticated = true
  let verdict: Verdict | undefined
  let signature: Signature | undefined
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    if (entity.type === 'multipart/signed') {
      const [content, seal] = entity.parts
      if (
        content === undefined ||
        seal === undefined ||
        entity.parts.length !== 2 ||
        !seal.type.endsWith('pkcs7-signature')
      )
        break
      // Only what is signed is shown.
      signature = await checkSigned(readSigned(seal.body), content.whole)
      verdict = await judge(signature, about)
      entity = content
      continue
    }
    if (!/^application\/(?:x-)?pkcs7-mime$/.test(entity.type)) break
    const kind = entity.parameters.get('smime-type')?.toLowerCase()
    if (kind === 'signed-data') {
      const signed = readSigned(entity.body)
      if (signed.content === undefined) throw new SmimeError('unreadable')
      signature = await checkSigned(signed, undefined)
      verdict = await judge(signature, about)
      entity = readEntity(signed.content)
      continue
    }
    if (kind === 'certs-only' || kind === 'compressed-data') break
    const found = await decrypt(entity.body, await loadKeys())
    encrypted = true
    authenticated &&= found.authenticated
    // A signature around what was encrypted says nothing of who wrote what is inside.
    verdict = undefined
    entity = readEntity(found.content)
  }
  const [sender] = about.from
  if (encrypted && verdict?.status === 'valid' && signature !== undefined && sender !== undefined) {
    const theirs = encryptionCertificate(signature, Date.now())
    if (theirs !== undefined) await rememberPerson(sender, theirs)
  }
  return { entity, encrypted, authenticated, verdict }
}
