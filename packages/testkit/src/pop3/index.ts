/** A plain POP3 client for tests: one command after the other, answers whole. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export class Pop3Client {
  readonly #socket: TLSSocket
  #text = ''

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      socket.emit('text')
    })
  }

  static async login(port: number, user: string, password: string): Promise<Pop3Client> {
    const client = new Pop3Client(connect({ port, host: '127.0.0.1', rejectUnauthorized: false }))
    await client.#until(/\r\n/)
    await client.command(`USER ${user}`)
    const answer = await client.command(`PASS ${password}`)
    if (!answer.startsWith('+OK')) throw new Error(`login: ${answer}`)
    return client
  }

  async #until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#text)
      if (found !== null) {
        const answer = this.#text.slice(0, found.index)
        this.#text = this.#text.slice(found.index + found[0].length)
        return answer
      }
      await once(this.#socket, 'text', { signal: AbortSignal.timeout(20_000) })
    }
  }

  /** A command with a single line as answer. */
  command(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`)
    return this.#until(/\r\n/)
  }

  /** A command with a multi-line answer: the lines behind the first, dots unstuffed. Rejects on -ERR. */
  async lines(line: string): Promise<string[]> {
    const first = await this.command(line)
    if (!first.startsWith('+OK')) throw new Error(first)
    const text = this.#text.startsWith('.\r\n') ? await this.#until(/^\.\r\n/) : await this.#until(/\r\n\.\r\n/)
    return text === '' ? [] : text.split('\r\n').map((one) => (one.startsWith('.') ? one.slice(1) : one))
  }

  async quit(): Promise<void> {
    await this.command('QUIT')
    this.#socket.destroy()
  }
}
