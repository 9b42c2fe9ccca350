/**
 * A plain SMTP client for tests and loads: one connection, lines as given, replies as they come. Nothing is interpreted but the code.
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export class SmtpClient {
  #socket: Socket
  #text = ''
  readonly #replies: string[] = []
  #waiting: (() => void) | undefined
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      for (;;) {
        // A reply ends with the line whose code is followed by a space.
        const end = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#text)
        if (end === null) break
        this.#replies.push(end[0].trimEnd())
        this.#text = this.#text.slice(end[0].length)
      }
      this.#wake()
    })
    const closed = (): void => {
      if (this.#socket !== socket) return
      this.#closed = true
      this.#wake()
    }
    socket.on('close', closed)
    socket.on('error', closed)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  /** Our end's port: tells connections of one machine apart. */
  get localPort(): number {
    return this.#socket.localPort ?? 0
  }

  /** Connects, reads the greeting, says EHLO. */
  static async connect(port: number, options: { tls?: boolean; host?: string } = {}): Promise<SmtpClient> {
    const host = options.host ?? '127.0.0.1'
    const client = new SmtpClient(
      options.tls ? connectTls({ port, host, rejectUnauthorized: false }) : connectPlain({ port, host, noDelay: true }),
    )
    await client.expect(220)
    await client.command('EHLO client.example', 250)
    return client
  }

  async startTls(): Promise<void> {
    await this.command('STARTTLS', 220)
    const plain = this.#socket
    plain.removeAllListeners('data')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#socket = connectTls({ socket: plain, rejectUnauthorized: false }, resolve)
    this.#socket.once('error', reject)
    await promise
    this.#listen()
    await this.command('EHLO client.example', 250)
  }

  login(user: string, password: string): Promise<string> {
    return this.command(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`, 235)
  }

  /** The next reply, whole. Rejects when the connection ends or after 60 s. */
  async reply(): Promise<string> {
    const end = performance.now() + 60_000
    for (;;) {
      const reply = this.#replies.shift()
      if (reply !== undefined) return reply
      if (this.#closed) throw new Error('connection closed')
      if (performance.now() > end) throw new Error('no reply')
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, 60_000)
      this.#waiting = resolve
      await promise
      clearTimeout(timer)
    }
  }

  async expect(code: number): Promise<string> {
    const reply = await this.reply()
    if (!reply.startsWith(String(code))) throw new Error(`wanted ${code}: ${reply}`)
    return reply
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  async command(line: string, code: number): Promise<string> {
    this.send(`${line}\r\n`)
    return this.expect(code)
  }

  /** One pipelined transaction; resolves with the final 250. `message` is dot-stuffed by the caller if it needs it. */
  async deliver(from: string, to: string, message: string): Promise<string> {
    this.send(`MAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\n`)
    await this.expect(250)
    await this.expect(250)
    await this.expect(354)
    this.send(`${message}${message.endsWith('\r\n') ? '' : '\r\n'}.\r\n`)
    return this.expect(250)
  }

  close(): void {
    this.#socket.destroy()
  }
}
