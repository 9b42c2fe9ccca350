import { networkOf } from '@postrider/store/directory'

export interface GateLimits {
  readonly total: number
  readonly perAddress: number
}

/** Counts connections, all and by client address, and says when there are enough. */
export class Gate {
  #limits: GateLimits
  #total = 0
  readonly #byAddress = new Map<string, number>()

  constructor(limits: GateLimits) {
    this.#limits = limits
  }
  get total(): number {
    return this.#total
  }
  configure(limits: GateLimits): void {
    this.#limits = limits
  }

  /** Counts one more; undefined when it is one too many, else what to call when it is gone. */
  enter(remoteAddress: string): (() => void) | undefined {
    const network = networkOf(remoteAddress)
    const here = this.#byAddress.get(network) ?? 0
    if (this.#total >= this.#limits.total || here >= this.#limits.perAddress) return undefined
    this.#total++
    this.#byAddress.set(network, here + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      this.#total--
      const now = (this.#byAddress.get(network) ?? 1) - 1
      if (now === 0) this.#byAddress.delete(network)
      else this.#byAddress.set(network, now)
    }
  }
}

/** Descriptors kept free for the databases, the queue and the log. */
const RESERVED = 256
/** Where the system names no limit. */
const DEFAULT_TOTAL = 100_000

/** Connections the system lets a process have: its limit of open files, with room for our own. `wanted` 0: all of them. */
export function connectionCeiling(wanted: number): number {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: number | string } } } | undefined
  const files = Number(report?.userLimits?.open_files?.soft)
  const allowed = Number.isFinite(files) && files > 0 ? Math.max(16, files - RESERVED) : DEFAULT_TOTAL
  return wanted === 0 ? allowed : Math.min(wanted, allowed)
}
