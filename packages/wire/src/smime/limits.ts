/** Named limits of the S/MIME readers. What goes beyond them is `tooLarge`; nothing is looked at further. */

/** Nesting of ASN.1 values. */
export const MAX_DEPTH = 40
/** ASN.1 values of one structure. */
export const MAX_VALUES = 100_000
/** Bytes of one signed or encrypted message. */
export const MAX_CMS_BYTES = 64 * 1024 * 1024
/** Bytes of one certificate. */
export const MAX_CERTIFICATE_BYTES = 64 * 1024
/** Certificates a message may bring along. */
export const MAX_CERTIFICATES = 40
/** Signatures of one message that are looked at. */
export const MAX_SIGNERS = 4
/** Recipients of one encrypted message that are looked at. */
export const MAX_RECIPIENTS = 2_000
/** Certificates from a signer to an anchor, both included. */
export const MAX_CHAIN = 8
/** Signatures that are checked while a way to an anchor is looked for. */
export const MAX_CHAIN_CHECKS = 40
/** Bits of an RSA key. */
export const MAX_RSA_BITS = 8_192
export const MIN_RSA_BITS = 1_024
/** Rounds of a password's derivation. */
export const MAX_ROUNDS = 2_000_000
/** Rounds of the derivation of PKCS #12, which is done here and not by the platform in one go. */
export const MAX_PKCS12_ROUNDS = 100_000
/** Bytes of a key file. */
export const MAX_KEY_FILE = 1024 * 1024
