/**
 * POP3 on the wire: RFC 1939 with CAPA, STLS, SASL, UIDL, TOP, UTF8, LANG and response codes. In: bytes. Out: typed commands, status lines,
 * stuffed listings; message text is stuffed by the `DotStuffer` of `../smtp`, the two protocols share that framing. No input
 * makes it wait or throw. Read next: `receiver.ts`, then `packages/protocols/src/pop3`.
 */
export { type Pop3Command, type Pop3Refusal, parsePop3Command } from './command.ts'
export { DEFAULT_MAX_COMMAND_SIZE, MAX_POP3_AUTH_LINE, type Pop3Event, Pop3Receiver } from './receiver.ts'
export { challenge, err, listing, ok, type Pop3ResponseCode } from './response.ts'
export { TopScan } from './top.ts'
