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
  const body = new Gathered()
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      if (body.length + chunk.length > limit) return { ok: false, http: 413 }
      body.add(chunk)
    }
  } catch {
    return { ok: false, http: 0 }
  }
  const bytes = body.whole()
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
