/**
 * The transport: everything between "a client gave us a message" and "it lies in a mailbox or at another server". In: mail from the SMTP
 * server (`intake`), submissions of other protocols (`submit`), due rows of the queue (`runner`). Out: items, queue rows, SMTP to other
 * servers, delivery reports. Invariants: an answer comes after one durable commit that covers every recipient; each mailbox gets a message once
 * however often its delivery is tried; no report answers a report; every socket out goes through `egress`. Read next: `intake/commit.ts`
 * (the commit), `queue/runner.ts` (what happens later), `outbound/attempt.ts` (other servers), `dsn/report.ts`.
 */
export {
  type Egress,
  EgressError,
  type EgressSocket,
  type EgressTarget,
  nodeEgress,
  type TlsWish,
} from './egress/egress.ts'
export { isPrivateAddress } from './egress/private.ts'
export { LOCAL, ROUTE } from './intake/plan.ts'
export { type DnsAnswer, dnsResolver, type MxRecord, type Resolver } from './outbound/resolver.ts'
export {
  defaultSettings,
  type SendConnector,
  type SmartHost,
  type TransportSettings,
} from './settings.ts'
export { createTransport, type Transport, type TransportOptions } from './transport.ts'
