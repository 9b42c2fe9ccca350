/**
 * The real program under attack, with witnesses beside the attackers. An attack passes when the witnesses were answered all the time and
 * still get their mail afterwards, when the server logged no error, when no loop stood still, and when its memory came back.
 */
import { sleep } from '../process/index.ts'
import { type ServerOptions, TestServer } from '../server/index.ts'
import { errorsOf, peakBytes, residentBytes, stallsOf, Witnesses } from './witnesses.ts'

const MB = 1024 * 1024
/** What an attack may cost while it lasts: reliability.md §II.3, memory under abuse. */
const PEAK_BYTES = 256 * MB
/** What may be left when all are over: room that the heaps of three threads took and are in no hurry to give back. */
const REST_BYTES = 384 * MB
const REST_MS = 8_000
/** A loop that stands still for longer has failed; the machine may be busy with other things, so not less. */
const STALL_MS = 1_000
/** How often the witnesses ask while an attack lasts. */
const ASK_MS = 250

export const WITNESS = { address: 'witness@example.com', password: 'witness-password' } as const
export const MALLORY = { address: 'mallory@example.com', password: 'mallory-password' } as const

export class Arena {
  readonly server: TestServer
  readonly witnesses: Witnesses
  readonly #base: number

  private constructor(server: TestServer, witnesses: Witnesses, base: number) {
    this.server = server
    this.witnesses = witnesses
    this.#base = base
  }

  /** Starts the program with two users, the witness (logged in everywhere) and {@link MALLORY}. */
  static async open(options: ServerOptions = {}): Promise<Arena> {
    const server = await TestServer.start(options)
    try {
      for (const { address, password } of [WITNESS, MALLORY]) await server.addUser(address, password)
      const witnesses = await Witnesses.open(server, WITNESS.address, WITNESS.password)
      await witnesses.useful()
      return new Arena(server, witnesses, residentBytes(server.pid))
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Runs an attack. Rejects with the attack's own error, or when somebody else felt it. */
  async attack(work: () => Promise<void>): Promise<void> {
    let over = false
    const asking = (async () => {
      while (!over) {
        await this.witnesses.alive()
        await sleep(ASK_MS)
      }
    })()
    asking.catch(() => {})
    const before = residentBytes(this.server.pid)
    const { peak } = await peakBytes(this.server.pid, work).finally(() => {
      over = true
    })
    await asking
    await this.witnesses.useful()
    this.#quiet()
    if (peak > before + PEAK_BYTES)
      throw new Error(`memory grew from ${Math.round(before / MB)} to ${Math.round(peak / MB)} MB`)
  }

  /** No error and no long stall in the log since the last look. */
  #quiet(): void {
    const news = this.server.output
    this.server.output = ''
    const errors = errorsOf(news)
    if (errors.length > 0) throw new Error(`errors in the log:\n${errors.slice(0, 10).join('\n')}`)
    const longest = Math.max(0, ...stallsOf(news))
    if (longest > STALL_MS) throw new Error(`a loop stood still for ${longest} ms`)
  }

  /** Stops everything. Rejects when the memory of the attacks did not come back. */
  async close(): Promise<void> {
    const end = performance.now() + REST_MS
    try {
      let now = residentBytes(this.server.pid)
      while (now > this.#base + REST_BYTES && performance.now() < end) {
        await sleep(250)
        now = residentBytes(this.server.pid)
      }
      if (now > this.#base + REST_BYTES)
        throw new Error(`memory stays at ${Math.round(now / MB)} MB, ${Math.round(this.#base / MB)} before`)
    } finally {
      this.witnesses.close()
      await this.server[Symbol.asyncDispose]()
    }
  }
}
