/** A mail that is signed, and encrypted where that is wanted: built here, put among the drafts as it is, ready to be sent. */
import { type Certificate, encrypt, readCertificate, signDetached } from '@postrider/wire/smime'
import { app } from '../app.ts'
import type { Protect } from '../compose/open.ts'
import { withCids, type Written } from '../compose/outgoing.ts'
import { withUploaded } from '../compose/upload.ts'
import { JmapError } from '../jmap/client.ts'
import type { Address, Id } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { bytesOf, contentOf, type FilePart, headOf, sealedEntity, signedEntity } from './build-mail.ts'
import { fromBase64 } from './entity.ts'
import { keyFor, knownPerson } from './keys.ts'

/** Mails of somebody that are looked through for their certificate. */
const LOOKED_THROUGH = 5

/** Certificates of people by address, as their signed mails brought them; those of whom there is none are missing. */
export async function certificatesOf(addresses: readonly string[]): Promise<Map<string, Certificate>> {
  const found = new Map<string, Certificate>()
  for (const address of new Set(addresses.map((one) => one.toLowerCase()))) {
    const here = keyFor(address)?.certificate ?? (await knownPerson(address))
    if (here !== undefined) {
      found.set(address, here)
      continue
    }
    const query = app.client.call('Email/query', {
      filter: { from: `"${address}"`, hasVerifiedSmimeAtDelivery: true },
      sort: [{ property: 'receivedAt', isAscending: false }],
      limit: LOOKED_THROUGH,
    })
    const { list } = await app.client.call('Email/get', { ids: query.ref('/ids'), properties: ['id', 'smime'] })
    for (const { smime } of list) {
      if (smime?.status !== 'valid' || smime.encryptTo === null) continue
      const certificate = readCertificate(fromBase64(smime.encryptTo))
      if (!certificate.addresses.includes(address)) continue
      found.set(address, certificate)
      break
    }
  }
  return found
}

/** Puts the mail among the drafts; answers its id. Throws JmapError, SmimeError, OfflineError. */
export async function putProtected(written: Written, messageId: string, protect: Protect, drafts: Id): Promise<Id> {
  const key = keyFor(written.from.email)
  if (key === undefined) throw new JmapError(t('noKeyFor', { address: written.from.email }))
  const attached = await withUploaded(written.attached)
  const { used } = withCids(written.html, attached)
  const files: FilePart[] = []
  for (const one of attached) {
    if (one.cid !== undefined && !used.has(one.key)) continue
    const response = await app.client.request(app.client.downloadUrl(one.blobId, one.name, one.type))
    files.push({ name: one.name, type: one.type, cid: one.cid, bytes: new Uint8Array(await response.arrayBuffer()) })
  }
  const content = contentOf({ ...written, attached }, files)
  const now = new Date()
  let entity = signedEntity(content, await signDetached(bytesOf(content), key, now.getTime()), key.hash)
  if (protect.encrypt) {
    if (written.bcc.length > 0) throw new JmapError(t('encryptNoBcc'))
    const wanted = [...written.to, ...written.cc].map(({ email }: Address) => email.toLowerCase())
    const people = await certificatesOf(wanted)
    const missing = wanted.filter((one) => !people.has(one))
    if (missing.length > 0) throw new JmapError(t('encryptMissing', { names: missing.join(', ') }))
    // For oneself, too: what lies in Sent can be read again.
    entity = sealedEntity(await encrypt(bytesOf(entity), [...people.values(), key.certificate]))
  }
  const upload = await app.client.request(app.client.uploadUrl, {
    method: 'POST',
    body: bytesOf(headOf(written, messageId, now) + entity),
    headers: { 'Content-Type': 'message/rfc822' },
  })
  const { blobId } = (await upload.json()) as { readonly blobId: Id }
  const answer = await app.client.call('Email/import', {
    emails: { mail: { blobId, mailboxIds: { [drafts]: true }, keywords: { $draft: true, $seen: true } } },
  })
  const made = answer.created?.mail
  if (made === undefined)
    throw new JmapError(answer.notCreated?.mail?.description ?? answer.notCreated?.mail?.type ?? 'serverFail')
  return made.id
}
