/** The rules of web sessions (R16, R17), as numbers and one function. */

const MINUTE = 60_000

/** R17: the second limit, which nobody sets and activity does not move. */
export const HARD_LIMIT_MS = 8 * 60 * MINUTE
/** How long before an end the user is warned. */
export const WARNING_MS = 2 * MINUTE
/** How far the stored time of the last act may lag behind the one in memory: what a crash may cost the user. */
export const STORED_LAG_MS = MINUTE
/** Sessions of one account; the one idle longest goes when there are more. */
export const MAX_SESSIONS = 50
/** Ends that are remembered so that the client can be told why. */
export const MAX_REMEMBERED_ENDS = 10_000

/** Why a session ended. */
export type End = 'inactive' | 'limit' | 'signedout' | 'revoked'

export interface Times {
  /** ms since 1970. */
  readonly created: number
  readonly lastAct: number
}

/** When a session ends, and why, if nothing more is done. */
export function endOf({ created, lastAct }: Times, inactivityMs: number): { readonly at: number; readonly why: End } {
  const limit = created + HARD_LIMIT_MS
  const inactive = lastAct + inactivityMs
  return inactive < limit ? { at: inactive, why: 'inactive' } : { at: limit, why: 'limit' }
}
