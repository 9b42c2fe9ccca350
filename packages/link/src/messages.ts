import { type DomainCode, DomainError, domainCodes } from '@postrider/domain'

/** Kinds of frames. The number of a frame is that of the request it belongs to. */
export const Kind = {
  /** Caller → owner: [method number, deadline in ms from now, ...arguments]. */
  request: 1,
  /** Caller → owner: nobody waits for the answer any more; a subscription is closed. */
  cancel: 2,
  /** Owner → caller: the answer. Of a subscription: it is registered. */
  answer: 3,
  /** Owner → caller: a Failure. */
  failure: 4,
  /** Owner → caller: a call of a subscription's listener: its arguments. */
  hint: 5,
} as const

/** A DomainError on the wire. */
export interface Failure {
  readonly code: DomainCode
  readonly detail: string
  readonly operation: number | undefined
}

/** An error as a Failure. What is no DomainError is our own fault and tells nothing to the other side. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof DomainError)) return { code: 'unavailable', detail: 'internal error', operation: undefined }
  const { code, operation, message } = error
  return { code, detail: message.slice(code.length + 2), operation }
}

/** The DomainError a Failure stands for. */
export function errorOf(value: unknown): DomainError {
  const { code, detail, operation } = value as Partial<Failure>
  if (code === undefined || !domainCodes.includes(code)) return new DomainError('unavailable', `code ${String(code)}`)
  return new DomainError(code, detail, operation === undefined ? {} : { operation })
}

/** Bytes and requests that one channel may have under way; more is answered `busy` at once. */
export const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
export const MAX_IN_FLIGHT_REQUESTS = 10_000
