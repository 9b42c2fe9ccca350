import type {
  AcceptedDomain,
  DirectoryWriter,
  GroupEntry,
  MailboxEntry,
  ProtocolName,
  Verdict,
  Authenticator,
} from '@postrider/domain'
import type { StoredAppPassword, StoredCredential } from './tables.ts'

/** What everybody may know of an app password. */
export type ShownAppPassword = ReturnType<DirectoryWriter['appPasswords']>[number]

/**
 * One step of the directory's memory, as copies in other processes repeat it. Hashes, digests and SCRAM keys are not among them: those stay where
 * the authenticator is. `changed` stands behind the steps of one change and wakes those who watch.
 */
export type DirectoryNews =
  | { readonly kind: 'start'; readonly secret: Uint8Array }
  | { readonly kind: 'organization'; readonly name: string }
  | { readonly kind: 'domain'; readonly domain: AcceptedDomain }
  | { readonly kind: 'noDomain'; readonly name: string }
  | { readonly kind: 'mailbox'; readonly entry: MailboxEntry }
  | { readonly kind: 'noMailbox'; readonly entry: MailboxEntry }
  | { readonly kind: 'group'; readonly entry: GroupEntry }
  | { readonly kind: 'noGroup'; readonly entry: GroupEntry }
  | { readonly kind: 'version'; readonly account: string; readonly version: number }
  | { readonly kind: 'apps'; readonly account: string; readonly apps: readonly ShownAppPassword[] }
  | { readonly kind: 'setting'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'changed'; readonly account: string | undefined }

/** What another node's copy of the directory needs beside the steps: it lets people in by itself. Only nodes get these. */
export type NodeNews =
  | DirectoryNews
  | { readonly kind: 'credential'; readonly account: string; readonly credential: StoredCredential }
  | { readonly kind: 'appSecrets'; readonly account: string; readonly apps: readonly StoredAppPassword[] }
  /** Everything there is has been said since `start`. */
  | { readonly kind: 'complete' }

/** The directory as client access has it: its own memory of it, whether the database is in this process or not. */
export interface SharedDirectory extends DirectoryWriter {
  /** Made once per installation. */
  readonly secret: Uint8Array
  /** The version of an account's password: it grows with every change. */
  credential(account: string): { readonly version: number } | undefined
  /** What an app password is for; undefined when the account has none of this id. */
  appPassword(account: string, id: string): { readonly protocols: readonly ProtocolName[] } | undefined
}

/** The methods by which a copy has the directory changed. */
export const directoryWrites = [
  'addDomain',
  'removeDomain',
  'setDefaultDomain',
  'addMailbox',
  'updateMailbox',
  'removeMailbox',
  'addGroup',
  'updateGroup',
  'removeGroup',
  'setPassword',
  'addAppPassword',
  'removeAppPassword',
  'setSetting',
] as const satisfies readonly (keyof DirectoryWriter)[]
export type DirectoryWrite = (typeof directoryWrites)[number]

/** A verdict on its way to another process; `version`: of the password it is about. */
export interface SentVerdict {
  readonly verdict: Verdict
  readonly version: number
}
/** What a copy of the authenticator asks of the one that decides. */
export interface Decides {
  verify(attempt: Parameters<Authenticator['verify']>[0]): Promise<SentVerdict>
  scram: Authenticator['scram']
  scramDone(...of: Parameters<Authenticator['scramDone']>): Promise<SentVerdict>
}
