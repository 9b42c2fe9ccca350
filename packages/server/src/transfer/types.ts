import { type FolderRole, type Phrase, SpokenError } from '@postrider/domain'

/** One mail of a source, its text not yet read. */
export interface SourceMail {
  /** For reports: file and place, or folder and UID. */
  readonly where: string
  /** What the source itself knows it by without reading it (a server's UID): asked before the mail is fetched. */
  readonly ticket?: string
  readonly uid?: number
  readonly flags: number
  readonly keywords: readonly string[]
  /** ms since 1970; undefined: the mail's own date decides. */
  readonly received: number | undefined
  /** What it adds to the progress; the unit is the source's. */
  readonly weight: number
  /** The mail with CRLF at the ends of its lines. Rejects when it cannot be read: that mail is bad, the others go on. */
  read(): Promise<Uint8Array>
}

export interface SourceFolder {
  /** Names from the top; empty for the inbox. */
  readonly path: readonly string[]
  readonly role?: FolderRole | undefined
  readonly subscribed?: boolean
  readonly uids?: { readonly validity: number; readonly next: number } | undefined
  readonly weight: number
  /** In ascending order of UIDs where there are any. A source may leave out mails whose ticket is known: then it yields them with `known`. */
  mails(known: (ticket: string) => boolean): AsyncIterable<SourceMail>
}

/** Something mails come from. */
export interface MailSource {
  readonly kind: 'maildir' | 'mbox' | 'eml' | 'imap'
  folders(): Promise<readonly SourceFolder[]>
  close(): Promise<void>
}

/** The source or the target cannot be used as asked; the message says why. */
export class TransferError extends SpokenError {
  override readonly name = 'TransferError'
}

/** Larger mails are reported and left out: with its frame around it, one must fit between two threads. */
export const MAX_MAIL_BYTES = 60 * 1024 * 1024

export const tooManyBytes = (size: number): Phrase => ({
  en: `${size} bytes are too many`,
  fr: `${size} octets, c’est trop`,
})
