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

/**
 * Reads JSON text. Linear; never throws. What is not UTF-8 (RFC 7493 §2.1), or names a member of an object twice (§2.3), is `syntax`: of two
 * members JSON.parse keeps one, so the text then has more colons than the value has members.
 */
export function readJson(bytes: Uint8Array): JsonResult {
  const counted = countMembers(bytes)
  if (typeof counted === 'string') return { ok: false, reason: counted }
  try {
    const value = JSON.parse(utf8.decode(bytes)) as Json
    return membersOf(value) === counted ? { ok: true, value } : { ok: false, reason: 'syntax' }
  } catch {
    return { ok: false, reason: 'syntax' }
  }
}

function membersOf(value: Json): number {
  let members = 0
  const stack: Json[] = [value]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next === null || typeof next !== 'object') continue
    const inside: readonly Json[] = Array.isArray(next) ? next : Object.values(next)
    if (inside !== next) members += inside.length
    for (const one of inside) if (typeof one === 'object' && one !== null) stack.push(one)
  }
  return members
}

/** The members of all objects: colons outside of strings. Or which limit of brackets and separators the text exceeds. */
function countMembers(bytes: Uint8Array): 'tooDeep' | 'tooMany' | number {
  let depth = 0
  let tokens = 0
  let members = 0
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
    else if (c === 0x2c) tokens++
    else if (c === 0x3a) {
      tokens++
      members++
    }
    if (tokens > MAX_JSON_TOKENS) return 'tooMany'
  }
  return members
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
