import type { Socket } from 'node:net'

/** Handshakes begun in one turn of the event loop: some milliseconds of work, behind which everyone else has a turn. */
export const HANDSHAKES_PER_TURN = 8

/**
 * New TLS connections, a few a turn. When a thousand phones come back in the same second (a router restarts), the loop would do all their
 * handshakes in one go and everyone who is already there would wait; so the rest waits at the door, unread, in the order of arrival.
 */
export class Turnstile {
  #waiting: (() => void)[] = []
  #running = false

  /** Calls `begin` now or in one of the next turns, unless the socket is gone by then. */
  pass(socket: Socket, begin: () => void): void {
    const gone = (): void => {}
    socket.on('error', gone)
    this.#waiting.push(() => {
      if (socket.destroyed) return
      begin()
      socket.off('error', gone)
    })
    if (this.#running) return
    this.#running = true
    this.#turn()
  }

  #turn(): void {
    const now = this.#waiting.splice(0, HANDSHAKES_PER_TURN)
    for (const begin of now) begin()
    // One turn more, even with nobody left: what came in the same turn shares its number.
    if (now.length > 0) setImmediate(() => this.#turn())
    else this.#running = false
  }
}
