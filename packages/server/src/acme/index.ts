/**
 * Certificates from an authority: an ACME client (RFC 8555) with HTTP-01 and TLS-ALPN-01 (RFC 8737), external account binding, and the
 * keeper that orders, renews and hands over. In: settings; out: one PEM file with key and chain, replaced at once. Invariant: a running
 * certificate is never given up for one that does not work. Read next: keeper.ts, client.ts, challenges.ts, client-hello.ts.
 */
export { Challenges } from './challenges.ts'
export { type AcmeSettings, AcmeKeeper, acmeFile, acmeState } from './keeper.ts'
