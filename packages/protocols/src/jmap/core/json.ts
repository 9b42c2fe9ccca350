/** JSON from outside: I-JSON (RFC 7493) within limits of depth and count, looked at before anything is built. */
import { MAX_JSON_DEPTH, MAX_JSON_TOKENS } from '../limits.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

export type JsonResult =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly reason: 'syntax' | 'tooDeep' | 'tooMany' }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Reads JSON text. Linear; never throws. Not UTF-8, or a lone surrogate, is `syntax` (RFC 7493 §2.1). */
export function readJson(bytes: Uint8Array): JsonResult {
  const bounded = withinBounds(bytes)
  if (bounded !== undefined) return { ok: false, reason: bounded }
  try {
    return { ok: true, value: JSON.parse(utf8.decode(bytes)) as Json }
  } catch {
    return { ok: false, reason: 'syntax' }
  }
}

/** Counts brackets and separators outside of strings. */
function withinBounds(bytes: Uint8Array): 'tooDeep' | 'tooMany' | undefined {
  let depth = 0
  let tokens = 0
  let quoted = false
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]
    if (quoted) {
      if (c === 0x5c) i++
      else if (c === 0x22) quoted = false
      continue
    }
    if (c === 0x22) quoted = true
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_JSON_DEPTH) return 'tooDeep'
      tokens++
    } else if (c === 0x5d || c === 0x7d) depth--
    else if (c === 0x2c || c === 0x3a) tokens++
    if (tokens > MAX_JSON_TOKENS) return 'tooMany'
  }
  return undefined
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A property of an object from outside: own properties only. */
export const own = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined

/** An object whose keys come from outside: `__proto__` is a key like any other. */
export function record<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const made: Record<string, T> = Object.create(null)
  for (const [key, value] of entries) made[key] = value
  return made
}

/** Two values are the same JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, i) => sameJson(one, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
}
