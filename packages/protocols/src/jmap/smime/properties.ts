/**
 * What Email has of S/MIME: the properties of RFC 9219 §4, and `smime`, ours, with what they leave out (who signed, why it is not
 * believed, whom an answer would be encrypted for).
 */
import type { Item, MailboxHandle } from '@postrider/domain'
import { HeaderFields, mailboxesOf, parseAddressList, readMessageIndex, selectFields } from '@postrider/wire/mime'
import { type Believes, encryptionCertificate, judge, type Verdict } from '@postrider/wire/smime'
import type { Call } from '../core/call.ts'
import { writeUtcDate } from '../mail/header-forms.ts'
import { faultTexts } from './texts.ts'
import type { SmimeMail } from './signatures.ts'

export const smimeProperties = [
  'smimeStatus',
  'smimeStatusAtDelivery',
  'smimeErrors',
  'smimeVerifiedAt',
  'smime',
] as const
export const isSmime = (name: string): boolean => (smimeProperties as readonly string[]).includes(name)

/** Nobody is believed where nobody says whom to believe. */
const nobody: Believes = () => Promise.resolve('unknownIssuer')
export const believesOf = ({ jmap }: Call): Believes => jmap.parts.believes?.() ?? nobody

/** Everybody the mail says it is from. */
function sendersOf({ index }: Item): string[] {
  const bytes = index === undefined ? undefined : readMessageIndex(index).headerFields(selectFields(['from']))
  const texts = bytes === undefined ? [] : new HeaderFields(bytes).all('from')
  return texts.flatMap((text) => mailboxesOf(parseAddressList(text)).map(({ address }) => address))
}

/** Whether it was signed, and by RFC 9219 §4.1.1 with which success; null: it was not. */
const statusOf = (verdict: Verdict | undefined): string | null =>
  verdict === undefined
    ? null
    : verdict.status === 'valid'
      ? 'signed/verified'
      : verdict.faults.some((one) => one === 'unsupported' || one === 'tooLarge')
        ? 'signed'
        : 'signed/failed'

/** The verdict on a mail at a time; undefined for one that is not signed. */
export async function verdictOf(
  call: Call,
  found: SmimeMail | undefined,
  item: Item,
  at: number,
): Promise<Verdict | undefined> {
  if (found?.signature === undefined) return undefined
  return judge(found.signature, { from: sendersOf(item), at, believes: believesOf(call) })
}

/** The properties of one mail. Needs the columns `index` and `original`. */
export async function smimeOf(call: Call, handle: MailboxHandle, item: Item): Promise<Record<string, unknown>> {
  const { jmap, principal } = call
  const found = await jmap.signatures.of(handle, item)
  const now = jmap.parts.clock.now()
  const [verdict, then] = await Promise.all([
    verdictOf(call, found, item, now),
    verdictOf(call, found, item, item.received),
  ])
  const language = principal.language === 'fr' ? 'fr' : 'en'
  const faults = verdict?.faults ?? []
  return {
    smimeStatus: statusOf(verdict),
    smimeStatusAtDelivery: statusOf(then),
    smimeErrors: faults.length === 0 ? null : faults.map((one) => faultTexts[one][language]),
    smimeVerifiedAt: verdict === undefined ? null : writeUtcDate(now),
    smime: found === undefined ? null : told(found, then, now),
  }
}

/** A signature that was good when the mail came stays good for who reads it: `status` is that of the delivery. */
function told({ kind, signature }: SmimeMail, verdict: Verdict | undefined, now: number): Record<string, unknown> {
  const signer = verdict?.signer
  const mine =
    signature === undefined || verdict?.status !== 'valid' ? undefined : encryptionCertificate(signature, now)
  const date = (at: number | undefined): string | null =>
    at === undefined || !Number.isFinite(new Date(at).getTime()) ? null : writeUtcDate(at)
  return {
    kind,
    status: verdict?.status ?? null,
    faults: verdict?.faults ?? [],
    signedAt: date(verdict?.signedAt),
    signer:
      signer === undefined ? null : { ...signer, notBefore: date(signer.notBefore), notAfter: date(signer.notAfter) },
    encryptTo: mine === undefined ? null : Buffer.from(mine.bytes).toString('base64'),
  }
}
