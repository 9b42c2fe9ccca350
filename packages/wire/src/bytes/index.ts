/**
 * Bytes that arrive in pieces of somebody else's choosing. In: chunks; out: the whole, or how much of it there is. Invariant: what is kept
 * costs memory by its bytes and not by its pieces, however small a peer makes these. Used by everything that reads bodies.
 */
export { Gathered, SMALL_PIECE } from './gathered.ts'
