import { createHmac, randomBytes } from 'node:crypto'
import { alone, type Clock, type Together } from '@postrider/domain'
import { sameText } from '../request.ts'

/**
 * Challenges that keep nothing until they are used: each says when it ends and is sealed for the purpose and the session it was given to, so
 * nobody can fill the memory by asking. What was used is remembered until it would have ended: each is good once.
 */

export const CHALLENGE_MS = 5 * 60_000
const MAX_USED = 10_000
const USED = 'web challenge used'

export class Challenges {
  readonly #secret: Uint8Array
  readonly #clock: Clock
  readonly #together: Together
  readonly #used = new Map<string, number>()

  constructor({ secret, clock, together = alone() }: { secret: Uint8Array; clock: Clock; together?: Together }) {
    this.#secret = secret
    this.#clock = clock
    this.#together = together
    together.read(USED, (challenge, end) => {
      if (end !== undefined) this.#note(challenge, end as number)
    })
  }

  /** base64url, 38 bytes. `bound`: the session it is good for. */
  make(purpose: string, bound: string): string {
    const open = Buffer.concat([randomBytes(16), Buffer.alloc(6)])
    open.writeUIntBE(this.#clock.now() + CHALLENGE_MS, 16, 6)
    return Buffer.concat([open, this.#seal(open, purpose, bound)]).toString('base64url')
  }

  /** Whether it was made here for this purpose and session, is in time and was not used. */
  holds(challenge: string, purpose: string, bound: string): boolean {
    const bytes = Buffer.from(challenge, 'base64url')
    if (bytes.length !== 38 || bytes.toString('base64url') !== challenge || this.#used.has(challenge)) return false
    const open = bytes.subarray(0, 22)
    const sealed = this.#seal(open, purpose, bound).toString('base64url')
    return sameText(bytes.subarray(22).toString('base64url'), sealed) && open.readUIntBE(16, 6) > this.#clock.now()
  }

  /** It is good no more, in no process; false when another use was quicker. */
  async use(challenge: string): Promise<boolean> {
    if (this.#used.has(challenge)) return false
    const end = this.#clock.now() + CHALLENGE_MS
    this.#note(challenge, end)
    await this.#together.post(USED, challenge, end, CHALLENGE_MS)
    return true
  }

  #note(challenge: string, end: number): void {
    const now = this.#clock.now()
    this.#used.set(challenge, end)
    // In the order of their ends.
    for (const [one, until] of this.#used) {
      if (until > now && this.#used.size <= MAX_USED) break
      this.#used.delete(one)
    }
  }
  #seal(open: Uint8Array, purpose: string, bound: string): Buffer {
    return createHmac('sha256', this.#secret)
      .update(`web challenge ${purpose}\0${bound}\0`)
      .update(open)
      .digest()
      .subarray(0, 16)
  }
}
