/** A pretended mail server on loopback: takes what it is told to take and remembers everything that was said. */
import { createServer, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { encodeReply, SmtpReceiver, smtpReply } from '@postrider/wire/smtp'
import { cert, key } from './certificate.ts'

export interface RemoteMessage {
  mail: string
  rcpt: string[]
  message: string
  tls: boolean
  how: 'DATA' | 'BDAT'
}

export interface RemoteBehaviour {
  keywords: string[]
  greeting: string
  /** Replies by first word and, for RCPT, by address; `drop` closes instead. */
  reply(verb: string, line: string): string | undefined
  /** After the final dot. */
  final(): string
  /** STARTTLS is answered, then the handshake fails. */
  breakTls: boolean
  /** Bytes sent behind the reply to STARTTLS. */
  inject: string
  login: string | undefined
}

export class Remote {
  readonly messages: RemoteMessage[] = []
  readonly lines: string[] = []
  connections = 0
  behaviour: RemoteBehaviour = {
    keywords: ['PIPELINING', '8BITMIME', 'SIZE 1000000', 'DSN', 'SMTPUTF8', 'CHUNKING', 'ENHANCEDSTATUSCODES'],
    greeting: '220 mx.remote.example ESMTP',
    reply: () => undefined,
    final: () => '250 2.0.0 taken',
    breakTls: false,
    inject: '',
    login: undefined,
  }
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Remote> {
    const server = createServer()
    const remote = new Remote(server)
    server.on('connection', (socket) => {
      remote.connections++
      remote.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      remote.#serve(socket, false)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return remote
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(socket: Socket, tls: boolean): void {
    const { behaviour } = this
    const receiver = new SmtpReceiver()
    let current: RemoteMessage | undefined
    let text: Buffer[] = []
    const say = (reply: string): void => {
      if (reply === 'drop') socket.destroy()
      else socket.write(`${reply}\r\n`)
    }
    const done = (how: 'DATA' | 'BDAT'): void => {
      const reply = behaviour.final()
      if (current !== undefined && (reply.startsWith('2') || reply === 'drop'))
        this.messages.push({ ...current, message: Buffer.concat(text).toString('latin1'), how })
      current = undefined
      text = []
      say(reply)
    }
    if (!tls) say(behaviour.greeting)
    socket.on('data', (chunk: Buffer) => {
      receiver.push(chunk)
      for (let event = receiver.next(); event !== undefined; event = receiver.next()) {
        if (event.kind === 'text') text.push(Buffer.from(event.bytes))
        else if (event.kind === 'dataEnd') done('DATA')
        else if (event.kind === 'chunkEnd') done('BDAT')
        else if (event.kind === 'authLine') say('235 2.7.0 welcome')
        else if (event.kind === 'refusal') say(encodeReply(event.refusal.reply).trimEnd())
        else {
          const { command } = event
          const line = describe(command)
          this.lines.push(line)
          if (command.verb === 'BDAT') continue
          const own = behaviour.reply(command.verb, line)
          if (own !== undefined) {
            say(own)
            continue
          }
          switch (command.verb) {
            case 'EHLO': {
              const keywords = behaviour.keywords.filter((one) => !(tls && one === 'STARTTLS'))
              say(encodeReply(smtpReply(250, undefined, 'mx.remote.example', ...keywords)).trimEnd())
              break
            }
            case 'STARTTLS': {
              socket.removeAllListeners('data')
              socket.write(`220 go\r\n${behaviour.inject}`)
              if (behaviour.breakTls) {
                socket.once('data', () => socket.end('this is not TLS\r\n'))
                break
              }
              if (behaviour.inject !== '') break
              const secure = new TLSSocket(socket, { isServer: true, key, cert })
              secure.on('error', () => {})
              this.#serve(secure, true)
              break
            }
            case 'MAIL':
              current = { mail: line, rcpt: [], message: '', tls, how: 'DATA' }
              say('250 2.1.0 ok')
              break
            case 'RCPT':
              current?.rcpt.push(line)
              say('250 2.1.5 ok')
              break
            case 'DATA':
              receiver.beginData()
              say('354 go')
              break
            case 'AUTH':
              behaviour.login = Buffer.from(command.initial ?? '', 'base64').toString()
              say('235 2.7.0 welcome')
              break
            case 'QUIT':
              socket.end('221 2.0.0 bye\r\n')
              break
            default:
              say('250 2.0.0 ok')
          }
        }
      }
    })
  }
}

/** The command as it was, for the tests to look at. */
function describe(command: import('@postrider/wire/smtp').SmtpCommand): string {
  switch (command.verb) {
    case 'MAIL':
      return `MAIL ${command.from?.address ?? ''} ${JSON.stringify(command.parameters)}`
    case 'RCPT':
      return `RCPT ${command.to.address} ${JSON.stringify(command.parameters)}`
    case 'BDAT':
      return `BDAT ${command.last ? 'LAST' : ''}`
    case 'EHLO':
    case 'HELO':
      return `${command.verb} ${command.domain}`
    default:
      return command.verb
  }
}
