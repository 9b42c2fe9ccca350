import type { Socket } from 'node:net'
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { Channel } from '../channel.ts'
import { MAX_IN_FLIGHT_BYTES } from '../messages.ts'
import { streamChannel } from './stream.ts'

/** What a node shows: key and certificate in PEM, and the authority that signed it and all others of the organisation. */
export interface NodeCertificate {
  readonly key: string
  readonly certificate: string
  readonly authority: string
}
/** The other side, as its certificate says. */
export interface NodeName {
  readonly name: string
  /** SHA-256 of the certificate, hex with colons. */
  readonly fingerprint: string
}
/** What a connection is for; agreed on in the handshake (ALPN, RFC 7301), with the version. */
export type Purpose = 'postrider-mailboxes/1' | 'postrider-directory/1'

export interface TlsListenOptions {
  readonly own: NodeCertificate
  readonly host: string
  readonly port: number
  readonly purposes: readonly Purpose[]
  /** Whether a node with a valid certificate is still one of ours. */
  readonly admits: (node: NodeName) => boolean
  readonly joined: (channel: Channel, purpose: Purpose, node: NodeName) => void
}

/** How long a stranger has for the handshake, ms, and how many there may be at a time. */
const HANDSHAKE_MS = 10_000
const MAX_STRANGERS = 64

const nameOf = (certificate: PeerCertificate): NodeName => {
  const name: unknown = certificate.subject?.CN
  return { name: typeof name === 'string' ? name : '', fingerprint: certificate.fingerprint256 ?? '' }
}

/**
 * Listens for other nodes. Only who has a certificate of our authority gets through the handshake (TLS 1.3, both sides show one), and of these only
 * who is admitted is given a channel; everybody else costs a bounded number of sockets for a bounded time and reaches nothing. `close` ends
 * the listening and all channels.
 */
export async function listenTls(options: TlsListenOptions): Promise<{ readonly port: number; close(): void }> {
  const { own, host, port, purposes, admits, joined } = options
  const strangers = new Set<Socket>()
  const open = new Set<Socket>()
  const server = createServer({
    key: own.key,
    cert: own.certificate,
    ca: own.authority,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [...purposes],
    handshakeTimeout: HANDSHAKE_MS,
    // Every connection shows its certificate anew: nobody who was removed comes back on a ticket.
    sessionTimeout: 1,
  })
  server.on('connection', (socket: Socket) => {
    if (strangers.size >= MAX_STRANGERS) {
      socket.destroy()
      return
    }
    open.add(socket)
    strangers.add(socket)
    const timer = setTimeout(() => {
      if (strangers.has(socket)) socket.destroy()
    }, HANDSHAKE_MS * 2)
    socket.once('close', () => {
      clearTimeout(timer)
      strangers.delete(socket)
      open.delete(socket)
    })
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy())
    for (const one of strangers)
      if (one.remotePort === socket.remotePort && one.remoteAddress === socket.remoteAddress) strangers.delete(one)
    const node = nameOf(socket.getPeerCertificate())
    const purpose = purposes.find((one) => one === socket.alpnProtocol)
    if (!socket.authorized || purpose === undefined || !admits(node)) {
      socket.destroy()
      return
    }
    joined(streamChannel(socket, { unreadLimit: MAX_IN_FLIGHT_BYTES }), purpose, node)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

export interface TlsConnectOptions {
  readonly own: NodeCertificate
  readonly host: string
  readonly port: number
  readonly purpose: Purpose
  /** Who must answer there. Without a fingerprint any certificate of the authority with this name will do. */
  readonly peer: { readonly name: string; readonly fingerprint?: string | undefined }
}

/** A channel to a node. Rejects when it cannot be reached, is somebody else, or the handshake takes too long. */
export function connectTls({ own, host, port, purpose, peer }: TlsConnectOptions): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      key: own.key,
      cert: own.certificate,
      ca: own.authority,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [purpose],
      servername: `${peer.name}.postrider.invalid`,
      checkServerIdentity: (_host, certificate) => {
        const { name, fingerprint } = nameOf(certificate)
        const isPeer = name === peer.name && (peer.fingerprint === undefined || fingerprint === peer.fingerprint)
        return isPeer ? undefined : new Error(`${host}:${port} is ${JSON.stringify(name)}, not ${peer.name}`)
      },
    })
    const timer = setTimeout(() => socket.destroy(new Error(`${host}:${port} does not answer`)), HANDSHAKE_MS)
    socket.once('close', () => {
      clearTimeout(timer)
      reject(new Error(`${host}:${port} closed the connection`))
    })
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      if (socket.alpnProtocol !== purpose) {
        socket.destroy(new Error(`${host}:${port} does not speak ${purpose}`))
        return
      }
      socket.off('error', reject)
      resolve(streamChannel(socket))
    })
  })
}
