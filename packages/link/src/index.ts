/**
 * The link: the mailbox service's interface over binary frames, so that a caller need not know where a mailbox lives. In: a service on one side, a
 * channel between; out: the same service on the other side. Every argument and answer passes through the codec, even in one thread, so that
 * what works here works between processes and machines. Invariants: each call is answered once or rejects; what is under way is
 * bounded; a subscription survives its channel. Read next: channel.ts, caller.ts, owner.ts, then codec/format.ts.
 */
export { Caller, type CallerOptions } from './caller.ts'
export { directChannel } from './carriers/direct.ts'
export { connectSocket, listenSocket, TOKEN_BYTES } from './carriers/socket.ts'
export {
  connectTls,
  listenTls,
  type NodeCertificate,
  type NodeName,
  type Purpose,
  type TlsConnectOptions,
  type TlsListenOptions,
} from './carriers/tls.ts'
export { streamChannel } from './carriers/stream.ts'
export { type OwnerWorker, portChannel, serveOwner, startOwnerWorker } from './carriers/worker.ts'
export type { Channel, ChannelHandler } from './channel.ts'
export { decodeFrame, type Frame } from './codec/decode.ts'
export { encodeFrame } from './codec/encode.ts'
export { FrameError, MAX_FRAME_BYTES } from './codec/limits.ts'
export { type OwnerOptions, serveChannel } from './owner.ts'
export { Peer, type Side } from './peer.ts'
export { listQueues, type RouterPorts, routeMailboxes } from './router.ts'
