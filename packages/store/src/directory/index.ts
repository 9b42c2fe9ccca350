/**
 * The directory (organisation, accepted domains, recipients, settings) and the one authenticator of all protocols. In: a file name; out:
 * `DirectoryWriter` and `Authenticator` of the domain. Invariant: a change is committed, then seen in memory, then told to those who
 * watch, so what was answered is durable. Read `open.ts` (writing), `book.ts` (reading), `authenticator.ts`.
 */
export { addressKey, addressValid, domainKey, domainValid } from './address.ts'
export {
  type AuthenticatorOptions,
  CACHE_MS,
  createAuthenticator,
  type DirectoryAuthenticator,
  TARPIT_MS,
} from './authenticator.ts'
export {
  type Decides,
  type DirectoryNews,
  type DirectoryWrite,
  directoryWrites,
  type NodeNews,
  type SentVerdict,
  type SharedDirectory,
} from './news.ts'
export { type DirectoryOptions, type DirectoryStore, openDirectory } from './open.ts'
export { openFollower } from './follower.ts'
export { type HashCost, normalPassword } from './password.ts'
export { DirectoryTooNew } from './schema.ts'
export { type DirectoryReplica, openReplica, remoteAuthenticator } from './replica.ts'
export { scramKeys } from './scram.ts'
export type { PendingMailbox } from './tables.ts'
export { type Budget, defaultThrottle, networkOf, type ThrottlePolicy } from './throttle.ts'
