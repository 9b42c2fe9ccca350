/** The statuses of ItemOperations: [MS-ASCMD] §2.2.3.177.8. */
import type { DomainCode } from '@postrider/domain'
import type { Element } from '@postrider/wire/wbxml'

export const ItemOperation = {
  success: 1,
  protocolError: 2,
  serverError: 3,
  badLink: 4,
  accessDenied: 5,
  notFound: 6,
  rangeInvalid: 8,
  unknownStore: 9,
  tooLarge: 11,
  conversionFailed: 14,
  attachmentInvalid: 15,
  resourceDenied: 16,
  partial: 17,
  moveAlwaysMissing: 155,
  destinationNotMail: 156,
} as const

/** Thrown by one operation, caught by the command. `echo` are the elements that tell which operation it was. */
export class OperationError extends Error {
  readonly status: number
  readonly echo: readonly Element[]

  constructor(status: number, echo: readonly Element[] = []) {
    super(`status ${status}`)
    this.name = 'OperationError'
    this.status = status
    this.echo = echo
  }
}

/** What the mailbox's refusals are to a single operation. */
export const itemOperationStatus = {
  mailboxNotFound: ItemOperation.serverError,
  folderNotFound: ItemOperation.notFound,
  folderExists: ItemOperation.serverError,
  folderNotEmpty: ItemOperation.partial,
  folderSpecial: ItemOperation.resourceDenied,
  folderCycle: ItemOperation.serverError,
  nameInvalid: ItemOperation.serverError,
  itemGone: ItemOperation.notFound,
  blobGone: ItemOperation.notFound,
  overQuota: ItemOperation.serverError,
  tooLarge: ItemOperation.tooLarge,
  tooMany: ItemOperation.tooLarge,
  accessDenied: ItemOperation.resourceDenied,
  conflict: ItemOperation.serverError,
  duplicate: ItemOperation.serverError,
  invalid: ItemOperation.protocolError,
  moved: ItemOperation.serverError,
  diskFull: ItemOperation.serverError,
  busy: ItemOperation.serverError,
  unavailable: ItemOperation.serverError,
  corrupt: ItemOperation.conversionFailed,
} as const satisfies Record<DomainCode, number>
