/**
 * SMTP, the receiving side: MX, submission and relay connectors over one session. In: `Connection`s that the server accepted. Out: replies, and
 * messages to the `MailIntake` (the transport). Invariants: 250 to a message only after the intake says it is durable; nobody reaches an outside
 * address without a login or a relay connector; no password before TLS; nothing received before TLS counts after it. Read next: `connector.ts`
 * (settings), `session.ts` (the dialogue), `commands/rcpt.ts` (who is a recipient), `finish.ts` (the end of a message).
 */
export {
  chooseConnector,
  clientFrontend,
  defaultFrontend,
  type ReceiveConnector,
  relayConnector,
} from './connector.ts'
export { isInRange, parseIpRange } from './ip-range.ts'
export type { InboundMail, IntakeResult, MailIntake, SmtpServices, SmtpTrace } from './ports.ts'
export { MAX_BUFFERED_BYTES, type SmtpOptions, type SmtpService, smtpService } from './service.ts'
