/**
 * Other people's servers as neighbours and as measure: started by tests with configurations of their own, on loopback, ended with them.
 */
export { type Peer, startDovecot } from './dovecot.ts'
export { type PatroniPeer, startPatroni } from './patroni.ts'
export { type PostfixPeer, startPostfix } from './postfix.ts'
export { type S3Peer, startS3 } from './s3.ts'
export { type PostgresPeer, startPostgres } from './postgres.ts'
export { hasNginx, type NginxPeer } from './nginx.ts'
export { hasRoundcube, startRoundcube } from './roundcube.ts'
export { hasSogo, type SogoPeer, startSogo, startSogoWeb } from './sogo.ts'
