/**
 * The server's certificate: made at first start, read from files afterwards, read again on reload. In: file names; out: PEM texts that
 * belong together. Invariant: a key file is never readable by others when we made it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { dirname, join } from 'node:path'
import { SpokenError } from '@postrider/domain'
import { selfSigned, usableAddress } from './self-signed.ts'

export { selfSigned } from './self-signed.ts'

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}
export interface Certificate {
  /** PEM, the server's first, then its chain. */
  readonly certificate: string
  readonly key: string
  readonly names: string
  readonly selfSigned: boolean
  /** ms since 1970. */
  readonly expires: number
  /** SHA-256 in hex with colons: what a person compares. */
  readonly fingerprint: string
}

/** The files are missing, unreadable or do not belong together; the message says which and what to do. */
export class CertificateError extends SpokenError {
  override readonly name = 'CertificateError'
}

/** Where the certificate lies when the configuration names none. */
export const ownFiles = (dataFolder: string): CertificateFiles => ({
  certificate: join(dataFolder, 'tls', 'certificate.pem'),
  key: join(dataFolder, 'tls', 'key.pem'),
})

/** A self-signed certificate that is good for less is made anew, and one for longer than Apple's programs take (earlier releases made them). */
const RENEW_MS = 30 * 86_400_000
const LONGEST_MS = 825 * 86_400_000

/** Makes a self-signed certificate unless one is there that is good for a while. Answers whether it did. */
export function ensureCertificate(files: CertificateFiles, hosts: readonly string[], now: number): boolean {
  if (existsSync(files.certificate) && existsSync(files.key) && !isEnding(files, now)) return false
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address))
  const names = [...hosts, 'localhost', '127.0.0.1', '::1', ...addresses.filter(usableAddress)]
  const made = selfSigned(names, now)
  mkdirSync(dirname(files.key), { recursive: true, mode: 0o700 })
  // Written aside and renamed: a start that is cut off leaves no half file behind. The key first, it is useless alone.
  for (const [file, text, mode] of [
    [files.key, made.key, 0o600],
    [files.certificate, made.certificate, 0o644],
  ] as const) {
    writeFileSync(`${file}.new`, text, { mode })
    chmodSync(`${file}.new`, mode)
    renameSync(`${file}.new`, file)
  }
  return true
}

/** Only one that signs itself is ours to replace; what cannot be read is for its reader to complain of. */
function isEnding(files: CertificateFiles, now: number): boolean {
  try {
    const { selfSigned: own, expires } = readCertificate(files)
    return own && (expires - now < RENEW_MS || expires - now > LONGEST_MS)
  } catch {
    return false
  }
}

/** Reads and checks certificate and key. Throws CertificateError. */
export function readCertificate(files: CertificateFiles): Certificate {
  const text = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw new CertificateError({
        en: `The TLS file ${file} cannot be read: ${(error as Error).message}`,
        fr: `Le fichier TLS ${file} ne peut pas être lu : ${(error as Error).message}`,
      })
    }
  }
  const certificate = text(files.certificate)
  const key = text(files.key)
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(certificate)
  } catch {
    throw new CertificateError({
      en: `${files.certificate} holds no certificate in PEM form.`,
      fr: `${files.certificate} ne contient pas de certificat au format PEM.`,
    })
  }
  try {
    if (!parsed.checkPrivateKey(createPrivateKey(key)))
      throw new CertificateError({
        en: `The key ${files.key} does not belong to the certificate ${files.certificate}.`,
        fr: `La clé ${files.key} ne va pas avec le certificat ${files.certificate}.`,
      })
  } catch (error) {
    if (error instanceof CertificateError) throw error
    throw new CertificateError({
      en: `${files.key} holds no private key in PEM form without a pass phrase.`,
      fr: `${files.key} ne contient pas de clé privée au format PEM sans phrase de passe.`,
    })
  }
  return {
    certificate,
    key,
    names: parsed.subjectAltName ?? parsed.subject,
    selfSigned: parsed.issuer === parsed.subject,
    expires: Date.parse(parsed.validTo),
    fingerprint: parsed.fingerprint256,
  }
}
