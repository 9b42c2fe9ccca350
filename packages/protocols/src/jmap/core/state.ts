/**
 * The state of mail: the mailbox's change number and the highest id given until then. The first says what came later, the second what was
 * not there before: a move gives a mail a new row, but never a new id. In the middle of a long list of changes it also
 * has `p` and the change number the list began at.
 */
import { MethodError } from './error.ts'

export interface MailState {
  readonly change: number
  readonly highest: number
  /** Where the list of changes began that this state is in the middle of. */
  readonly partial: number | undefined
}

export const writeState = ({ change, highest, partial }: MailState): string =>
  `${change}.${highest}${partial === undefined ? '' : `p${partial}`}`

export function readState(text: string): MailState | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})(?:p(\d{1,15}))?$/.exec(text)
  if (match === null) return undefined
  return {
    change: Number(match[1]),
    highest: Number(match[2]),
    partial: match[3] === undefined ? undefined : Number(match[3]),
  }
}

/** The state a client names as its own; raises `cannotCalculateChanges` for one that is none of ours. */
export function sinceState(text: string, now: MailState): MailState {
  const state = readState(text)
  if (state === undefined || state.change > now.change) throw new MethodError('cannotCalculateChanges')
  return state
}

/** `ifInState` of a /set: RFC 8620 §5.3. The change number alone says whether anything happened. */
export function needState(wanted: string | null, now: MailState): void {
  if (wanted === null) return
  if (readState(wanted)?.change !== now.change) throw new MethodError('stateMismatch')
}
