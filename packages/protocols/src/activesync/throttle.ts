/** Back-pressure per device: requests at work at once, and requests a minute (loops of broken clients). In memory only. */
import type { Clock } from '@postrider/domain'

const windowMs = 60_000
/** Devices remembered; beyond it the counts start over, which only forgives. */
const maxDevices = 100_000

interface Count {
  active: number
  started: number
  requests: number
}

export interface ThrottleLimits {
  readonly maxConcurrency: number
  /** 0 is no limit. */
  readonly requestsPerMinute: number
}

export class Throttle {
  readonly #clock: Clock
  readonly #limits: ThrottleLimits
  readonly #counts = new Map<string, Count>()

  constructor(clock: Clock, limits: ThrottleLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** A way in for one request, to be called when it is done; or the seconds to wait. `often`: too many a minute, not at once. */
  enter(
    device: string,
  ): { readonly leave: () => void } | { readonly retryAfterSeconds: number; readonly often: boolean } {
    const now = this.#clock.monotonic()
    let count = this.#counts.get(device)
    if (count === undefined) {
      if (this.#counts.size >= maxDevices) this.#prune(now)
      count = { active: 0, started: now, requests: 0 }
      this.#counts.set(device, count)
    }
    if (now - count.started >= windowMs) {
      count.started = now
      count.requests = 0
    }
    count.requests++
    const { maxConcurrency, requestsPerMinute } = this.#limits
    if (requestsPerMinute > 0 && count.requests > requestsPerMinute) {
      const left = Math.ceil((windowMs - (now - count.started)) / 1000)
      return { retryAfterSeconds: Math.max(1, left), often: true }
    }
    if (count.active >= maxConcurrency) return { retryAfterSeconds: 2, often: false }
    count.active++
    const entered = count
    let left = false
    return {
      leave: () => {
        if (left) return
        left = true
        entered.active--
      },
    }
  }

  #prune(now: number): void {
    for (const [device, count] of this.#counts) {
      if (count.active === 0 && now - count.started >= windowMs) this.#counts.delete(device)
    }
    if (this.#counts.size >= maxDevices) this.#counts.clear()
  }
}
