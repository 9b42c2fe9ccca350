import { alone, type Logger, Tally, type Together, Turns } from '@postrider/domain'
import type { Peer } from '@postrider/link'
import type { AccessSide } from './messages.ts'

type Access = Peer<AccessSide>

interface Note {
  readonly topic: string
  readonly key: string
  readonly value: unknown
  /** ms since 1970 */
  readonly until: number
}
/** Notes kept for processes that start later; the oldest go first. */
const MAX_NOTES = 100_000
const TIDY_MS = 60_000
/** A process that does not listen keeps nobody waiting for longer. */
const HEARD_MS = 2_000
/** The locks of a process that died are kept so long: what it had sent to an owner is done by then. */
const DEAD_LOCK_MS = 250

interface Member {
  readonly peer: Access
  readonly counts: Tally
  /** Ends the turns this process has or waits for. */
  readonly turns: Map<number, (() => void) | undefined>
}

/**
 * What the processes keep in common (`Together`), on the main process's side: it counts for all, knows who has a place, keeps the order of
 * turns and the notes. What a process had ends with it.
 */
export class Shared {
  readonly #members = new Map<Access, Member>()
  /** Counts of all processes together. */
  readonly #counts = new Tally()
  readonly #places = new Map<string, { readonly peer: Access | undefined; readonly id: number; lost(): void }>()
  readonly #turns = new Turns()
  readonly #notes = new Map<string, Note>()
  readonly #readers = new Map<string, (key: string, note: unknown) => void>()
  readonly #log: Logger
  readonly #tidy: NodeJS.Timeout
  readonly #own = alone()

  constructor(log: Logger) {
    this.#log = log
    this.#tidy = setInterval(() => this.#forgetOld(), TIDY_MS)
    this.#tidy.unref()
  }

  /** The processes that are there. */
  get peers(): Access[] {
    return [...this.#members.keys()]
  }
  close(): void {
    clearInterval(this.#tidy)
  }

  /** A process has come: it hears what counts now and what was noted. */
  join(peer: Access): void {
    this.#members.set(peer, { peer, counts: new Tally(), turns: new Map() })
    for (const [key, count] of this.#counts.entries()) peer.words.count(key, count)
    this.#forgetOld()
    for (const { topic, key, value } of this.#notes.values()) peer.words.note(topic, key, value)
  }
  /** A process has gone, and all it had with it. */
  leave(peer: Access): void {
    const member = this.#members.get(peer)
    if (member === undefined) return
    this.#members.delete(peer)
    for (const [key, count] of member.counts.entries()) this.#spread(peer, key, -count)
    for (const [place, { peer: holder }] of this.#places) if (holder === peer) this.#places.delete(place)
    setTimeout(() => {
      for (const end of member.turns.values()) end?.()
    }, DEAD_LOCK_MS)
  }

  count(peer: Access, key: string, by: number): void {
    this.#members.get(peer)?.counts.add(key, by)
    this.#spread(peer, key, by)
  }
  #spread(from: Access, key: string, by: number): void {
    this.#counts.add(key, by)
    for (const peer of this.#members.keys()) if (peer !== from) peer.words.count(key, by)
  }

  /** The newest has the place; whoever had it is told. */
  claim(peer: Access, place: string, id: number): void {
    const before = this.#places.get(place)
    this.#places.delete(place)
    this.#places.set(place, { peer, id, lost: () => peer.words.lost(id) })
    before?.lost()
  }
  leavePlace(peer: Access, place: string, id: number): void {
    const holder = this.#places.get(place)
    if (holder?.peer === peer && holder.id === id) this.#places.delete(place)
  }
  vacate(place: string): void {
    const holder = this.#places.get(place)
    this.#places.delete(place)
    holder?.lost()
  }

  turn(peer: Access, name: string, id: number): Promise<void> {
    const member = this.#members.get(peer)
    member?.turns.set(id, undefined)
    return new Promise((granted) => {
      void this.#turns.run(
        name,
        () =>
          new Promise<void>((done) => {
            // It went away, or gave up, while it waited.
            if (member === undefined || !this.#members.has(peer) || !member.turns.has(id)) return done()
            member.turns.set(id, done)
            granted()
          }),
      )
    })
  }
  done(peer: Access, id: number): void {
    const turns = this.#members.get(peer)?.turns
    turns?.get(id)?.()
    turns?.delete(id)
  }

  /** Resolves when all processes but the sender have the note. */
  async post(from: Access | undefined, topic: string, key: string, value: unknown, keepMs: number): Promise<void> {
    const name = `${topic} ${key}`
    this.#notes.delete(name)
    if (value !== undefined && keepMs > 0) this.#notes.set(name, { topic, key, value, until: Date.now() + keepMs })
    for (const oldest of this.#notes.keys()) {
      if (this.#notes.size <= MAX_NOTES) break
      this.#notes.delete(oldest)
    }
    if (from !== undefined) this.#readers.get(topic)?.(key, value)
    const others = this.peers.filter((peer) => peer !== from)
    for (const peer of others) peer.words.note(topic, key, value)
    await this.heard(others)
  }

  /** Resolves when these processes have heard everything said until now; one that died or hangs is not waited for. */
  async heard(peers: readonly Access[] = this.peers): Promise<void> {
    await Promise.all(peers.map((peer) => this.#listens(peer)))
  }
  async #listens(peer: Access): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('it does not answer')), HEARD_MS)
    })
    await Promise.race([peer.calls.heard(), late]).catch((error: unknown) => {
      if (this.#members.has(peer)) this.#log.warn({ err: error }, 'a client-access process does not listen')
    })
    clearTimeout(timer)
  }

  /** The main process's own part. It takes no connections, so it counts nothing. */
  get together(): Together {
    return {
      several: true,
      enter: (...of) => this.#own.enter(...of),
      claim: (...of) => this.#own.claim(...of),
      vacate: (place) => this.vacate(place),
      exclusive: (name, work) => this.#turns.run(name, work),
      post: (topic, key, note, keepMs) => this.post(undefined, topic, key, note, keepMs),
      read: (topic, reader) => void this.#readers.set(topic, reader),
    }
  }

  #forgetOld(): void {
    const now = Date.now()
    for (const [name, { until }] of this.#notes) if (until <= now) this.#notes.delete(name)
  }
}
