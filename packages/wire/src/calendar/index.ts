/**
 * iCalendar as far as invitations need it (RFC 5545, RFC 5546). In: the text of a text/calendar part; out: the meeting it asks to, with
 * instants and a time zone of two phases. It keeps to limits, is linear and never throws. Read next: invitation.ts, zone.ts, rule.ts.
 */
export { type Invitation, readInvitation } from './invitation.ts'
export { MAX_CALENDAR } from './component.ts'
export type { RecurrenceRule } from './rule.ts'
export type { Onset, Zone } from './zone.ts'
