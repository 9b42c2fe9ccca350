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
  /** 400 damaged, 413 too large, 415 an encoding nobody asked for; 0: the client has gone. */
  | { readonly ok: false; readonly http: 0 | 400 | 413 | 415 }

/**
 * Reads and unpacks a body.
 * @param limit bytes allowed, packed and unpacked.
 */
export async function readBody(message: IncomingMessage, limit: number): Promise<BodyResult> {
  const announced = Number(message.headers['content-length'] ?? 0)
  if (announced > limit) return { ok: false, http: 413 }
  const bytes = await gather(message, limit)
  if (typeof bytes === 'number') return { ok: false, http: bytes }
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '' || bytes.length === 0) return { ok: true, bytes }
  if (encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'deflate') return { ok: false, http: 415 }
  const maxOutputLength = Math.min(limit, Math.max(ratioFree, bytes.length * maxRatio))
  try {
    const unpack = encoding === 'deflate' ? inflateAsync : gunzipAsync
    return { ok: true, bytes: await unpack(bytes, { maxOutputLength }) }
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    return { ok: false, http: tooLarge ? 413 : 400 }
  }
}

/** The bytes as they come; 413 as soon as there are too many, 0 when the client went away before the end. */
function gather(message: IncomingMessage, limit: number): Promise<Buffer | 0 | 413> {
  // Gone while the password was looked at: no event will come any more.
  if (message.destroyed) return Promise.resolve(0)
  return new Promise((resolve) => {
    const body = new Gathered()
    // Not `for await`: chunks of one byte would cost ten thousand turns of the loop for each read from the socket (P2).
    message.on('data', (chunk: Buffer) => {
      if (body.length + chunk.length <= limit) return body.add(chunk)
      message.removeAllListeners('data').pause()
      body.clear()
      resolve(413)
    })
    message.once('end', () => resolve(body.whole()))
    message.once('close', () => resolve(0))
  })
}
