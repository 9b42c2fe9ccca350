import type { Value } from '../engine/statements.ts'

/**
 * Values on the wire. Parameters are texts, bytes are binary; columns come as texts. A text of PostgreSQL holds no U+0000, ours may: the
 * noncharacter U+10FFFF escapes it, and itself.
 */
const ESCAPE = '\u{10FFFF}'
const ZERO = `${ESCAPE}0`
const ITSELF = `${ESCAPE}1`
const special = /[\u0000\u{10FFFF}]/gu
const escaped = /\u{10FFFF}([01])/gu

export const escapeText = (text: string): string =>
  text.includes('\0') || text.includes(ESCAPE) ? text.replace(special, (one) => (one === ESCAPE ? ITSELF : ZERO)) : text

const unescapeText = (text: string): string =>
  text.includes(ESCAPE) ? text.replace(escaped, (_, which) => (which === '0' ? '\0' : ESCAPE)) : text

/** The text of a number: columns of numbers are whole, so what is between two of them is cut. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return Math.abs(value) < 1e21 ? String(value) : BigInt(value).toString()
  if (value === Number.POSITIVE_INFINITY) return '9223372036854775807'
  if (value === Number.NEGATIVE_INFINITY) return '-9223372036854775808'
  return String(Math.floor(value))
}

/** Reads one column from its text. */
export type Read = (text: string) => Value

const bytes: Read = (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))
const truth: Read = (text) => (text === 't' ? 1 : 0)

/** By the type's number in pg_type. */
const reads: ReadonlyMap<number, Read> = new Map([
  [16, truth],
  [17, bytes],
  [20, Number],
  [21, Number],
  [23, Number],
  [26, Number],
  [701, Number],
  [1700, Number],
])

export const readOf = (type: number): Read => reads.get(type) ?? unescapeText
