/** It is time to end. */
export class Stopped extends Error {}

/** With more calls a second than this the store has other things to do. */
const BUSY_CALLS = 200
const BUSY_LOOK_MS = 1_000

/** How fast somebody may read beside the store's work: bytes a second, and not at all while the store is busy. */
export class Pace {
  /** Bytes a second; 0: not at all. */
  #rate: number
  /** One number: calls the store has answered. */
  readonly #calls: Int32Array
  #before: number
  #looked = performance.now()
  #owed = 0
  #wake: () => void = () => {}
  #stopped = false

  constructor(rate: number, calls: Int32Array) {
    this.#rate = rate
    this.#calls = calls
    this.#before = Atomics.load(calls, 0)
  }

  set rate(rate: number) {
    this.#rate = rate
    this.#wake()
  }

  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  /** Resolves when there is a rate at all. Rejects with `Stopped`. */
  async on(): Promise<void> {
    while (this.#rate <= 0 && !this.#stopped) await this.#nap(undefined)
    if (this.#stopped) throw new Stopped()
  }

  /** Resolves when what was read is paid for, and the store is not busy. Rejects with `Stopped`. */
  async of(bytes: number): Promise<void> {
    this.#owed += bytes
    await this.on()
    const ms = (this.#owed / this.#rate) * 1_000
    // A timer for every small read would cost more than the read.
    if (ms >= 20) {
      this.#owed = 0
      await this.#nap(ms)
    }
    while (this.#busy() && !this.#stopped) await this.#nap(BUSY_LOOK_MS)
    await this.on()
  }

  async sleep(ms: number): Promise<void> {
    if (!this.#stopped) await this.#nap(ms)
    if (this.#stopped) throw new Stopped()
  }

  #busy(): boolean {
    const seconds = (performance.now() - this.#looked) / 1_000
    if (seconds < 0.5) return false
    const now = Atomics.load(this.#calls, 0)
    const rate = (now - this.#before) / seconds
    this.#before = now
    this.#looked = performance.now()
    return rate > BUSY_CALLS
  }

  #nap(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
