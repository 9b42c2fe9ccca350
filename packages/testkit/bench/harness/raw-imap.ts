import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const TAIL = 512

/** How a client connects: without TLS, or with TLS 1.3 and this group for its keys. Debian 12's OpenSSL has no X25519MLKEM768, which ours prefers. */
export type How = 'plain' | 'X25519' | 'X25519MLKEM768'

/** An IMAP client that only looks for the tagged line at the end of an answer: it must cost nothing beside the server. */
export class RawImap {
  readonly #socket: Socket
  #tail: Buffer = Buffer.alloc(0)
  #bytes = 0
  #wanted = ''
  #done: (() => void) | undefined
  #failed: ((error: Error) => void) | undefined
  #tag = 0
  /** Called with everything that comes while nobody waits for an answer. */
  heard: ((chunk: Buffer) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    const gone = (): void => this.#failed?.(new Error('the connection ended'))
    socket.on('error', gone)
    socket.on('close', gone)
  }

  static async connect(port: number, how: How): Promise<RawImap> {
    const socket =
      how === 'plain'
        ? connect({ port, host: '127.0.0.1' })
        : connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3', ecdhCurve: how })
    const imap = new RawImap(socket)
    await imap.#wait('\r\n')
    return imap
  }

  static async login(port: number, user: string, password: string, how: How = 'X25519'): Promise<RawImap> {
    const imap = await RawImap.connect(port, how)
    await imap.command(`LOGIN ${user} ${password}`)
    return imap
  }

  #take(chunk: Buffer): void {
    if (this.#done === undefined) {
      this.heard?.(chunk)
      return
    }
    this.#bytes += chunk.length
    const joined = chunk.length >= TAIL ? chunk : Buffer.concat([this.#tail, chunk])
    this.#tail = joined.subarray(Math.max(0, joined.length - TAIL))
    // A refusal ends the wait as well: it must not hang.
    const found = this.#tail.indexOf(this.#wanted)
    if (found < 0) return
    const done = this.#done
    if (this.#wanted.startsWith('T')) {
      const line = this.#tail.toString('latin1', found)
      if (!line.includes('\r\n')) return
      if (!line.startsWith(`${this.#wanted}OK`)) this.#failed?.(new Error(line))
    }
    this.#done = undefined
    this.#failed = undefined
    done()
  }

  #wait(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wanted = text
      this.#tail = Buffer.alloc(0)
      this.#done = resolve
      this.#failed = reject
    })
  }

  /** Sends a command, with more bytes behind its line, and waits for its OK. */
  async command(text: string, more?: Uint8Array): Promise<{ readonly ms: number; readonly bytes: number }> {
    const tag = `T${++this.#tag} `
    this.#bytes = 0
    const began = performance.now()
    const answer = this.#wait(tag)
    if (more === undefined) this.#socket.write(`${tag}${text}\r\n`)
    else this.#socket.write(Buffer.concat([Buffer.from(`${tag}${text}\r\n`), more]))
    await answer
    return { ms: performance.now() - began, bytes: this.#bytes }
  }

  /** A command whose last lines are wanted. */
  async ask(text: string): Promise<string> {
    await this.command(text)
    return this.#tail.toString('latin1')
  }

  /** Starts IDLE; from then on `heard` gets what comes. */
  async idle(): Promise<void> {
    const answer = this.#wait('+ ')
    this.#socket.write('I0 IDLE\r\n')
    await answer
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }
}
