import { MAX_COMMAND_SIZE_BEFORE_LOGIN } from '@postrider/wire/imap'

/** What an administrator may set, with Exchange's names beside ours (Set-ImapSettings) where it has one. Times in ms, sizes in bytes. */
export interface ImapSettings {
  /** Banner. */
  readonly banner: string
  /** MaxCommandSize, 1024 to 16384: bytes of a command before login. */
  readonly maxCommandSize: number
  /** PreAuthenticatedConnectionTimeout: from the first byte to the login. */
  readonly preAuthenticatedTimeout: number
  /** AuthenticatedConnectionTimeout: without a command; IDLE is no inactivity (RFC 9051 §5.4). */
  readonly authenticatedTimeout: number
  /** How long a client may leave our answer unread. */
  readonly writeTimeout: number
  /** MaxConnectionsPerUser. */
  readonly maxConnectionsPerUser: number
  /** MaxConnections. */
  readonly maxConnections: number
  /** ShowHiddenFoldersEnabled: also Outbox, Sync Issues, RSS Feeds, Conversation History. */
  readonly showHiddenFolders: boolean
  /** Largest message APPEND takes (RFC 7889). */
  readonly appendLimit: number
  /** Bytes of messages being appended by all sessions together; beyond it APPEND is put off. */
  readonly appendMemory: number
  /** Failed logins before the connection ends. */
  readonly maxFailedLogins: number
  /** Commands that are none before the connection ends. */
  readonly maxBadCommands: number
  /** Longest wait before a failed login is answered. */
  readonly tarpit: number
  /** While IDLE: a sign of life, and a look whether a hint was lost. */
  readonly idleKeepAlive: number
  /** Capabilities that are neither shown nor obeyed, by name in upper case. */
  readonly disabledCapabilities: ReadonlySet<string>
  /** The same for one account, by its id. */
  readonly disabledFor: (account: string) => ReadonlySet<string>
}

const nobody: ReadonlySet<string> = new Set()

export const defaultImapSettings: ImapSettings = {
  banner: 'Postrider IMAP4 service is ready.',
  maxCommandSize: MAX_COMMAND_SIZE_BEFORE_LOGIN,
  preAuthenticatedTimeout: 60_000,
  authenticatedTimeout: 30 * 60_000,
  writeTimeout: 5 * 60_000,
  maxConnectionsPerUser: 16,
  maxConnections: 2_147_483_647,
  showHiddenFolders: false,
  appendLimit: 37_748_736,
  appendMemory: 256 * 1024 * 1024,
  maxFailedLogins: 3,
  maxBadCommands: 30,
  tarpit: 5_000,
  idleKeepAlive: 4 * 60_000,
  disabledCapabilities: nobody,
  disabledFor: () => nobody,
}
