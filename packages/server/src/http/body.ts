import type { IncomingMessage } from 'node:http'
import { Gathered } from '@postrider/wire/bytes'

/** A body that takes longer is none, ms. */
const BODY_MS = 300_000

/** The body; undefined when it is larger than `limit` or does not come to its end in time. */
export function bodyOf(
  request: IncomingMessage,
  limit: number,
  withinMs: number = BODY_MS,
): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const body = new Gathered()
    const timer = setTimeout(() => done(undefined), withinMs)
    const done = (whole: Buffer | undefined): void => {
      clearTimeout(timer)
      request.off('data', data)
      resolve(whole)
    }
    const data = (chunk: Buffer): void => {
      if (body.length + chunk.length > limit) done(undefined)
      else body.add(chunk)
    }
    request.on('data', data)
    request.once('end', () => done(body.whole()))
    request.once('close', () => done(undefined))
  })
}
