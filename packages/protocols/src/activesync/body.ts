/** The bytes of a request body: read within a limit, unpacked within a limit (P4: compressed bombs). */
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { Gathered } from '@postrider/wire/bytes'

const gunzipAsync = promisify(gunzip)
const inflateAsync = promisify(inflate)

/** A body may unpack to this many times its size at most, once it is larger than a small document. */
const maxRatio = 200
const ratioFree = 1024 * 1024

export type BodyResult =
  | { readonly ok: true; readonly bytes: Buffer }
  /** 400 damaged, 413 too large, 415 an encoding nobody asked for, 503 too many bodies at once; 0: the client has gone. */
  | { readonly ok: false; readonly http: 0 | 400 | 413 | 415 | 503 }

/** What the bodies of all requests together may hold: a hundred phones that send 36 MB each must not end the process (D5). */
export class BodyMemory {
  readonly #limit: number
  #used = 0
  #unpacking: Promise<unknown> = Promise.resolve()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes held now. */
  get used(): number {
    return this.#used
  }

  /** A share for one request, to be closed when the request is done. */
  share(): BodyShare {
    let mine = 0
    return {
      hold: (bytes) => {
        if (this.#used - mine + bytes > this.#limit) return false
        this.#used += bytes - mine
        mine = bytes
        return true
      },
      inTurn: (unpack) => {
        const turn = this.#unpacking.then(unpack)
        this.#unpacking = turn.catch(() => {})
        return turn
      },
      [Symbol.dispose]: () => {
        this.#used -= mine
        mine = 0
      },
    }
  }
}

export interface BodyShare extends Disposable {
  /** Holds so many bytes from now on; false, and nothing changed, when there is no room. */
  hold(bytes: number): boolean
  /** Unpacks when all earlier ones are done: nobody knows how much comes out, so one at a time. */
  inTurn(unpack: () => Promise<Buffer>): Promise<Buffer>
}

/**
 * Reads and unpacks a body.
 * @param limit bytes allowed, packed and unpacked.
 */
export async function readBody(message: IncomingMessage, limit: number, share: BodyShare): Promise<BodyResult> {
  const announced = Number(message.headers['content-length'] ?? 0)
  if (announced > limit) return { ok: false, http: 413 }
  const bytes = await gather(message, limit, share)
  if (typeof bytes === 'number') return { ok: false, http: bytes }
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '' || bytes.length === 0) return { ok: true, bytes }
  if (encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'deflate') return { ok: false, http: 415 }
  const maxOutputLength = Math.min(limit, Math.max(ratioFree, bytes.length * maxRatio))
  try {
    const unpack = encoding === 'deflate' ? inflateAsync : gunzipAsync
    const unpacked = await share.inTurn(() => unpack(bytes, { maxOutputLength }))
    return share.hold(unpacked.length) ? { ok: true, bytes: unpacked } : { ok: false, http: 503 }
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    return { ok: false, http: tooLarge ? 413 : 400 }
  }
}

/** The bytes as they come; 413 or 503 as soon as there are too many, 0 when the client went away before the end. */
function gather(message: IncomingMessage, limit: number, share: BodyShare): Promise<Buffer | 0 | 413 | 503> {
  // Gone while the password was looked at: no event will come any more.
  if (message.destroyed) return Promise.resolve(0)
  return new Promise((resolve) => {
    const body = new Gathered()
    const refuse = (http: 413 | 503): void => {
      message.removeAllListeners('data').pause()
      body.clear()
      resolve(http)
    }
    // Not `for await`: chunks of one byte would cost ten thousand turns of the loop for each read from the socket (P2).
    message.on('data', (chunk: Buffer) => {
      const length = body.length + chunk.length
      if (length > limit) refuse(413)
      else if (!share.hold(length)) refuse(503)
      else body.add(chunk)
    })
    message.once('end', () => resolve(body.whole()))
    message.once('close', () => resolve(0))
  })
}
