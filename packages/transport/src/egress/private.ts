/** Addresses that lead inside: loopback, private, link-local, shared, unspecified, multicast, reserved; IPv4 in IPv6 clothes too. */
import { BlockList, isIP } from 'node:net'

const inner = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  inner.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  inner.addSubnet(net, bits, 'ipv6')

/** Whether an IP address is none of the public Internet's; a text that is no address counts as such. */
export function isPrivateAddress(address: string): boolean {
  const bare = address.split('%')[0]!
  const family = isIP(bare)
  if (family === 4) return inner.check(bare, 'ipv4')
  if (family !== 6) return true
  // BlockList holds ::ffff:a.b.c.d against the IPv4 rules itself; the deprecated ::a.b.c.d form it does not.
  if (/^::(?:\d+\.){3}\d+$/.test(bare)) return true
  return inner.check(bare, 'ipv6')
}
