/** What can go wrong, at the three levels JMAP has: the request (RFC 8620 §3.6.1), one method call (§3.6.2), one object of a /set (§5.3). */
import type { DomainCode } from '@postrider/domain'

/** Problem types of a whole request: RFC 8620 §3.6.1, and plain HTTP ones. */
export type ProblemType = 'unknownCapability' | 'notJSON' | 'notRequest' | 'limit'

/** The request as a whole is refused: answered as problem details (RFC 7807). */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem'
  readonly type: ProblemType
  readonly status: number
  readonly limit: string | undefined
  constructor(type: ProblemType, detail: string, options: { status?: number; limit?: string } = {}) {
    super(detail)
    this.type = type
    this.status = options.status ?? 400
    this.limit = options.limit
  }
}

/** Method-level errors: RFC 8620 §3.6.2, §5 and the methods of RFC 8621, 9404, 9007. */
export type MethodErrorType =
  | 'serverUnavailable'
  | 'serverFail'
  | 'serverPartialFail'
  | 'unknownMethod'
  | 'invalidArguments'
  | 'invalidResultReference'
  | 'forbidden'
  | 'accountNotFound'
  | 'accountNotSupportedByMethod'
  | 'accountReadOnly'
  | 'requestTooLarge'
  | 'stateMismatch'
  | 'cannotCalculateChanges'
  | 'tooManyChanges'
  | 'anchorNotFound'
  | 'unsupportedSort'
  | 'unsupportedFilter'
  | 'fromAccountNotFound'
  | 'fromAccountNotSupportedByMethod'
  | 'unknownDataType'
  | 'unknownCapability'

/** One call fails; the others go on. */
export class MethodError extends Error {
  override readonly name = 'MethodError'
  readonly type: MethodErrorType
  readonly fields: Readonly<Record<string, unknown>>
  constructor(type: MethodErrorType, description?: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(description ?? type)
    this.type = type
    this.fields = description === undefined ? fields : { description, ...fields }
  }
}

/** SetError types: RFC 8620 §5.3, §5.4, §6.3; RFC 8621 §2.5, §4.6, §4.8, §7.5; RFC 9007 §2.1. */
export type SetErrorType =
  | 'forbidden'
  | 'overQuota'
  | 'tooLarge'
  | 'rateLimit'
  | 'notFound'
  | 'invalidPatch'
  | 'willDestroy'
  | 'invalidProperties'
  | 'singleton'
  | 'alreadyExists'
  | 'mailboxHasChild'
  | 'mailboxHasEmail'
  | 'blobNotFound'
  | 'tooManyKeywords'
  | 'tooManyMailboxes'
  | 'invalidEmail'
  | 'tooManyRecipients'
  | 'noRecipients'
  | 'invalidRecipients'
  | 'forbiddenMailFrom'
  | 'forbiddenFrom'
  | 'forbiddenToSend'
  | 'cannotUnsend'
  | 'mdnAlreadySent'
  | 'serverFail'

/** One object of a /set, /import, /copy fails; the others go on. */
export class SetError extends Error {
  override readonly name = 'SetError'
  readonly type: SetErrorType
  readonly fields: Readonly<Record<string, unknown>>
  constructor(type: SetErrorType, description?: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(description ?? type)
    this.type = type
    this.fields = description === undefined ? fields : { description, ...fields }
  }
  toJSON(): Record<string, unknown> {
    return { type: this.type, ...this.fields }
  }
}

/** Some properties make no sense: RFC 8620 §5.3 `invalidProperties`. */
export const invalidProperties = (properties: readonly string[], description?: string): SetError =>
  new SetError('invalidProperties', description, { properties })

/** What an object of a /set hears when the mailbox says no. */
export const setErrorOf = {
  mailboxNotFound: 'notFound',
  folderNotFound: 'notFound',
  folderExists: 'alreadyExists',
  folderNotEmpty: 'mailboxHasChild',
  folderSpecial: 'forbidden',
  folderCycle: 'invalidProperties',
  nameInvalid: 'invalidProperties',
  itemGone: 'notFound',
  blobGone: 'blobNotFound',
  overQuota: 'overQuota',
  tooLarge: 'tooLarge',
  tooMany: 'rateLimit',
  accessDenied: 'forbidden',
  conflict: 'serverFail',
  duplicate: 'alreadyExists',
  invalid: 'invalidProperties',
  moved: 'serverFail',
  diskFull: 'serverFail',
  busy: 'serverFail',
  unavailable: 'serverFail',
  corrupt: 'serverFail',
} as const satisfies Record<DomainCode, SetErrorType>

/** What a call hears when the mailbox says no. */
export const methodErrorOf = {
  mailboxNotFound: 'accountNotFound',
  folderNotFound: 'invalidArguments',
  folderExists: 'serverFail',
  folderNotEmpty: 'serverFail',
  folderSpecial: 'forbidden',
  folderCycle: 'invalidArguments',
  nameInvalid: 'invalidArguments',
  itemGone: 'serverFail',
  blobGone: 'serverFail',
  overQuota: 'serverFail',
  tooLarge: 'requestTooLarge',
  tooMany: 'requestTooLarge',
  accessDenied: 'forbidden',
  conflict: 'serverFail',
  duplicate: 'serverFail',
  invalid: 'invalidArguments',
  moved: 'serverUnavailable',
  diskFull: 'serverUnavailable',
  busy: 'serverUnavailable',
  unavailable: 'serverUnavailable',
  corrupt: 'serverFail',
} as const satisfies Record<DomainCode, MethodErrorType>
