/** Chance that can be repeated: the same seed, the same year. Mulberry32; good enough for stories, never for secrets. */
export class Chance {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  /** 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
  happens(share: number): boolean {
    return this.next() < share
  }
  /** One that depends on nothing but the seed and the name: a mail is the same whatever is asked before it. */
  static of(seed: number, name: string): Chance {
    let hash = 2_166_136_261 ^ seed
    for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619)
    return new Chance(hash)
  }
}
