import { DomainError } from '@postrider/domain'
import { DatabaseError } from 'pg'
import { messageOf } from './link.ts'
import { ConnectionLost } from './session.ts'

/** What `owned` throws (owner.ts): somebody else is the owner now. */
export const NOT_OWNER = 'PR001'
/** PostgreSQL documentation, appendix A. */
const DISK_FULL = '53100'
const PASSING = new Set(['40001', '40P01', '55P03'])

const codeOf = (error: unknown): string | undefined => (error instanceof DatabaseError ? error.code : undefined)

export const isNotOwner = (error: unknown): boolean => codeOf(error) === NOT_OWNER
export const isDiskFull = (error: unknown): boolean => codeOf(error) === DISK_FULL
/** The same transaction may well work the next time. */
export const isPassing = (error: unknown): boolean => PASSING.has(codeOf(error) ?? '')
export const isLost = (error: unknown): boolean => error instanceof ConnectionLost

/** What a caller is told about an error of the server; DomainErrors stay as they are. */
export function asDomainError(cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause
  return new DomainError(isDiskFull(cause) ? 'diskFull' : 'unavailable', messageOf(cause), { cause })
}
