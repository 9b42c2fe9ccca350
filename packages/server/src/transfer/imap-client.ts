import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { compose, type Phrase, phraseOf, verbatim } from '@postrider/domain'
import { MAX_MAIL_BYTES, TransferError } from './types.ts'

/** A parsed value of an answer: atoms, numbers and strings as text, literals as bytes, NIL as null, lists as lists. */
export type ImapValue = string | Buffer | null | readonly ImapValue[]

export interface ImapServer {
  readonly host: string
  readonly port: number
  /** `tls` from the first byte; `starttls`; `none` only when asked for. */
  readonly security: 'tls' | 'starttls' | 'none'
  readonly user: string
  readonly password: string
  /** Undefined: the system's certificate authorities. */
  readonly ca?: string | undefined
  readonly insecure?: boolean | undefined
}

/** The connection broke or the server says BYE: nothing more comes from this source. */
export class ImapGone extends TransferError {
  /** Read by the importer: no mail is to blame. */
  readonly fatal = true
}
/** The server said NO or BAD. */
export class ImapRefusal extends TransferError {}

const MAX_LINE = 16 * 1024 * 1024
const MAX_NESTING = 64
const SILENCE_MS = 300_000

interface Answer {
  /** The line with the literals' places marked by their `{n}`. */
  readonly pieces: readonly (string | Buffer)[]
}

/** Takes bytes, gives whole answers: a line, or several with literals between them. */
class AnswerReader {
  #buffer: Buffer = Buffer.alloc(0)
  #scanned = 0
  #pieces: (string | Buffer)[] = []
  #literal: { bytes: Buffer; got: number } | undefined;

  *push(chunk: Buffer): Generator<Answer> {
    let rest = chunk
    for (;;) {
      if (this.#literal !== undefined) {
        const { bytes, got } = this.#literal
        const taken = rest.copy(bytes, got)
        this.#literal.got += taken
        rest = rest.subarray(taken)
        if (this.#literal.got < bytes.length) return
        this.#pieces.push(bytes)
        this.#literal = undefined
      }
      this.#buffer = this.#buffer.length === 0 ? rest : Buffer.concat([this.#buffer, rest])
      rest = Buffer.alloc(0)
      const end = this.#buffer.indexOf('\r\n', Math.max(0, this.#scanned - 1))
      if (end === -1) {
        this.#scanned = this.#buffer.length
        if (this.#scanned > MAX_LINE)
          throw new ImapGone({ en: 'the server sends a line without end', fr: 'le serveur envoie une ligne sans fin' })
        return
      }
      const line = this.#buffer.toString('latin1', 0, end)
      rest = this.#buffer.subarray(end + 2)
      this.#buffer = Buffer.alloc(0)
      this.#scanned = 0
      this.#pieces.push(line)
      const length = Number(/\{(\d{1,10})\+?\}$/.exec(line)?.[1] ?? -1)
      if (length < 0) {
        yield { pieces: this.#pieces }
        this.#pieces = []
        continue
      }
      // What is larger was not asked for.
      if (length > MAX_MAIL_BYTES * 2)
        throw new ImapGone({
          en: `the server sends a literal of ${length} bytes`,
          fr: `le serveur envoie un littéral de ${length} octets`,
        })
      this.#literal = { bytes: Buffer.alloc(length), got: 0 }
    }
  }
}

/** Reads an answer's values. Throws ImapGone for what is no IMAP. */
function parse(answer: Answer): readonly ImapValue[] {
  const { pieces } = answer
  let piece = 0
  let at = 0
  const line = (): string => pieces[piece] as string
  const list = (depth: number): ImapValue[] => {
    if (depth > MAX_NESTING)
      throw new ImapGone({ en: 'the server nests too deep', fr: 'les réponses du serveur sont trop imbriquées' })
    const values: ImapValue[] = []
    for (;;) {
      const text = line()
      while (text[at] === ' ') at++
      const c = text[at]
      if (c === undefined || c === ')') {
        at++
        return values
      }
      if (c === '(') {
        at++
        values.push(list(depth + 1))
      } else if (c === '"') {
        let value = ''
        for (at++; at < text.length && text[at] !== '"'; at++) {
          if (text[at] === '\\') at++
          value += text[at] ?? ''
        }
        at++
        values.push(value)
      } else if (c === '{' && piece + 1 < pieces.length) {
        values.push(pieces[piece + 1] as Buffer)
        piece += 2
        at = 0
        if (piece >= pieces.length) return values
      } else {
        const atom = /^(?:[^ ()[\]"]|\[[^\]]*\])+/.exec(text.slice(at, at + 4_096))?.[0] ?? text[at] ?? ''
        at += Math.max(1, atom.length)
        values.push(atom.toUpperCase() === 'NIL' ? null : atom)
      }
    }
  }
  return list(0)
}

export const textOfValue = (value: ImapValue | undefined): string =>
  typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('latin1') : ''

/** `"…"` with what must be escaped; undefined for a text that cannot stand in quotes. */
const quoted = (text: string): string | undefined =>
  /^[\x20-\x7e]*$/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : undefined

export type Untagged = (values: readonly ImapValue[], line: string) => void

/** A client of another server: one command at a time, answers handed over as they come. */
export class ImapSourceClient {
  #socket: Socket
  #reader = new AnswerReader()
  #tag = 0
  #handler: ((line: string, answer: Answer) => void) | undefined
  #gone: ImapGone | undefined
  #fail: ((error: Error) => void) | undefined
  #capabilities = new Set<string>()
  readonly #server: ImapServer

  private constructor(socket: Socket, server: ImapServer) {
    this.#server = server
    this.#socket = socket
    this.#listen(socket)
  }

  #listen(socket: Socket): void {
    socket.setTimeout(SILENCE_MS, () =>
      this.#lost({ en: 'the server does not answer', fr: 'le serveur ne répond pas' }),
    )
    socket.on('error', (error) => this.#lost(verbatim(error.message)))
    socket.on('close', () =>
      this.#lost({ en: 'the server closed the connection', fr: 'le serveur a fermé la connexion' }),
    )
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const answer of this.#reader.push(chunk)) this.#handler?.(String(answer.pieces[0]), answer)
      } catch (error) {
        this.#lost(phraseOf(error))
      }
    })
  }
  #lost(reason: Phrase): void {
    if (this.#gone !== undefined) return
    this.#gone = new ImapGone(compose((say) => `${this.#server.host}: ${say(reason)}`))
    this.#socket.destroy()
    this.#fail?.(this.#gone)
  }

  /** Connects, makes it secure and logs in. Rejects with TransferError. */
  static async open(server: ImapServer): Promise<ImapSourceClient> {
    const { host, port, security } = server
    const tls = {
      ca: server.ca,
      rejectUnauthorized: server.insecure !== true,
      servername: /^[\d.:]+$/.test(host) ? '' : host,
    }
    const socket = security === 'tls' ? connectTls({ host, port, ...tls }) : connectPlain({ host, port })
    const client = new ImapSourceClient(socket, server)
    try {
      const greeting = await client.#greeting()
      if (!/^\* (OK|PREAUTH)/i.test(greeting)) throw new ImapGone(verbatim(`${host}: ${greeting}`))
      if (security === 'starttls') {
        await client.command('STARTTLS')
        await client.#secure(tls)
      }
      await client.command('CAPABILITY')
      if (!/^\* PREAUTH/i.test(greeting)) await client.#login()
      await client.command('CAPABILITY')
      return client
    } catch (error) {
      client.close()
      throw error
    }
  }

  #greeting(): Promise<string> {
    return this.#wait<string>((line, _answer, done) => done(line))
  }

  async #secure(tls: { ca: string | undefined; rejectUnauthorized: boolean; servername: string }): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners()
    plain.setTimeout(0)
    // What came before the handshake is not trusted: RFC 3501 §6.2.1.
    this.#reader = new AnswerReader()
    const socket = connectTls({ socket: plain, ...tls })
    this.#socket = socket
    this.#listen(socket)
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject
      socket.once('secureConnect', () => resolve())
      if (this.#gone !== undefined) reject(this.#gone)
    })
  }

  async #login(): Promise<void> {
    const { user, password } = this.#server
    const refuse = (error: unknown): never => {
      if (error instanceof ImapRefusal)
        throw new TransferError({
          en: `${this.#server.host} refuses the login of ${user}: ${error.message}`,
          fr: `${this.#server.host} refuse la connexion de ${user} : ${error.message}`,
        })
      throw error
    }
    if (this.can('AUTH=PLAIN')) {
      const secret = Buffer.from(`\0${user}\0${password}`).toString('base64')
      await this.command('AUTHENTICATE PLAIN', undefined, secret).catch(refuse)
      return
    }
    const [name, word] = [quoted(user), quoted(password)]
    if (name === undefined || word === undefined)
      throw new TransferError({
        en: 'This server takes logins in ASCII only: name or password hold other characters.',
        fr: 'Ce serveur n’accepte que des identifiants en ASCII : le nom ou le mot de passe contient d’autres caractères.',
      })
    await this.command(`LOGIN ${name} ${word}`).catch(refuse)
  }

  can(capability: string): boolean {
    return this.#capabilities.has(capability)
  }

  #wait<T>(
    take: (line: string, answer: Answer, done: (value: T) => void, fail: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#gone !== undefined) return reject(this.#gone)
      const end = (): void => {
        this.#handler = undefined
        this.#fail = undefined
      }
      const done = (value: T): void => {
        end()
        resolve(value)
      }
      const fail = (error: Error): void => {
        end()
        reject(error)
      }
      this.#fail = fail
      this.#handler = (line, answer) => take(line, answer, done, fail)
    })
  }

  /** Sends a command; resolves with the text of its OK. `continuation` is sent when the server asks for it. */
  command(text: string, untagged?: Untagged, continuation?: string): Promise<string> {
    const tag = `p${++this.#tag}`
    const answered = this.#wait<string>((line, answer, done, fail) => {
      if (line.startsWith('+')) this.#socket.write(`${continuation ?? ''}\r\n`)
      else if (line.startsWith(`${tag} `)) {
        const rest = line.slice(tag.length + 1)
        if (/^OK\b/i.test(rest)) done(rest)
        else fail(new ImapRefusal(verbatim(rest.replace(/^(NO|BAD) /i, ''))))
      } else if (/^\* BYE/i.test(line) && !/^LOGOUT/.test(text)) this.#lost(verbatim(line.slice(2)))
      else if (line.startsWith('* ')) {
        const values = parse({ pieces: [line.slice(2), ...answer.pieces.slice(1)] })
        if (String(values[0]).toUpperCase() === 'CAPABILITY')
          this.#capabilities = new Set(values.slice(1).map((one) => textOfValue(one).toUpperCase()))
        untagged?.(values, line.slice(2))
      }
    })
    if (this.#gone === undefined) this.#socket.write(`${tag} ${text}\r\n`)
    return answered
  }

  close(): void {
    if (this.#gone === undefined) this.#socket.end('z LOGOUT\r\n')
    this.#gone ??= new ImapGone({ en: 'closed', fr: 'fermé' })
  }
}
