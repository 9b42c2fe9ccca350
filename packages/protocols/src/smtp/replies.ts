/** The replies of a session that are the same every time: RFC 5321 §4.2.3, RFC 3463, RFC 4954 §6; Exchange's words where it has some. */
import { type SmtpReply, smtpReply } from '@postrider/wire/smtp'
import type { IntakeResult } from './ports.ts'

export const replies = {
  ok: smtpReply(250, '2.0.0', 'OK'),
  senderOk: smtpReply(250, '2.1.0', 'Sender OK'),
  recipientOk: smtpReply(250, '2.1.5', 'Recipient OK'),
  startMail: smtpReply(354, undefined, 'Start mail input; end with <CRLF>.<CRLF>'),
  chunkOk: smtpReply(250, '2.0.0', 'Chunk received'),
  bye: smtpReply(221, '2.0.0', 'Service closing transmission channel'),
  readyForTls: smtpReply(220, '2.0.0', 'SMTP server ready'),
  authenticated: smtpReply(235, '2.7.0', 'Authentication successful'),
  cannotVerify: smtpReply(252, '2.1.5', 'Cannot VRFY user, but will take a message for it and try'),
  help: smtpReply(214, '2.0.0', 'RFC 5321: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS AUTH'),

  timeout: smtpReply(421, '4.4.2', 'Connection timed out'),
  tooManyErrors: smtpReply(421, '4.7.0', 'Too many errors on this connection, closing transmission channel'),
  tooManyLogonFailures: smtpReply(421, '4.7.0', 'Too many failed logins, closing transmission channel'),
  tooManyConnections: smtpReply(
    421,
    '4.3.2',
    'The maximum number of concurrent connections has been reached, try again later',
  ),
  shuttingDown: smtpReply(421, '4.3.2', 'Service not available, closing transmission channel'),
  revoked: smtpReply(421, '4.7.0', 'Access has been withdrawn, closing transmission channel'),
  internalError: smtpReply(421, '4.3.0', 'Local error, closing transmission channel'),
  noConnector: smtpReply(554, '5.7.1', 'No service for this address'),
  notHttp: smtpReply(554, '5.5.1', 'This is an SMTP server'),

  helloFirst: smtpReply(503, '5.5.1', 'Send EHLO or HELO first'),
  nestedMail: smtpReply(503, '5.5.1', 'Sender already specified'),
  needMail: smtpReply(503, '5.5.1', 'Send MAIL first'),
  needRcpt: smtpReply(503, '5.5.1', 'No valid recipients'),
  noDataAfterBdat: smtpReply(503, '5.5.1', 'DATA cannot be mixed with BDAT'),
  notAfterBdat: smtpReply(503, '5.5.1', 'Only BDAT and RSET may follow BDAT'),
  chunkSequence: smtpReply(503, '5.5.1', 'An earlier chunk failed; send RSET'),
  notInTransaction: smtpReply(503, '5.5.1', 'Not allowed during a mail transaction'),
  alreadyAuthenticated: smtpReply(503, '5.5.1', 'Already authenticated'),
  alreadyTls: smtpReply(503, '5.5.1', 'TLS is already active'),
  notImplemented: smtpReply(502, '5.5.1', 'Command not implemented'),
  parameterNotOffered: smtpReply(555, '5.5.4', 'Parameter not supported'),
  binaryMimeNotOffered: smtpReply(555, '5.6.1', 'BODY=BINARYMIME is not supported'),

  needTls: smtpReply(530, '5.7.0', 'Must issue a STARTTLS command first'),
  needAuth: smtpReply(530, '5.7.0', 'Authentication required'),
  authNeedsTls: smtpReply(538, '5.7.11', 'Encryption required for requested authentication mechanism'),
  mechanismUnknown: smtpReply(504, '5.5.4', 'Unrecognized authentication type'),
  authMalformed: smtpReply(501, '5.5.2', 'Malformed authentication exchange'),
  authCancelled: smtpReply(501, '5.7.0', 'Authentication cancelled'),
  authFailed: smtpReply(535, '5.7.8', 'Authentication credentials invalid'),
  authBusy: smtpReply(454, '4.7.0', 'Temporary authentication failure'),
  senderNotAllowed: smtpReply(550, '5.7.60', 'Client does not have permissions to send as this sender'),

  tooManyRecipients: smtpReply(452, '4.5.3', 'Too many recipients'),
  recipientUnknown: smtpReply(550, '5.1.1', 'Recipient not found'),
  recipientNeedsUtf8: smtpReply(553, '5.6.7', 'Address needs the SMTPUTF8 parameter of MAIL'),
  relayDenied: smtpReply(550, '5.7.1', 'Unable to relay'),
  groupNeedsAuth: smtpReply(550, '5.7.133', 'Only authenticated senders may write to this group'),
  mailboxFull: smtpReply(452, '4.2.2', 'Mailbox full'),

  messageTooLarge: smtpReply(552, '5.3.4', 'Message size exceeds fixed maximum message size'),
  headerTooLarge: smtpReply(552, '5.3.4', 'Header size exceeds fixed maximum size'),
  bareLineEnd: smtpReply(550, '5.6.11', 'Bare carriage return or line feed is not allowed in DATA'),
  nulByte: smtpReply(550, '5.6.0', 'NUL is not allowed in a message'),
  hopCount: smtpReply(554, '5.4.6', 'Hop count exceeded - possible mail loop'),
  storageFull: smtpReply(452, '4.3.1', 'Insufficient system resources'),
  busy: smtpReply(451, '4.3.2', 'Service is busy, try again later'),
} as const satisfies Record<string, SmtpReply>

/** The reply to the end of a message, by what the intake said. */
export const intakeReplies = {
  overQuota: smtpReply(452, '4.2.2', 'Mailbox full'),
  diskFull: replies.storageFull,
  busy: replies.busy,
  unavailable: smtpReply(451, '4.3.0', 'Mailbox service is not available, try again later'),
  tooLarge: replies.messageTooLarge,
  unknownRecipient: replies.recipientUnknown,
} as const satisfies Record<Exclude<IntakeResult['outcome'], 'accepted'>, SmtpReply>
