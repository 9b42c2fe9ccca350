/** ValidateCert: [MS-ASCMD] §2.2.1.22. The path from the certificate to a root this machine trusts, in validity, use and signature. */
import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { child, children, type Element, el, ownBytes, text } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'

/** Status: [MS-ASCMD] §2.2.3.177.18. */
const Cert = {
  success: 1,
  protocolError: 2,
  signatureInvalid: 3,
  untrusted: 4,
  badUsage: 6,
  expired: 7,
  chainExpired: 8,
  malformed: 10,
  notAuthority: 11,
  revocationUnknown: 16,
} as const

/** Certificates of one request and of its chain: [MS-ASCMD] §3.1.5.10. Certificates on the way to a root. */
export const MAX_CERTIFICATES = 100
const MAX_PATH = 10

/** Extended key usages that allow e-mail: id-kp-emailProtection, anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
const emailUsages = ['1.3.6.1.5.5.7.3.4', '2.5.29.37.0']

export const validateCert = command({
  name: 'ValidateCert',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'ValidateCert:ValidateCert',
  statusTag: 'ValidateCert:Status',
  async run(context, request) {
    const root = request.document
    const certificates = children(child(root, 'ValidateCert:Certificates'), 'ValidateCert:Certificate')
    const chain = children(child(root, 'ValidateCert:CertificateChain'), 'ValidateCert:Certificate')
    const check = text(root, 'ValidateCert:CheckCRL')?.trim()
    const wrong = certificates.length === 0 || certificates.length > MAX_CERTIFICATES || chain.length > MAX_CERTIFICATES
    if (wrong || (check !== undefined && !/^(0|1|true|false)?$/i.test(check))) {
      return document(el('ValidateCert:ValidateCert', el('ValidateCert:Status', Cert.protocolError)))
    }
    const known = chain.map(parse).filter((one) => one !== undefined)
    const checkCrl = check === '1' || check?.toLowerCase() === 'true'
    const now = context.deps.clock.now()
    return document(
      el(
        'ValidateCert:ValidateCert',
        el('ValidateCert:Status', Cert.success),
        certificates.map((one) =>
          el('ValidateCert:Certificate', el('ValidateCert:Status', judge(parse(one), known, now, checkCrl))),
        ),
      ),
    )
  },
})

/** DER, or base64 of it. */
function parse(element: Element): X509Certificate | undefined {
  const bytes = ownBytes(element)
  const binary = element.children.some((one) => one instanceof Uint8Array) && bytes[0] === 0x30
  try {
    return new X509Certificate(binary ? bytes : Buffer.from(Buffer.from(bytes).toString('latin1'), 'base64'))
  } catch {
    return undefined
  }
}

let roots: Map<string, X509Certificate[]> | undefined

/** The trusted roots of the platform by subject, parsed once. */
function trustedRoots(): Map<string, X509Certificate[]> {
  if (roots === undefined) {
    roots = new Map()
    for (const pem of rootCertificates) {
      const root = new X509Certificate(pem)
      roots.set(root.subject, [...(roots.get(root.subject) ?? []), root])
    }
  }
  return roots
}

const inTime = (certificate: X509Certificate, now: number): boolean =>
  now >= Date.parse(certificate.validFrom) && now <= Date.parse(certificate.validTo)

/** MS-ASCMD_R686 to R688. */
function judge(
  certificate: X509Certificate | undefined,
  chain: readonly X509Certificate[],
  now: number,
  checkCrl: boolean,
): number {
  if (certificate === undefined) return Cert.malformed
  if (!inTime(certificate, now)) return Cert.expired
  const usages = certificate.keyUsage as readonly string[] | undefined
  if (usages !== undefined && !usages.some((usage) => emailUsages.includes(usage))) return Cert.badUsage
  let current = certificate
  for (let depth = 0; depth < MAX_PATH; depth++) {
    if (isTrusted(current)) return checkCrl ? Cert.revocationUnknown : Cert.success
    const candidates = [...(trustedRoots().get(current.issuer) ?? []), ...chain].filter((one) =>
      current.checkIssued(one),
    )
    if (candidates.length === 0) return Cert.untrusted
    const issuer = candidates.find((one) => current.verify(one.publicKey))
    if (issuer === undefined) return Cert.signatureInvalid
    if (issuer.fingerprint256 === current.fingerprint256) return Cert.untrusted
    if (!issuer.ca) return Cert.notAuthority
    if (!inTime(issuer, now)) return Cert.chainExpired
    current = issuer
  }
  return Cert.untrusted
}

const isTrusted = (certificate: X509Certificate): boolean =>
  (trustedRoots().get(certificate.subject) ?? []).some((root) => root.fingerprint256 === certificate.fingerprint256)
