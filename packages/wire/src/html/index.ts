/**
 * HTML of mails made safe: web.md §5, the first wall. In: the HTML or text of a body; out: a fragment written anew from an allow-list of
 * elements, attributes, values and CSS. Invariant: the output holds nothing that runs, loads from elsewhere, leaves its box or is parsed by
 * other rules than plain elements are. Read next: sanitize.ts, elements.ts, css.ts.
 */
export * from './limits.ts'
export { plainToHtml } from './plain.ts'
export { type Reservation, reservationsOf } from './reservations.ts'
export { type Sanitized, sanitizeHtml, type SanitizeOptions } from './sanitize.ts'
