/**
 * A deep copy of plain data (what the frame codec carries): primitives, arrays, objects, Map and typed arrays. A typed array is copied with
 * its own bytes only, never with the whole buffer below it (structuredClone would take that along).
 */
export function copyOf<T>(value: T): T {
  return copy(value) as T
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (value instanceof Uint32Array) return new Uint32Array(value)
  if (value instanceof Float64Array) return new Float64Array(value)
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [copy(key), copy(one)]))
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copy(one)]))
}
