import { readFileSync } from 'node:fs'
import { type AddressInfo, isIP } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { SpokenError } from '@postrider/domain'
import type { LogPoint } from '@postrider/store/ship'

/** Where a standby is in a log: `salt1` is missing when it has a base and no entry yet. */
export interface StandbyPoint extends Partial<LogPoint> {
  readonly stream: string
  readonly seq: number
}
export interface HeldSegment {
  readonly segment: number
  readonly bytes: number
  /** SHA-256 of them. */
  readonly digest: string
}

/** What the two say to each other; bytes travel behind the words. */
export type Message =
  | { readonly kind: 'hello'; readonly epoch: number; readonly version: string }
  /** The standby's answer: where it is in each database's log. */
  | { readonly kind: 'follows'; readonly epoch: number; readonly points: Readonly<Record<string, StandbyPoint>> }
  /** Another server of this epoch serves. */
  | { readonly kind: 'fenced'; readonly epoch: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'segments'; readonly database: string; readonly held?: readonly HeldSegment[] }
  | { readonly kind: 'base'; readonly database: string; readonly stream: string; readonly from: number }
  /** Pages of the database file, each with its checksum; null where there is none. `again`: one that was asked for. */
  | {
      readonly kind: 'page'
      readonly database: string
      readonly offset: number
      readonly pageBytes: number
      readonly sums: readonly (number | null)[]
      readonly again?: true
    }
  /** The standby's: these did not arrive as their checksums say. None: all are well now. */
  | { readonly kind: 'pages'; readonly database: string; readonly pages: readonly number[] }
  /** The base, with pages that came again, is whole once this entry is applied. */
  | { readonly kind: 'mended'; readonly database: string; readonly until: number }
  | { readonly kind: 'piece'; readonly database: string; readonly segment: number; readonly offset: number }
  /** The base is whole once this entry is applied. */
  | { readonly kind: 'based'; readonly database: string; readonly until: number; readonly size: number }
  | { readonly kind: 'entry'; readonly database: string }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly id: number }
  | { readonly kind: 'noFile'; readonly path: string; readonly id: number }
  | { readonly kind: 'kept'; readonly id: number }
  | { readonly kind: 'confirmed'; readonly database: string; readonly received: number; readonly synced: number }
  | { readonly kind: 'alive' }

export interface Received {
  readonly message: Message
  readonly bytes: Buffer
}

const HEAD_BYTES = 8
const MAX_WORDS = 16 * 1024 * 1024
const MAX_BYTES = 160 * 1024 * 1024
/** Unsent bytes at which who sends waits. */
const MAX_UNSENT = 8 * 1024 * 1024
/** A word at least so often; silence of three times that is an end, ms. */
export const ALIVE_MS = 2_000
const SILENT_MS = 20_000
const CONNECT_MS = 5_000
const MIN_KEY_BYTES = 32
const IDENTITY = 'postrider-standby'

/** The secret both servers hold. Throws SpokenError when there is none that is good enough. */
export function readKey(file: string): Buffer {
  let text = ''
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const key = Buffer.from(text, 'base64url')
  if (key.length < MIN_KEY_BYTES)
    throw new SpokenError({
      en: `${file} holds no key of the two servers. Make one with \`postrider standby key\` and copy it to the other.`,
      fr: `${file} ne contient pas la clé des deux serveurs. Créez-la avec « postrider standby key » et copiez-la sur l’autre.`,
    })
  return key.subarray(0, MIN_KEY_BYTES)
}

/** TLS 1.3 with a pre-shared key and an ephemeral exchange: who does not hold the key is nobody, on either side (RFC 8446 §2.2, psk_dhe_ke). */
const tls = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256:PSK' } as const

/** Words and bytes over one connection, in order. */
export class Stream {
  readonly #socket: TLSSocket
  #rest: Buffer[] = []
  #length = 0
  #received: Received[] = []
  #waiting: (() => void) | undefined
  #ended: Error | undefined
  readonly #alive: NodeJS.Timeout

  constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.setTimeout(SILENT_MS, () => this.#end(new Error('the other server is silent')))
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('the connection was closed')))
    this.#alive = setInterval(() => void this.send({ kind: 'alive' }), ALIVE_MS)
    this.#alive.unref()
  }

  #end(error: Error): void {
    this.#ended ??= error
    clearInterval(this.#alive)
    this.#socket.destroy()
    this.#waiting?.()
  }

  #take(bytes: Buffer): void {
    this.#rest.push(bytes)
    this.#length += bytes.length
    for (;;) {
      if (this.#length < HEAD_BYTES) return
      if ((this.#rest[0] as Buffer).length < HEAD_BYTES) this.#rest = [Buffer.concat(this.#rest)]
      const head = this.#rest[0] as Buffer
      const [words, body] = [head.readUInt32LE(0), head.readUInt32LE(4)]
      if (words > MAX_WORDS || body > MAX_BYTES) {
        this.#end(new Error('nonsense from the other server'))
        return
      }
      const whole = HEAD_BYTES + words + body
      if (this.#length < whole) return
      const all = this.#rest.length === 1 ? head : Buffer.concat(this.#rest)
      try {
        const message = JSON.parse(all.toString('utf8', HEAD_BYTES, HEAD_BYTES + words)) as Message
        if (message.kind !== 'alive') this.#received.push({ message, bytes: all.subarray(HEAD_BYTES + words, whole) })
      } catch (error) {
        this.#end(error as Error)
        return
      }
      this.#rest = whole < all.length ? [all.subarray(whole)] : []
      this.#length -= whole
      if (this.#received.length > 0) this.#waiting?.()
    }
  }

  /** All that has arrived; waits for the first. Rejects when the connection is gone and everything was taken. */
  async batch(): Promise<Received[]> {
    while (this.#received.length === 0) {
      if (this.#ended !== undefined) throw this.#ended
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
      this.#waiting = undefined
    }
    return this.#received.splice(0)
  }

  /** Resolves when there is room for more. Rejects when the connection is gone. */
  async send(message: Message, bytes: Uint8Array = new Uint8Array()): Promise<void> {
    if (this.#ended !== undefined) {
      if (message.kind === 'alive') return
      throw this.#ended
    }
    const words = Buffer.from(JSON.stringify(message))
    const head = Buffer.alloc(HEAD_BYTES)
    head.writeUInt32LE(words.length, 0)
    head.writeUInt32LE(bytes.length, 4)
    this.#socket.cork()
    this.#socket.write(Buffer.concat([head, words]))
    if (bytes.length > 0) this.#socket.write(bytes)
    this.#socket.uncork()
    while (this.#socket.writableLength > MAX_UNSENT && this.#ended === undefined)
      await new Promise<void>((resolve) => {
        const on = (): void => {
          this.#socket.off('drain', on)
          this.#socket.off('close', on)
          resolve()
        }
        this.#socket.on('drain', on)
        this.#socket.on('close', on)
      })
  }

  /** Sends what is written, then ends. */
  end(): void {
    clearInterval(this.#alive)
    this.#socket.end()
  }
  close(): void {
    this.#end(new Error('closed'))
  }
}

const placeOf = (place: string): { host: string; port: number } => {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(place) ?? []
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** Connects to the other server. Rejects when it cannot be reached or does not hold the key. */
export function openStream(place: string, key: Buffer): Promise<Stream> {
  const { host, port } = placeOf(place)
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...tls,
      host,
      port,
      pskCallback: () => ({ psk: key, identity: IDENTITY }),
      // The key is the identity.
      checkServerIdentity: () => undefined,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    })
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_MS)
    const failed = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
    }
    socket.once('error', failed)
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      socket.setKeepAlive(true, ALIVE_MS)
      resolve(new Stream(socket))
    })
  })
}

/** Listens for the other server. Rejects when the port is taken. */
export function serveStreams(
  place: string,
  key: Buffer,
  serve: (stream: Stream) => void,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const { host, port } = placeOf(place)
  const sockets = new Set<TLSSocket>()
  const server = createServer(
    {
      ...tls,
      pskIdentityHint: IDENTITY,
      pskCallback: (_socket, identity) => (identity === IDENTITY ? key : null),
    },
    (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      serve(new Stream(socket))
    },
  )
  // Somebody without the key; there is nothing to say to him.
  server.on('tlsClientError', () => {})
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            for (const socket of sockets) socket.destroySoon()
          }),
      }),
    )
  })
}
