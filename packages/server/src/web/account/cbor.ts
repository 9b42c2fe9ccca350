/** CBOR (RFC 8949) as far as authenticators write it: integers, bytes, texts, lists, maps, true, false, null; definite lengths only. */

export type Cbor = number | string | Uint8Array | boolean | null | readonly Cbor[] | ReadonlyMap<number | string, Cbor>

const MAX_DEPTH = 8
const MAX_ITEMS = 1_000

/** The first value of the bytes and where it ends; undefined for what is no such value, or is cut off. */
export function readCbor(bytes: Uint8Array, from = 0): { readonly value: Cbor; readonly end: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let items = 0
  let at = from
  const length = (info: number): number | undefined => {
    if (info < 24) return info
    const size = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : undefined
    // Nothing here is longer than four bytes can say.
    if (size === undefined || at + size > bytes.length) return undefined
    const value = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at)
    at += size
    return value
  }
  const read = (depth: number): Cbor | undefined => {
    if (depth > MAX_DEPTH || ++items > MAX_ITEMS || at >= bytes.length) return undefined
    const first = view.getUint8(at++)
    const [major, info] = [first >> 5, first & 31]
    if (major === 7) return info === 20 ? false : info === 21 ? true : info === 22 ? null : undefined
    const count = length(info)
    if (count === undefined) return undefined
    if (major === 0) return count
    if (major === 1) return -1 - count
    if (major === 2 || major === 3) {
      if (at + count > bytes.length) return undefined
      const part = bytes.subarray(at, at + count)
      at += count
      return major === 2 ? part : Buffer.from(part).toString('utf8')
    }
    if (major === 4) {
      const list: Cbor[] = []
      for (let n = 0; n < count; n++) {
        const one = read(depth + 1)
        if (one === undefined) return undefined
        list.push(one)
      }
      return list
    }
    if (major === 5) {
      const map = new Map<number | string, Cbor>()
      for (let n = 0; n < count; n++) {
        const key = read(depth + 1)
        const value = read(depth + 1)
        if ((typeof key !== 'number' && typeof key !== 'string') || value === undefined || map.has(key))
          return undefined
        map.set(key, value)
      }
      return map
    }
    return undefined
  }
  const value = read(0)
  return value === undefined ? undefined : { value, end: at }
}
