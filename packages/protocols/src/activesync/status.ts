/**
 * The common status codes: [MS-ASCMD] §2.2.2, and what HTTP says instead of them up to 12.1. A command's own statuses
 * (Sync 1 to 16, FolderSync 1 to 12…) stand with the command.
 */
import type { DomainCode } from '@postrider/domain'
import type { EasVersion } from './version.ts'
import { atLeast } from './version.ts'

/** [MS-ASCMD] §2.2.2 by the document's names. */
export const Status = {
  Success: 1,
  InvalidContent: 101,
  InvalidWBXML: 102,
  InvalidXML: 103,
  InvalidDateTime: 104,
  InvalidCombinationOfIDs: 105,
  InvalidIDs: 106,
  InvalidMIME: 107,
  DeviceIdMissingOrInvalid: 108,
  DeviceTypeMissingOrInvalid: 109,
  ServerError: 110,
  ServerErrorRetryLater: 111,
  ActiveDirectoryAccessDenied: 112,
  MailboxQuotaExceeded: 113,
  MailboxServerOffline: 114,
  SendQuotaExceeded: 115,
  MessageRecipientUnresolved: 116,
  MessageReplyNotAllowed: 117,
  MessagePreviouslySent: 118,
  MessageHasNoRecipient: 119,
  MailSubmissionFailed: 120,
  MessageReplyFailed: 121,
  AttachmentIsTooLarge: 122,
  UserHasNoMailbox: 123,
  UserCannotBeAnonymous: 124,
  UserPrincipalCouldNotBeFound: 125,
  UserDisabledForSync: 126,
  UserOnNewMailboxCannotSync: 127,
  UserOnLegacyMailboxCannotSync: 128,
  DeviceIsBlockedForThisUser: 129,
  AccessDenied: 130,
  AccountDisabled: 131,
  SyncStateNotFound: 132,
  SyncStateLocked: 133,
  SyncStateCorrupt: 134,
  SyncStateAlreadyExists: 135,
  SyncStateVersionInvalid: 136,
  CommandNotSupported: 137,
  VersionNotSupported: 138,
  DeviceNotFullyProvisionable: 139,
  RemoteWipeRequested: 140,
  LegacyDeviceOnStrictPolicy: 141,
  DeviceNotProvisioned: 142,
  PolicyRefresh: 143,
  InvalidPolicyKey: 144,
  ExternallyManagedDevicesNotAllowed: 145,
  NoRecurrenceInCalendar: 146,
  UnexpectedItemClass: 147,
  RemoteServerHasNoSSL: 148,
  InvalidStoredRequest: 149,
  ItemNotFound: 150,
  TooManyFolders: 151,
  NoFoldersFound: 152,
  ItemsLostAfterMove: 153,
  FailureInMoveOperation: 154,
  MoveCommandDisallowedForNonPersistentMoveAction: 155,
  MoveCommandInvalidDestinationFolder: 156,
  AvailabilityTooManyRecipients: 160,
  AvailabilityDLLimitReached: 161,
  AvailabilityTransientFailure: 162,
  AvailabilityFailure: 163,
  BodyPartPreferenceTypeNotSupported: 164,
  DeviceInformationRequired: 165,
  InvalidAccountId: 166,
  AccountSendDisabled: 167,
  IRM_FeatureDisabled: 168,
  IRM_TransientError: 169,
  IRM_PermanentError: 170,
  IRM_InvalidTemplateID: 171,
  IRM_OperationNotPermitted: 172,
  NoPicture: 173,
  PictureTooLarge: 174,
  PictureLimitReached: 175,
  BodyPart_ConversationTooLarge: 176,
  MaximumDevicesReached: 177,
  InvalidMimeBodyCombination: 178,
  InvalidSmartForwardParameters: 179,
  InvalidRecipients: 183,
  OneOrMoreExceptionsFailed: 184,
} as const

/**
 * The HTTP status that stands for a common status up to 12.1, where the body has no place for it: the "when protocol
 * version 2.5, 12.0, or 12.1 is used" sentences of [MS-ASCMD] §2.2.2. A status without a line is answered 500.
 */
const httpStatus: ReadonlyMap<number, number> = new Map([
  [101, 400],
  [102, 400],
  [103, 400],
  [104, 400],
  [105, 400],
  [106, 400],
  [107, 400],
  [108, 400],
  [109, 400],
  [110, 500],
  [111, 503],
  [112, 403],
  [113, 507],
  [114, 503],
  [115, 507],
  [116, 500],
  [117, 500],
  [118, 500],
  [119, 500],
  [120, 500],
  [121, 500],
  [122, 500],
  [123, 403],
  [124, 403],
  [125, 403],
  [126, 403],
  [127, 403],
  [128, 403],
  [129, 403],
  [130, 403],
  [131, 403],
  [132, 403],
  [133, 500],
  [134, 500],
  [135, 500],
  [136, 500],
  [137, 501],
  [138, 400],
  [139, 449],
  [140, 449],
  [141, 449],
  [142, 449],
  [143, 449],
  [144, 449],
  [145, 403],
  [147, 501],
  [148, 500],
  [149, 500],
  [150, 500],
  [177, 403],
])

/** Where a command differs from the table: MS-ASCMD_R7549, MS-ASCMD_R7557. */
const commandHttpStatus: ReadonlyMap<string, number> = new Map([
  ['SendMail 106', 500],
  ['Provision 132', 500],
])

/**
 * How a common status is said in a version: in the body (14.0 and newer), or as HTTP status (12.1 and older).
 * 111 and 114 also say Retry-After, in every version.
 */
export function sayStatus(status: number, version: EasVersion, command = ''): { http: number; inBody: boolean } {
  if (atLeast(version, '14.0')) return { http: 200, inBody: true }
  return { http: commandHttpStatus.get(`${command} ${status}`) ?? httpStatus.get(status) ?? 500, inBody: false }
}

/** What a command throws to be answered with a common status and nothing else. */
export class StatusError extends Error {
  readonly status: number

  constructor(status: number, message = '', options?: ErrorOptions) {
    super(message === '' ? `status ${status}` : message, options)
    this.name = 'StatusError'
    this.status = status
  }
}

/** The common status for what the domain says went wrong; a command with a status of its own maps the code itself first. */
export const domainStatus = {
  mailboxNotFound: Status.UserHasNoMailbox,
  folderNotFound: Status.ItemNotFound,
  folderExists: Status.InvalidContent,
  folderNotEmpty: Status.InvalidContent,
  folderSpecial: Status.InvalidContent,
  folderCycle: Status.InvalidContent,
  nameInvalid: Status.InvalidContent,
  itemGone: Status.ItemNotFound,
  blobGone: Status.ItemNotFound,
  overQuota: Status.MailboxQuotaExceeded,
  tooLarge: Status.AttachmentIsTooLarge,
  tooMany: Status.InvalidXML,
  accessDenied: Status.AccessDenied,
  conflict: Status.ServerErrorRetryLater,
  duplicate: Status.MessagePreviouslySent,
  invalid: Status.InvalidContent,
  moved: Status.MailboxServerOffline,
  diskFull: Status.ServerErrorRetryLater,
  busy: Status.ServerErrorRetryLater,
  unavailable: Status.MailboxServerOffline,
  corrupt: Status.ServerError,
} as const satisfies Record<DomainCode, number>
