import type { MailboxId } from './ids.ts'

/** Protocol names as app passwords and switches scope them. */
export const protocolNames = [
  'activesync',
  'imap',
  'pop3',
  'smtp',
  'ews',
  'mapi',
  'web',
  'jmap',
  'dav',
  'autodiscover',
  'admin',
] as const
export type ProtocolName = (typeof protocolNames)[number]

/** Who is asking, after authentication. Made only by the authenticator. */
export interface Principal {
  /** Account id in the directory, stable. */
  readonly account: string
  /** Primary address. */
  readonly address: string
  readonly displayName: string
  /** The account's own mailbox. */
  readonly mailbox: MailboxId
  readonly language: 'en' | 'fr'
  readonly protocol: ProtocolName
  /** Set when an app password was used: its id. */
  readonly appPassword: string | undefined
}

export interface LoginAttempt {
  /** As typed: address, UPN, or DOMAIN\user. */
  readonly login: string
  readonly password: string
  readonly protocol: ProtocolName
  readonly remoteAddress: string
}

/** `throttled`: too many failures, try again after `retryAfterMs`; everything else must look alike to the client (equal text, equal time). */
export type Verdict =
  | { readonly ok: true; readonly principal: Principal }
  | {
      readonly ok: false
      readonly reason: 'invalid' | 'throttled' | 'protocolDisabled' | 'accountDisabled' | 'busy'
      readonly retryAfterMs: number
    }

/** RFC 5802/7677 server side: unknown users get a stable made-up salt, so that they look like known ones. */
export interface ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

export interface Authenticator {
  /** Cached verdicts answer in microseconds. Never throws for bad input. Waits out the tarpit itself is not its job: see retryAfterMs. */
  verify(attempt: LoginAttempt): Promise<Verdict>
  /** Keys for SCRAM-SHA-256. The exchange's outcome comes back through `scramDone`, which counts failures and applies switches. */
  scram(login: string, protocol: ProtocolName): Promise<ScramKeys>
  scramDone(login: string, protocol: ProtocolName, remoteAddress: string, proofValid: boolean): Promise<Verdict>
  /**
   * Registers a live session: `end` is called (once) within 60 s after the account is disabled, removed, its password or the app password
   * changes, or the protocol is switched off for it. Answers a function that unregisters.
   */
  session(principal: Principal, end: (reason: 'revoked') => void): () => void
}
