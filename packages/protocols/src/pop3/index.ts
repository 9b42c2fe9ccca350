/**
 * POP3: RFC 1939 with CAPA, STLS, SASL, UIDL, TOP, PIPELINING, LANG and response codes. In: `Connection`s that the server accepted. Out: the
 * Inbox of one's own mailbox, byte for byte. Invariants: no password before TLS; the numbers of a session stay what they were at login,
 * whatever others do; nothing is deleted without QUIT; a UIDL is never given to another message. Read next: `session.ts`, `maildrop.ts`.
 */
export type { Pop3Services } from './ports.ts'
export { type Pop3Service, pop3Service } from './service.ts'
export { defaultPopSettings, type PopSettings } from './settings.ts'
