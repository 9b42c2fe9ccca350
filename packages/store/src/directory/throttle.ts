import { isIPv6 } from 'node:net'
import type { Clock } from '@postrider/domain'

/** One leaking bucket of failures: it holds `level` and loses `leak` a minute; from `free` on every failure blocks for a while. */
export interface Budget {
  readonly free: number
  readonly leak: number
  /** First block; doubles every `doubling` failures. */
  readonly firstMs: number
  readonly doubling: number
  readonly maxMs: number
}

/**
 * The brute-force budgets of all protocols together. By account and address; by address over all accounts; by account over all
 * addresses. None is a lasting lock: each block ends by itself, and blocks of the second and third kind spare those who logged in
 * from the same address before, so an attacker cannot lock out the owner or a neighbour behind the same NAT.
 */
export interface ThrottlePolicy {
  readonly pair: Budget
  readonly address: Budget
  readonly account: Budget
}
export const defaultThrottle: ThrottlePolicy = {
  pair: { free: 10, leak: 1, firstMs: 5_000, doubling: 1, maxMs: 900_000 },
  address: { free: 100, leak: 10, firstMs: 5_000, doubling: 20, maxMs: 900_000 },
  account: { free: 200, leak: 10, firstMs: 1_000, doubling: 100, maxMs: 5_000 },
}

/** Buckets kept; the ones untouched longest go first. */
export const MAX_BUCKETS = 50_000
/** A success from an address makes it trusted for its account for so long. */
const TRUST_MS = 86_400_000

interface Bucket {
  level: number
  at: number
  until: number
}

/** The part of an address that one customer has: IPv4 whole (mapped too), IPv6 its /64. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]!
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  return `${[...front, ...zeros, ...back]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

class Buckets {
  readonly #budget: Budget
  readonly #buckets = new Map<string, Bucket>()
  constructor(budget: Budget) {
    this.#budget = budget
  }
  blockedMs(key: string, now: number): number {
    return Math.max(0, (this.#buckets.get(key)?.until ?? 0) - now)
  }
  /** Counts one failure; answers how long the key is blocked now. */
  failed(key: string, now: number): number {
    const { free, leak, firstMs, doubling, maxMs } = this.#budget
    const old = this.#buckets.get(key)
    const level = Math.max(0, (old?.level ?? 0) - ((now - (old?.at ?? now)) / 60_000) * leak) + 1
    // Half a failure has always leaked away: the tenth one is the tenth.
    const block =
      level < free - 0.5 ? 0 : Math.min(maxMs, firstMs * 2 ** Math.floor(Math.max(0, level - free) / doubling))
    this.#buckets.delete(key)
    this.#buckets.set(key, { level, at: now, until: now + block })
    if (this.#buckets.size > MAX_BUCKETS) for (const oldest of this.#buckets.keys()) return this.#drop(oldest, block)
    return block
  }
  #drop(key: string, block: number): number {
    this.#buckets.delete(key)
    return block
  }
  clear(key: string): void {
    this.#buckets.delete(key)
  }
}

export class Throttle {
  readonly #clock: Clock
  readonly #pairs: Buckets
  readonly #addresses: Buckets
  readonly #accounts: Buckets
  readonly #trusted = new Map<string, number>()

  constructor(clock: Clock, policy: ThrottlePolicy = defaultThrottle) {
    this.#clock = clock
    this.#pairs = new Buckets(policy.pair)
    this.#addresses = new Buckets(policy.address)
    this.#accounts = new Buckets(policy.account)
  }

  /** Milliseconds until the next try is looked at; 0 is now. `who` is the account, or the login as typed when nobody has it. */
  blockedMs(who: string, remoteAddress: string): number {
    const now = this.#clock.monotonic()
    const network = networkOf(remoteAddress)
    const pair = this.#pairs.blockedMs(`${who} ${network}`, now)
    if (pair > 0 || this.#isTrusted(`${who} ${network}`, now)) return pair
    return Math.max(this.#addresses.blockedMs(network, now), this.#accounts.blockedMs(who, now))
  }
  /** A wrong password. Answers how long to wait before the next one is looked at. */
  failed(who: string, remoteAddress: string): number {
    const now = this.#clock.monotonic()
    const network = networkOf(remoteAddress)
    const pair = this.#pairs.failed(`${who} ${network}`, now)
    return Math.max(pair, this.#addresses.failed(network, now), this.#accounts.failed(who, now))
  }
  succeeded(who: string, remoteAddress: string): void {
    const key = `${who} ${networkOf(remoteAddress)}`
    this.#pairs.clear(key)
    this.#trusted.delete(key)
    this.#trusted.set(key, this.#clock.monotonic() + TRUST_MS)
    if (this.#trusted.size > MAX_BUCKETS)
      for (const oldest of this.#trusted.keys()) {
        this.#trusted.delete(oldest)
        break
      }
  }
  #isTrusted(key: string, now: number): boolean {
    return (this.#trusted.get(key) ?? 0) > now
  }
}
