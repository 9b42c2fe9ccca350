/**
 * What can go wrong in the mailbox and the directory, one word each. A protocol maps every code to its own answer with a
 * total table (`satisfies Record<DomainCode, …>`), so a new code does not compile until each protocol has an answer.
 */
export const domainCodes = [
  'mailboxNotFound',
  'folderNotFound',
  'folderExists',
  'folderNotEmpty',
  'folderSpecial', // a distinguished folder cannot be deleted, renamed away or moved
  'folderCycle',
  'nameInvalid',
  'itemGone',
  'blobGone', // the reference names nothing here: another database, or already collected
  'overQuota',
  'tooLarge',
  'tooMany', // folders, items in one call, keywords…
  'accessDenied',
  'conflict', // a precondition (unchangedSince, expected state) does not hold
  'duplicate', // the idempotency key was seen: the work is already done
  'invalid', // the call itself makes no sense
  'moved', // the mailbox has another home now (detail: epoch)
  'diskFull', // nothing can be written now; reading and deleting go on
  'busy', // back-pressure: try again shortly
  'unavailable', // the owner is stopped, starting or broken
  'corrupt', // a checksum does not match
] as const
export type DomainCode = (typeof domainCodes)[number]

/** The one error the domain throws. `message` is for the log; what the user reads comes from the protocol's table. */
export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly code: DomainCode
  /** For a failed `apply`: the index of the operation that failed. */
  readonly operation: number | undefined
  constructor(code: DomainCode, detail = '', options?: ErrorOptions & { operation?: number }) {
    super(detail === '' ? code : `${code}: ${detail}`, options)
    this.code = code
    this.operation = options?.operation
  }
}

export const isDomainError = (error: unknown, code?: DomainCode): error is DomainError =>
  error instanceof DomainError && (code === undefined || error.code === code)
