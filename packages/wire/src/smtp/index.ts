/**
 * SMTP on the wire: RFC 5321 with SIZE, 8BITMIME, SMTPUTF8, CHUNKING, DSN, AUTH, STARTTLS and enhanced status codes. In: bytes, one or a
 * million at a time. Out: typed commands, message text, replies. Nothing here knows a socket, waits or throws on input; whatever
 * arrives costs linear time and, apart from the message itself, a few kilobytes. Invariant: a message ends at CRLF.CRLF and nowhere else.
 * Read next: `receiver.ts`, then `packages/protocols/src/smtp`.
 */
export { bdatCommand, commandLine, mailCommand, rcptCommand, SmtpValueError } from './client-command.ts'
export { isProperHello, parseCommand, type SmtpCommand, type SmtpRefusal } from './command.ts'
export { DotStuffer, stuffMessage } from './dot-stuffing.ts'
export { type EhloCapabilities, ehloReply, parseEhlo } from './ehlo.ts'
export * from './limits.ts'
export { asBuffer, type Line, LineBuffer } from './lines.ts'
export { type MessageLimits, type MessageNotes, MessageScan, type ScannedText } from './message-scan.ts'
export {
  isParameterError,
  type MailParameters,
  type NotifyCondition,
  type OriginalRecipient,
  type ParameterError,
  parseMailParameters,
  parseRcptParameters,
  type RcptParameters,
} from './parameters.ts'
export {
  asciiDomain,
  formatMailbox,
  isDomain,
  parseMailbox,
  parsePath,
  type SmtpMailbox,
  type SmtpPath,
} from './path.ts'
export { type SmtpEvent, SmtpReceiver } from './receiver.ts'
export { encodeReply, isPositive, type SmtpReply, smtpReply } from './reply.ts'
export { type ReceivedReply, type ReplyEvent, ReplyReceiver } from './reply-receiver.ts'
export { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts'
export {
  decodeSasl,
  MAX_SASL_VALUE,
  type SaslKeys,
  type SaslMechanism,
  type SaslServer,
  type SaslStep,
  saslMechanisms,
  saslServer,
} from './sasl.ts'
