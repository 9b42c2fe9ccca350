import { networkInterfaces } from 'node:os'

/** An address of this machine that a phone in the same network can reach, when it listens at `bound`. */
export function reachableAddress([bound = '::']: readonly string[]): string {
  if (bound !== '::' && bound !== '0.0.0.0') return bound
  for (const list of Object.values(networkInterfaces()))
    for (const one of list ?? []) if (one.family === 'IPv4' && !one.internal) return one.address
  return '127.0.0.1'
}
