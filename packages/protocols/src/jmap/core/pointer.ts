/** JSON Pointers (RFC 6901) as result references use them (with `*`: RFC 8620 §3.7) and as patches do (§5.3). */
import { isObject, type Json, type JsonObject, own, record } from './json.ts'

/** Characters of a pointer, and tokens in it. */
const MAX_POINTER = 4_096

/** The tokens of a pointer, `~1` and `~0` undone; undefined for what is none. The leading slash must be there unless `implicit`. */
export function pointerTokens(pointer: string, implicit = false): string[] | undefined {
  if (pointer.length > MAX_POINTER || /~(?![01])/.test(pointer)) return undefined
  if (!implicit && pointer === '') return []
  if (!implicit && !pointer.startsWith('/')) return undefined
  const text = implicit ? pointer : pointer.slice(1)
  return text.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What a pointer yields; undefined when it leads nowhere. `*` maps over an array and flattens arrays one level. `limit`: most values. */
export function evaluatePointer(value: Json, pointer: string, limit: number): Json | undefined {
  const tokens = pointerTokens(pointer)
  if (tokens === undefined) return undefined
  const budget = { left: limit }
  return walk(value, tokens, 0, budget)
}

function walk(value: Json, tokens: readonly string[], at: number, budget: { left: number }): Json | undefined {
  const token = tokens[at]
  if (token === undefined) return value
  if (Array.isArray(value)) {
    const list = value as readonly Json[]
    if (token === '*') {
      const out: Json[] = []
      for (const one of list) {
        const found = walk(one, tokens, at + 1, budget)
        if (found === undefined) return undefined
        const several = Array.isArray(found) ? (found as readonly Json[]) : [found]
        budget.left -= several.length + 1
        if (budget.left < 0) return undefined
        for (const each of several) out.push(each)
      }
      return out
    }
    if (!/^(?:0|[1-9]\d{0,9})$/.test(token)) return undefined
    const one = list[Number(token)]
    return one === undefined ? undefined : walk(one, tokens, at + 1, budget)
  }
  if (!isObject(value)) return undefined
  const one = own(value, token)
  return one === undefined ? undefined : walk(one, tokens, at + 1, budget)
}

/**
 * Applies a PatchObject (RFC 8620 §5.3): keys are paths with an implicit leading slash; null takes out. Undefined for a patch that is not
 * valid: through an array, through what is not there, or one path inside another.
 */
export function applyPatch(object: JsonObject, patch: JsonObject): JsonObject | undefined {
  const paths: string[][] = []
  for (const key of Object.keys(patch)) {
    const tokens = pointerTokens(key, true)
    if (tokens === undefined) return undefined
    paths.push(tokens)
  }
  const sorted = paths.map((tokens) => tokens.join('\u0000')).sort()
  for (let i = 1; i < sorted.length; i++) if (sorted[i]?.startsWith(`${sorted[i - 1]}\u0000`)) return undefined
  let out = object
  for (const [i, key] of Object.keys(patch).entries()) {
    const next = patched(out, paths[i] as string[], 0, patch[key] as Json)
    if (next === undefined) return undefined
    out = next
  }
  return out
}

function patched(object: JsonObject, tokens: readonly string[], at: number, value: Json): JsonObject | undefined {
  const token = tokens[at] as string
  const copy = record<Json>(Object.entries(object))
  if (at === tokens.length - 1) {
    if (value === null) delete copy[token]
    else copy[token] = value
    return copy
  }
  const inner = own(object, token)
  if (!isObject(inner)) return undefined
  const next = patched(inner, tokens, at + 1, value)
  if (next === undefined) return undefined
  copy[token] = next
  return copy
}
