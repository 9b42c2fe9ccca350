import { findBodies, htmlToText, partText, scanMessage } from '@postrider/wire/mime'
import { readSigned, SmimeError } from '@postrider/wire/smime'
import { html, type Html } from '../html.ts'
import type { Mail, Part } from '../mail.ts'
import type { Visit } from './visit.ts'

/** S/MIME in Light: what is to be said of a signature, and the text inside of one. Encrypted mail opens in the full client: no key is on the server. */

/** Bytes of a signed mail whose text is taken out for a page. */
const MAX_OPENED = 4 * 1024 * 1024

interface Facts {
  readonly kind: 'clear' | 'opaque' | 'encrypted'
  readonly status: 'valid' | 'changed' | 'untrusted' | 'address' | 'unreadable' | null
  readonly signer: { readonly name: string; readonly addresses: readonly string[]; readonly issuer: string } | null
}
export interface SmimeView {
  /** The line above the text. */
  readonly line: Html | undefined
  /** The text of a mail that lies inside of its signature. */
  readonly text: string | undefined
}

const statusTexts = {
  valid: 'signedValid',
  changed: 'signedChanged',
  untrusted: 'signedUntrusted',
  address: 'signedAddress',
  unreadable: 'signedUnreadable',
} as const

export const isSeal = ({ type }: Pick<Part, 'type'>): boolean => /^application\/(?:x-)?pkcs7-signature$/.test(type)

export async function smimeView(visit: Visit, mail: Mail): Promise<SmimeView> {
  const { say } = visit
  const { list } = await visit.ask<{ list: readonly { smime: Facts | null; smimeErrors: readonly string[] | null }[] }>(
    'Email/get',
    { ids: [mail.id], properties: ['smime', 'smimeErrors'] },
  )
  const { smime, smimeErrors } = list[0] ?? { smime: null, smimeErrors: null }
  if (smime === null) return { line: undefined, text: undefined }
  if (smime.kind === 'encrypted')
    return {
      line: html`<p class="hint">${say('sealed')} <a href="/mail/">${say('fullVersion')}</a></p>`,
      text: undefined,
    }
  const { status, signer } = smime
  const name = signer?.name || signer?.addresses[0] || say('nobodyKnown')
  // The faults of today: what was good when it came stays good.
  const why = status === 'valid' ? [] : (smimeErrors ?? [])
  const issuer = signer === null ? '' : ` ${say('certificateBy', { name: signer.issuer })}`
  const line =
    status === null
      ? undefined
      : html`<p class="hint">${[say(statusTexts[status], { name }), ...why].join(' ')}${issuer}</p>`
  return { line, text: smime.kind === 'opaque' ? await textInside(visit, mail) : undefined }
}

async function textInside(visit: Visit, { attachments }: Mail): Promise<string | undefined> {
  const part = attachments.find(({ type }) => /^application\/(?:x-)?pkcs7-mime$/.test(type))
  if (part?.blobId == null || part.size > MAX_OPENED) return undefined
  const { list } = await visit.ask<{ list: readonly { readonly 'data:asBase64': string | null }[] }>('Blob/get', {
    ids: [part.blobId],
    properties: ['data:asBase64'],
  })
  try {
    const { content } = readSigned(Buffer.from(list[0]?.['data:asBase64'] ?? '', 'base64'))
    if (content === undefined) return undefined
    const tree = scanMessage(content)
    const { text, html: rich } = findBodies(tree)
    const found = text ?? rich
    if (found === undefined) return undefined
    const value = partText(content, found)
    return found === rich ? htmlToText(value, { links: true }) : value.replace(/\r\n?/g, '\n')
  } catch (error) {
    if (error instanceof SmimeError) return undefined
    throw error
  }
}
