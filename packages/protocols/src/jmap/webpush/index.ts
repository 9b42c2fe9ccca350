/**
 * Web push for JMAP: RFC 8620 §7.2 with RFC 9749. In: subscriptions of browsers and apps, hints of the mailboxes; out: sealed POSTs to push
 * services (RFC 8030, RFC 8291, RFC 8292), by a sender that the server gives. Invariants: nothing is pushed before the client has proved
 * that it hears; address and keys are never told again; what is pushed says that something changed, not what. Read next: pushes.ts.
 */
export type { PushSender } from './pushes.ts'
export { Vapid } from './vapid.ts'
