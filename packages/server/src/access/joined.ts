import { Tally, type Together } from '@postrider/domain'
import type { Peer } from '@postrider/link'
import type { HubSide } from './messages.ts'

/** What the processes keep in common (`Together`), on the side of a client-access process. */
export class JoinedTogether implements Together {
  readonly several = true
  readonly #hub: Peer<HubSide>
  /** Of all processes, this one too. */
  readonly #counts = new Tally()
  readonly #places = new Map<number, { readonly place: string; readonly lost: () => void }>()
  readonly #readers = new Map<string, (key: string, note: unknown) => void>()
  /** What came before its reader. */
  #early: { readonly topic: string; readonly key: string; readonly note: unknown }[] = []
  #lastId = 0

  constructor(hub: Peer<HubSide>) {
    this.#hub = hub
  }

  enter(list: string, key: string, limit: number): (() => void) | undefined {
    const name = `${list} ${key}`
    if (this.#counts.of(name) >= limit) return undefined
    const count = (by: number): void => {
      this.#counts.add(name, by)
      this.#hub.words.count(name, by)
    }
    count(1)
    let left = false
    return () => {
      if (!left) count(-1)
      left = true
    }
  }
  claim(place: string, lost: () => void): () => void {
    const id = ++this.#lastId
    this.#places.set(id, { place, lost })
    this.#hub.words.claim(place, id)
    return () => {
      if (this.#places.delete(id)) this.#hub.words.leave(place, id)
    }
  }
  vacate(place: string): void {
    this.#hub.words.vacate(place)
  }
  async exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    const id = ++this.#lastId
    try {
      await this.#hub.calls.turn(name, id)
      return await work()
    } finally {
      this.#hub.words.done(id)
    }
  }
  post(topic: string, key: string, note: unknown, keepMs: number): Promise<void> {
    return this.#hub.calls.post(topic, key, note, keepMs)
  }
  read(topic: string, reader: (key: string, note: unknown) => void): void {
    this.#readers.set(topic, reader)
    const mine = this.#early.filter((one) => one.topic === topic)
    this.#early = this.#early.filter((one) => one.topic !== topic)
    for (const { key, note } of mine) reader(key, note)
  }

  // What the main process says.
  counted(key: string, by: number): void {
    this.#counts.add(key, by)
  }
  lost(id: number): void {
    const held = this.#places.get(id)
    this.#places.delete(id)
    held?.lost()
  }
  noted(topic: string, key: string, note: unknown): void {
    const reader = this.#readers.get(topic)
    if (reader === undefined) this.#early.push({ topic, key, note })
    else reader(key, note)
  }
}
