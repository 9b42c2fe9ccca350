import { type Certificate, type CertificateInfo, certificateInfo, inSubtree, Usage } from './certificate.ts'
import { isSignedBy } from './check.ts'
import { hex, type Problem, sameBytes, SmimeError } from './der.ts'
import { MAX_CHAIN, MAX_CHAIN_CHECKS } from './limits.ts'
import { Oid } from './oids.ts'
import type { Signature } from './signed.ts'

/** Whether a certificate is believed: the way from it to an anchor, RFC 5280 §6.1 as far as mail needs it. Revocation is not asked for. */

export type Fault = Problem | 'expired' | 'notYet' | 'unknownIssuer' | 'usage' | 'address'

/** The anchors: certificates that are believed because the administrator, or the platform, says so. */
export class TrustList {
  readonly #bySubject = new Map<string, Certificate[]>()
  constructor(anchors: Iterable<Certificate>) {
    for (const one of anchors) {
      const key = hex(one.subject)
      const known = this.#bySubject.get(key)
      if (known === undefined) this.#bySubject.set(key, [one])
      else known.push(one)
    }
  }
  named(subject: Uint8Array): readonly Certificate[] {
    return this.#bySubject.get(hex(subject)) ?? []
  }
  has(one: Certificate): boolean {
    return this.named(one.subject).some((anchor) => sameBytes(anchor.bytes, one.bytes))
  }
}

/** Answers why a certificate is not believed at a time; undefined: it is. */
export type Believes = (leaf: Certificate, others: readonly Certificate[], at: number) => Promise<Fault | undefined>

const dated = ({ notBefore, notAfter }: Certificate, at: number): Fault | undefined =>
  at > notAfter ? 'expired' : at < notBefore ? 'notYet' : undefined
const allows = ({ usage }: Certificate, bits: number): boolean => usage === undefined || (usage & bits) !== 0
const forMail = ({ purposes }: Certificate): boolean =>
  purposes === undefined || purposes.includes(Oid.emailProtection) || purposes.includes(Oid.anyUsage)

export const believesIn =
  (list: TrustList): Believes =>
  async (leaf, others, at) => {
    const late = dated(leaf, at)
    if (late !== undefined) return late
    if (leaf.strange || !forMail(leaf)) return 'usage'
    if (list.has(leaf)) return undefined
    const search = { list, others, at, leaf, checks: MAX_CHAIN_CHECKS, late: undefined as Fault | undefined }
    return (await climb(search, [leaf])) ? undefined : (search.late ?? 'unknownIssuer')
  }

interface Search {
  readonly list: TrustList
  readonly others: readonly Certificate[]
  readonly at: number
  readonly leaf: Certificate
  checks: number
  /** Why the way there was is none. */
  late: Fault | undefined
}

/** Tries every certificate that may have issued the last one of the chain. */
async function climb(search: Search, chain: readonly Certificate[]): Promise<boolean> {
  const last = chain.at(-1) as Certificate
  if (chain.length >= MAX_CHAIN) return false
  const fits = (one: Certificate): boolean =>
    sameBytes(one.subject, last.issuer) && !chain.includes(one) && mayIssue(one, chain, search)
  for (const anchor of search.list.named(last.issuer))
    if (fits(anchor) && (await issued(search, anchor, last))) return true
  for (const one of search.others)
    if (fits(one) && (await issued(search, one, last)) && (await climb(search, [...chain, one]))) return true
  return false
}

function mayIssue(one: Certificate, chain: readonly Certificate[], search: Search): boolean {
  const { leaf, at } = search
  // Anchors of the first version of X.509 say nothing of what they may do.
  const anchor = search.list.has(one)
  const { pathLength, constraints } = one
  if (!(one.isAuthority || (anchor && one.usage === undefined)) || !allows(one, Usage.certSign) || one.strange)
    return false
  if (!forMail(one) || (pathLength !== undefined && chain.length - 1 > pathLength)) return false
  const { permitted, excluded } = constraints ?? { permitted: [], excluded: [] }
  for (const address of leaf.addresses) {
    if (excluded.some((tree) => inSubtree(address, tree))) return false
    if (permitted.length > 0 && !permitted.some((tree) => inSubtree(address, tree))) return false
  }
  const late = dated(one, at)
  if (late !== undefined) search.late = late
  return late === undefined
}

async function issued(search: Search, issuer: Certificate, one: Certificate): Promise<boolean> {
  if (--search.checks < 0) return false
  try {
    return await isSignedBy(issuer.key, one.algorithm, one.signature, one.signed)
  } catch (error) {
    if (!(error instanceof SmimeError)) throw error
    if (error.problem === 'weak') search.late = 'weak'
    return false
  }
}

/** What is said of a signed mail; the worst of it decides. */
export type SignedStatus = 'valid' | 'changed' | 'untrusted' | 'address' | 'unreadable'
export interface Verdict {
  readonly status: SignedStatus
  readonly faults: readonly Fault[]
  readonly signer: CertificateInfo | undefined
  readonly signedAt: number | undefined
}

/** `from`: all addresses the mail says it is from; `at`: when it has to be believed. */
export async function judge(
  signature: Signature,
  { from, at, believes }: { readonly from: readonly string[]; readonly at: number; readonly believes: Believes },
): Promise<Verdict> {
  const { problem, certificate, others, signedAt } = signature
  const signer = certificate === undefined ? undefined : await certificateInfo(certificate)
  const verdict = (status: SignedStatus, ...faults: Fault[]): Verdict => ({ status, faults, signer, signedAt })
  if (problem === 'changed') return verdict('changed', problem)
  if (problem === 'weak') return verdict('untrusted', problem)
  if (problem !== undefined || certificate === undefined) return verdict('unreadable', problem ?? 'noCertificate')
  const addressed = from.length > 0 && from.every((one) => certificate.addresses.includes(one.toLowerCase()))
  const other: Fault[] = addressed ? [] : ['address']
  if (!allows(certificate, Usage.digitalSignature | Usage.nonRepudiation))
    return verdict('untrusted', 'usage', ...other)
  const fault = await believes(certificate, others, at)
  if (fault !== undefined) return verdict('untrusted', fault, ...other)
  return addressed ? verdict('valid') : verdict('address', 'address')
}

/** The certificate a mail to the signer is encrypted for: the one that signed, or another of theirs that came along. */
export function encryptionCertificate({ certificate, others }: Signature, at: number): Certificate | undefined {
  if (certificate === undefined) return undefined
  const fits = (one: Certificate): boolean =>
    allows(one, Usage.keyEncipherment | Usage.keyAgreement) &&
    dated(one, at) === undefined &&
    !one.isAuthority &&
    one.addresses.some((address) => certificate.addresses.includes(address))
  return [certificate, ...others].find(fits)
}
