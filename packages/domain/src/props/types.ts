/** Property types: [MS-OXCDATA] §2.11.1. The low 16 bits of a property tag. */
export const PropType = {
  integer16: 0x0002,
  integer32: 0x0003,
  floating32: 0x0004,
  floating64: 0x0005,
  currency: 0x0006,
  floatingTime: 0x0007,
  errorCode: 0x000a,
  boolean: 0x000b,
  object: 0x000d,
  integer64: 0x0014,
  string: 0x001f,
  time: 0x0040,
  guid: 0x0048,
  binary: 0x0102,
} as const
export const MULTIPLE = 0x1000

/**
 * A value, by type: integer16/32, floating, floatingTime, errorCode: number; boolean; integer64, currency and time: bigint (time in
 * 100 ns since 1601); string; guid (16 bytes), binary, object: bytes. Multiple-value types: arrays of these.
 */
export type PropValue =
  | number
  | boolean
  | bigint
  | string
  | Uint8Array
  | readonly (number | bigint | string | Uint8Array)[]

export const propType = (tag: number): number => tag & 0xffff
export const propId = (tag: number): number => tag >>> 16

const EPOCH_1601_MS = 11_644_473_600_000n
/** ms since 1970 → FILETIME (100 ns since 1601). */
export const fileTime = (ms: number): bigint => (BigInt(Math.trunc(ms)) + EPOCH_1601_MS) * 10_000n
/** FILETIME → ms since 1970. */
export const fromFileTime = (time: bigint): number => Number(time / 10_000n - EPOCH_1601_MS)
