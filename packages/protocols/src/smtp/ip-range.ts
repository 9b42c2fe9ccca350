/** Address ranges as administrators write them (RemoteIPRanges): one address, `a-b`, or CIDR; the narrower range is the more specific. */
import { isIP } from 'node:net'

export interface IpRange {
  family: 4 | 6
  first: bigint
  last: bigint
}

interface IpAddress {
  family: 4 | 6
  value: bigint
}

/** Reads one range; undefined when it is none. */
export function parseIpRange(text: string): IpRange | undefined {
  const trimmed = text.trim()
  const slash = trimmed.indexOf('/')
  if (slash >= 0) {
    const base = parseIp(trimmed.slice(0, slash))
    const digits = trimmed.slice(slash + 1)
    if (base === undefined || !/^\d{1,3}$/.test(digits)) return undefined
    const bits = base.family === 4 ? 32 : 128
    if (Number(digits) > bits) return undefined
    const size = 1n << BigInt(bits - Number(digits))
    const first = base.value - (base.value % size)
    return { family: base.family, first, last: first + size - 1n }
  }
  const [from = '', to = from] = trimmed.split('-')
  const first = parseIp(from.trim())
  const last = parseIp(to.trim())
  if (first === undefined || last === undefined || first.family !== last.family || first.value > last.value)
    return undefined
  return { family: first.family, first: first.value, last: last.value }
}

/** Whether an address lies in a range; IPv4 written as IPv6 (`::ffff:…`) counts as IPv4. */
export function isInRange(address: string, range: IpRange): boolean {
  const ip = parseIp(address)
  return ip !== undefined && ip.family === range.family && ip.value >= range.first && ip.value <= range.last
}

/** How many addresses a range has: the smaller, the more specific. */
export function rangeSize(range: IpRange): bigint {
  return range.last - range.first + 1n
}

function parseIp(text: string): IpAddress | undefined {
  const bare = text.split('%')[0]!
  const family = isIP(bare)
  if (family === 4) return { family: 4, value: ipv4(bare) }
  if (family !== 6) return undefined
  const value = ipv6(bare)
  if (value >> 32n === 0xffffn) return { family: 4, value: value & 0xffffffffn }
  return { family: 6, value }
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
}

function ipv6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const hex =
    dotted === null
      ? text
      : `${dotted[1]}${(ipv4(dotted[2]!) >> 16n).toString(16)}:${(ipv4(dotted[2]!) & 0xffffn).toString(16)}`
  const [head = '', tail] = hex.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = new Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...middle, ...right].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
}
