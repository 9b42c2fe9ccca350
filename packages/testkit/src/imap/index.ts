/**
 * A plain IMAP client for tests: sends what it is told, keeps every line it gets, knows nothing. Literals are put back into their line.
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface ImapAnswer {
  readonly status: 'OK' | 'NO' | 'BAD'
  readonly text: string
  /** Untagged answers since the command, each with its literals in place. */
  readonly untagged: readonly string[]
}

export class ImapClient {
  readonly #socket: Socket
  #buffer: Buffer = Buffer.alloc(0)
  #line = ''
  /** Where in `#line` the last literal ended: what looks like a marker before that is content. */
  #literalEnd = 0
  readonly #lines: string[] = []
  #waiting: (() => void) | undefined
  #closed = false
  #tag = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
      this.#split()
      this.#wake()
    })
    const closed = (): void => {
      this.#closed = true
      this.#wake()
    }
    socket.on('close', closed)
    socket.on('error', closed)
  }

  /** Our end's port: tells connections of one machine apart. */
  get localPort(): number {
    return this.#socket.localPort ?? 0
  }

  /** Connects and reads the greeting. */
  static async connect(port: number, options: { tls: boolean } = { tls: true }): Promise<ImapClient> {
    const socket = options.tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : connectPlain({ port, host: '127.0.0.1' })
    const client = new ImapClient(socket)
    const greeting = await client.next(10_000)
    if (!greeting.startsWith('* OK')) throw new Error(`greeting: ${greeting}`)
    return client
  }

  static async login(port: number, user: string, password: string): Promise<ImapClient> {
    const client = await ImapClient.connect(port)
    const answer = await client.command(`LOGIN "${user}" "${password}"`)
    if (answer.status === 'OK') return client
    client.close()
    throw new Error(`login: ${answer.text}`)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  /** The length a literal at the end of what was read so far announces. */
  #marker(): number | undefined {
    const literal = /\{(\d+)\}$/.exec(this.#line.slice(this.#literalEnd))
    return literal === null ? undefined : Number(literal[1])
  }

  #split(): void {
    for (;;) {
      const literal = this.#marker()
      if (literal !== undefined) {
        if (this.#buffer.length < literal) return
        this.#line += `\r\n${this.#buffer.toString('latin1', 0, literal)}`
        this.#buffer = this.#buffer.subarray(literal)
        this.#literalEnd = this.#line.length
      }
      const end = this.#buffer.indexOf('\r\n')
      if (end < 0) return
      this.#line += this.#buffer.toString('latin1', 0, end)
      this.#buffer = this.#buffer.subarray(end + 2)
      if (this.#marker() !== undefined) continue
      this.#lines.push(this.#line)
      this.#line = ''
      this.#literalEnd = 0
    }
  }

  /** The next line from the server. Rejects after `timeoutMs` or when the connection is gone. */
  async next(timeoutMs = 20_000): Promise<string> {
    const end = performance.now() + timeoutMs
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) return line
      if (this.#closed) throw new Error('connection closed')
      const left = end - performance.now()
      if (left <= 0) throw new Error(`no line within ${timeoutMs} ms`)
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, left)
      this.#waiting = resolve
      await promise
      clearTimeout(timer)
    }
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Sends a command and waits for its tagged answer; `literal` is sent after the continuation. */
  async command(text: string, literal?: string | Uint8Array, timeoutMs = 20_000): Promise<ImapAnswer> {
    const tag = `t${++this.#tag}`
    this.send(`${tag} ${text}\r\n`)
    const untagged: string[] = []
    for (;;) {
      const line = await this.next(timeoutMs)
      if (line.startsWith('+') && literal !== undefined) {
        this.send(literal)
        this.send('\r\n')
      } else if (line.startsWith(`${tag} `)) {
        const [, status = '', ...rest] = line.split(' ')
        return { status: status as ImapAnswer['status'], text: rest.join(' '), untagged }
      } else untagged.push(line)
    }
  }

  /** APPEND with a synchronising literal. */
  append(folder: string, message: string | Uint8Array, flags = ''): Promise<ImapAnswer> {
    const bytes = typeof message === 'string' ? Buffer.from(message, 'latin1') : message
    return this.command(`APPEND "${folder}" ${flags === '' ? '' : `(${flags}) `}{${bytes.length}}`, bytes)
  }

  /** Starts IDLE; the returned function waits for a line that matches, `stop` ends it. */
  async idle(): Promise<{ wait(pattern: RegExp, timeoutMs?: number): Promise<string>; stop(): Promise<void> }> {
    const tag = `t${++this.#tag}`
    this.send(`${tag} IDLE\r\n`)
    for (;;) if ((await this.next()).startsWith('+')) break
    return {
      wait: async (pattern, timeoutMs = 20_000) => {
        const end = performance.now() + timeoutMs
        for (;;) {
          const line = await this.next(Math.max(1, end - performance.now()))
          if (pattern.test(line)) return line
        }
      },
      stop: async () => {
        this.send('DONE\r\n')
        for (;;) if ((await this.next()).startsWith(`${tag} `)) return
      },
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}
