/**
 * S/MIME: RFC 8551 over RFC 5652 (CMS), RFC 5280 (certificates), RFC 7292 (key files). In: the bytes of a signed or encrypted message, a key file.
 * Out: who signed and whether it can be believed; the message inside; new signatures and envelopes. All cryptography is the platform's (Web
 * Cryptography API), except the old padding of RSA, which it lacks; so the same code runs in the server and in the browser, and nothing here
 * is of Node. Linear, within limits.ts. Hostile bytes make these functions throw SmimeError with its `problem`, never anything else.
 * Read next: signed.ts, trust.ts, decrypt.ts.
 */
export {
  type Certificate,
  type CertificateInfo,
  certificateInfo,
  readCertificate,
  readCertificates,
} from './certificate.ts'
export { decrypt, type Opened } from './decrypt.ts'
export { type Problem, SmimeError } from './der.ts'
export { encrypt } from './encrypt.ts'
export { readKeyFile } from './key-file.ts'
export { type KeyFile, openKey, type OwnKey } from './own-key.ts'
export { signDetached } from './sign.ts'
export { checkSigned, readSigned, type Signature, type Signed } from './signed.ts'
export {
  type Believes,
  believesIn,
  encryptionCertificate,
  type Fault,
  judge,
  type SignedStatus,
  TrustList,
  type Verdict,
} from './trust.ts'
