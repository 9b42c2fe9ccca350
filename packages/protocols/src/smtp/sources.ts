/** How many connections there are, in all and from each address: Exchange's MaxInboundConnection and …PerSource. */
import { isListed, type ReceiveConnector } from './connector.ts'

export class Sources {
  readonly #perSource = new Map<string, number>()
  #total = 0

  /** Counts a connection in; false, and nothing counted, when there are too many. */
  enter(address: string, connector: ReceiveConnector): boolean {
    if (this.#total >= connector.maxInboundConnection) return false
    const here = this.#perSource.get(address) ?? 0
    if (here >= connector.maxInboundConnectionPerSource && !isListed(address, connector.perSourceExempt)) return false
    this.#perSource.set(address, here + 1)
    this.#total++
    return true
  }

  /** Counts it out again. */
  leave(address: string): void {
    const here = this.#perSource.get(address) ?? 0
    if (here <= 1) this.#perSource.delete(address)
    else this.#perSource.set(address, here - 1)
    this.#total--
  }

  get total(): number {
    return this.#total
  }
}
