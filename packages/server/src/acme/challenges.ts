import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { alone, type Logger, type Together } from '@postrider/domain'
import { MAX_HELLO, readClientHello } from './client-hello.ts'
import type { Answerer } from './client.ts'
import { challengeCertificate } from './csr.ts'

const PROTOCOL = 'acme-tls/1'
const PATH = '/.well-known/acme-challenge/'
/** A validator says at once what it wants. */
const PATIENCE_MS = 10_000
const TOPIC = 'acme'
const NOTED_MS = 3_600_000

/** The answers that authorities come for: texts for HTTP-01, certificates for TLS-ALPN-01. Nothing costs anything while none is waited for. */
export class Challenges {
  readonly #texts = new Map<string, string>()
  readonly #certificates = new Map<string, { cert: string; key: string }>()
  readonly #log: Logger
  readonly #together: Together

  constructor(log: Logger, together: Together = alone()) {
    this.#log = log
    this.#together = together
    together.read(TOPIC, (name, certificate) => {
      if (certificate === undefined) this.#certificates.delete(name)
      else this.#certificates.set(name, certificate as { cert: string; key: string })
    })
  }

  readonly answer: Answerer = (type, name, token, authorization) => {
    if (type === 'http-01') {
      this.#texts.set(token, authorization)
      return () => this.#texts.delete(token)
    }
    const key = name.toLowerCase()
    const certificate = challengeCertificate(name, authorization, Date.now())
    this.#certificates.set(key, certificate)
    this.#tell(key, certificate)
    return () => {
      this.#certificates.delete(key)
      this.#tell(key, undefined)
    }
  }
  /** The validator may come to any process that takes connections; it comes long after this was heard. */
  #tell(name: string, certificate: { cert: string; key: string } | undefined): void {
    this.#together
      .post(TOPIC, name, certificate, NOTED_MS)
      .catch((error: unknown) => this.#log.warn({ err: error }, 'a challenge was not told to all'))
  }

  /** Listens for HTTP-01: port 80 of the public name must lead here. Rejects when the port cannot be had. */
  async listen(port: number, addresses: readonly string[]): Promise<{ close(): void }> {
    const servers: Server[] = []
    const close = (): void => {
      for (const server of servers) server.close()
    }
    try {
      for (const host of addresses) {
        const server = createServer((request, response) => {
          const url = request.url ?? ''
          const text = url.startsWith(PATH) ? this.#texts.get(url.slice(PATH.length)) : undefined
          response.writeHead(text === undefined ? 404 : 200, { 'Content-Type': 'text/plain', Connection: 'close' })
          response.end(text ?? '')
        })
        server.requestTimeout = PATIENCE_MS
        server.maxConnections = 100
        servers.push(server)
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject)
          server.listen({ port, host, ipv6Only: host === '::' && addresses.includes('0.0.0.0') }, () => {
            server.off('error', reject)
            resolve()
          })
        })
      }
    } catch (error) {
      close()
      throw error
    }
    return { close }
  }

  /** Looks at new connections of the HTTPS port while a validator is waited for; everything else goes on to `accept`. */
  guard(accept: (socket: Socket) => void): (socket: Socket) => void {
    return (socket) => {
      if (this.#certificates.size === 0) accept(socket)
      else this.#look(socket, accept)
    }
  }

  #look(socket: Socket, accept: (socket: Socket) => void): void {
    let bytes = Buffer.alloc(0)
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
    const gone = (): void => clearTimeout(timer)
    socket.once('close', gone)
    socket.on('error', ignore)
    const look = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      bytes = Buffer.concat([bytes, chunk])
      const hello = readClientHello(bytes)
      if (hello === 'more' && bytes.length <= MAX_HELLO) return
      clearTimeout(timer)
      socket.off('close', gone)
      socket.off('readable', look)
      socket.unshift(bytes)
      const known = typeof hello === 'object' && hello.protocols.includes(PROTOCOL)
      const certificate = known ? this.#certificates.get(hello.name) : undefined
      // A turn later the socket has forgotten that it was read from.
      setImmediate(() => {
        if (certificate !== undefined) this.#validate(socket, certificate)
        else {
          socket.off('error', ignore)
          accept(socket)
        }
      })
    }
    socket.on('readable', look)
  }

  /** RFC 8737 §3: the handshake is the answer, nothing follows it. */
  #validate(socket: Socket, certificate: { cert: string; key: string }): void {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ ...certificate, minVersion: 'TLSv1.2' }),
      ALPNProtocols: [PROTOCOL],
    })
    const timer = setTimeout(() => secure.destroy(), PATIENCE_MS)
    secure.on('error', (error) => this.#log.debug({ reason: String(error) }, 'a validation broke off'))
    secure.once('secure', () => secure.end())
    secure.once('close', () => clearTimeout(timer))
  }
}
const ignore = (): void => {}
