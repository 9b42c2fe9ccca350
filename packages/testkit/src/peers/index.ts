/**
 * Other people's servers as neighbours and as measure: started by tests with configurations of their own, on loopback, ended with them.
 */
export { type Peer, startDovecot } from './dovecot.ts'
export { type PatroniPeer, startPatroni } from './patroni.ts'
export { type PostfixPeer, startPostfix } from './postfix.ts'
export { type S3Peer, startS3 } from './s3.ts'
export { type PostgresPeer, startPostgres } from './postgres.ts'
export { hasSogo, type SogoPeer, startSogo } from './sogo.ts'
