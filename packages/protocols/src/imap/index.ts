/**
 * IMAP4rev1 and rev2 as a service: RFC 3501, RFC 9051 and the extensions of docs/conformance/imap.md. In: connections (domain's
 * `Connection`), the door to mailboxes, the authenticator, the table of waiters. Out: answers. Invariants: no password outside TLS; a
 * session's picture of a mailbox changes only where the RFC lets it; nothing is acknowledged before it is durable; an idle session
 * holds one object and no buffer. Read next: service.ts, session.ts, view/view.ts, command.ts, commands/.
 */
export { capabilities } from './capabilities.ts'
export { createImap, type ImapParts, type ImapService } from './service.ts'
export { defaultImapSettings, type ImapSettings } from './settings.ts'
