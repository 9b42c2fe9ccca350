import type { Onlooker, Together, TraceLine, Traces } from '@postrider/domain'

/** Topic of the addresses that are traced. */
export const TRACES = 'traces'

/** Traces as a client-access process sees them: whose, and where their lines go. */
export class RemoteTraces implements Traces {
  readonly #traced = new Set<string>()
  readonly #tell: (address: string, line: TraceLine) => void

  constructor(together: Together, tell: (address: string, line: TraceLine) => void) {
    this.#tell = tell
    together.read(TRACES, (address, isOn) => {
      if (isOn === true) this.#traced.add(address)
      else this.#traced.delete(address)
    })
  }
  get active(): boolean {
    return this.#traced.size > 0
  }
  of(address: string): Onlooker | undefined {
    if (!this.#traced.has(address)) return undefined
    return (line) => {
      if (this.#traced.has(address)) this.#tell(address, line)
    }
  }
}
