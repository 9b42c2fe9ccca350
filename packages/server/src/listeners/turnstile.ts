import type { Socket } from 'node:net'

/** Handshakes begun in one turn of the event loop: some milliseconds of work, behind which everyone else has a turn. */
export const HANDSHAKES_PER_TURN = 8
/** Requests begun in one turn. */
export const REQUESTS_PER_TURN = 32

/**
 * Lets a few pass in each turn of the event loop, in the order of arrival; nobody waits while there is no crowd. When a thousand phones come
 * back in the same second (a router restarts), the loop would otherwise do all their handshakes and Pings in one go, and everyone who is
 * already there would stand still meanwhile.
 */
export class Turnstile {
  readonly #perTurn: number
  readonly #waiting: (() => void)[] = []
  #passed = 0

  constructor(perTurn: number) {
    this.#perTurn = perTurn
  }

  /** Calls `begin` at once, or in one of the next turns. */
  pass(begin: () => void): void {
    if (this.#passed === 0) setImmediate(() => this.#turn())
    if (this.#passed < this.#perTurn) {
      this.#passed++
      begin()
    } else this.#waiting.push(begin)
  }

  /** The same for a new socket: it is left unread while it waits, and forgotten when it goes away. */
  passSocket(socket: Socket, begin: () => void): void {
    const gone = (): void => {}
    socket.on('error', gone)
    this.pass(() => {
      if (socket.destroyed) return
      begin()
      socket.off('error', gone)
    })
  }

  #turn(): void {
    const now = this.#waiting.splice(0, this.#perTurn)
    this.#passed = now.length
    if (now.length > 0) setImmediate(() => this.#turn())
    for (const begin of now) begin()
  }
}
