/** A socket that says what it is told, byte for byte, and keeps what it hears. No protocol is understood here. */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface RawOptions {
  readonly tls?: boolean
  /** Another address of the loopback network: somebody else, to the server. */
  readonly from?: string
}

/** What is kept of an endless answer. */
const KEEP = 1024 * 1024

export class Raw {
  #socket: Socket
  #text = ''
  #closed = false
  #wake: () => void = () => {}
  /** Everything that came, also what was read by `until`. */
  received = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length
      this.#text = (this.#text + chunk.toString('latin1')).slice(-KEEP)
      this.#wake()
    })
    const closed = (): void => {
      if (this.#socket !== socket) return
      this.#closed = true
      this.#wake()
    }
    socket.on('close', closed)
    socket.on('end', closed)
    socket.on('error', closed)
  }

  /** Connects; with TLS the handshake is done when it resolves. Rejects when there is nobody. */
  static async connect(port: number, options: RawOptions = {}): Promise<Raw> {
    const at = {
      port,
      host: '127.0.0.1',
      noDelay: true,
      ...(options.from === undefined ? {} : { localAddress: options.from }),
    }
    const socket = options.tls ? connectTls({ ...at, rejectUnauthorized: false }) : connectPlain(at)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once(options.tls ? 'secureConnect' : 'connect', () => resolve())
    socket.once('error', reject)
    await promise
    socket.off('error', reject)
    return new Raw(socket)
  }

  /** What came and was not read by `until` yet. */
  get text(): string {
    return this.#text
  }
  get closed(): boolean {
    return this.#closed
  }

  /** Writes; false when the peer takes no more at the moment. Writing to a peer that is gone does nothing. */
  send(bytes: string | Uint8Array): boolean {
    if (this.#closed || !this.#socket.writable) return false
    return this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Sends a block again and again, as fast as it is taken, until so many bytes went or the peer closed. Answers the bytes. */
  async flood(block: string | Uint8Array, bytes: number, timeoutMs = 20_000): Promise<number> {
    const end = performance.now() + timeoutMs
    let sent = 0
    while (sent < bytes && !this.#closed && performance.now() < end) {
      if (!this.send(block)) await this.#drained(Math.max(1, end - performance.now()))
      sent += block.length
    }
    return sent
  }
  #drained(ms: number): Promise<void> {
    const socket = this.#socket
    if (this.#closed || !socket.writable || !socket.writableNeedDrain) return new Promise((done) => setImmediate(done))
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    const done = (): void => {
      clearTimeout(timer)
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.once('drain', done).once('close', done)
    return promise
  }

  /** Waits for a pattern; answers what stood before it and the match, and takes it out of `text`. */
  async until(pattern: RegExp, timeoutMs = 10_000): Promise<string> {
    const end = performance.now() + timeoutMs
    for (;;) {
      const found = pattern.exec(this.#text)
      if (found !== null) {
        const to = found.index + found[0].length
        const before = this.#text.slice(0, to)
        this.#text = this.#text.slice(to)
        return before
      }
      if (this.#closed) throw new Error(`closed before ${pattern}: ${JSON.stringify(this.#text.slice(-300))}`)
      await this.#news(
        end,
        () => `not within ${timeoutMs} ms: ${pattern}, got ${JSON.stringify(this.#text.slice(-300))}`,
      )
    }
  }

  /** Sends and waits for a pattern. */
  ask(bytes: string | Uint8Array, pattern: RegExp, timeoutMs?: number): Promise<string> {
    this.send(bytes)
    return this.until(pattern, timeoutMs)
  }

  /** Waits until the peer has closed. */
  async ended(timeoutMs = 10_000): Promise<void> {
    const end = performance.now() + timeoutMs
    while (!this.#closed) await this.#news(end, () => `still open after ${timeoutMs} ms: ${this.#text.slice(-300)}`)
  }

  /** The peer closed, or said something that fits. Answers which. */
  async endedOr(pattern: RegExp, timeoutMs = 10_000): Promise<'closed' | 'answered'> {
    const end = performance.now() + timeoutMs
    for (;;) {
      if (pattern.test(this.#text)) return 'answered'
      if (this.#closed) return 'closed'
      await this.#news(end, () => `neither closed nor ${pattern}: ${JSON.stringify(this.#text.slice(-300))}`)
    }
  }

  async #news(end: number, late: () => string): Promise<void> {
    const left = end - performance.now()
    if (left <= 0) throw new Error(late())
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, left)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
    this.#wake = () => {}
  }

  /** TLS over what is there; forgets what was read before. */
  async startTls(): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners('data')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#socket = connectTls({ socket: plain, rejectUnauthorized: false }, resolve)
    this.#socket.once('error', reject)
    this.#socket.once('close', () => reject(new Error('closed in the handshake')))
    await promise
    this.#text = ''
    this.#listen()
  }

  /** Reads nothing more: the peer's window fills. */
  pause(): void {
    this.#socket.pause()
  }
  end(): void {
    this.#socket.end()
  }
  destroy(): void {
    this.#socket.destroy()
  }
  [Symbol.dispose](): void {
    this.destroy()
  }
}
