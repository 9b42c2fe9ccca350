/**
 * The model and its rules. It knows no protocol, no database and no socket. Start with `service.ts` (the mailbox service's whole
 * interface), then `access.ts` (the one door protocols go through), `item.ts`, `folder.ts`, `operations.ts`, `directory.ts`,
 * `credentials.ts`. `mail.ts` makes an item from RFC 5322 bytes; `held/` is the one table of everybody who waits.
 */
export * from './access.ts'
export * from './credentials.ts'
export * from './directory.ts'
export * from './door.ts'
export * from './error.ts'
export * from './flags.ts'
export * from './folder.ts'
export * from './held/table.ts'
export * from './held/wheel.ts'
export * from './ids.ts'
export * from './item.ts'
export * from './operations.ts'
export * from './packed.ts'
export * from './ports.ts'
export * from './props/bag.ts'
export * from './props/named.ts'
export * from './props/tags.ts'
export * from './props/types.ts'
export * from './queue.ts'
export * from './rights.ts'
export * from './search.ts'
export * from './service.ts'
export * from './text/messages.ts'
