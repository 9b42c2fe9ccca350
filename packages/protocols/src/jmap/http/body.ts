/** A request's body, whole, within a limit and a time. */
import type { IncomingMessage } from 'node:http'
import { Gathered } from '@postrider/wire/bytes'
import { BODY_MS } from '../limits.ts'

/** 'tooLarge', or 'gone' when the client left or took too long. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'tooLarge' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve('tooLarge')
  return new Promise((resolve) => {
    const body = new Gathered()
    const timer = setTimeout(() => done('gone'), BODY_MS)
    const done = (result: Buffer | 'tooLarge' | 'gone'): void => {
      clearTimeout(timer)
      request.off('data', data)
      resolve(result)
    }
    const data = (chunk: Buffer): void => {
      if (body.length + chunk.length > limit) done('tooLarge')
      else body.add(chunk)
    }
    request.on('data', data)
    request.once('end', () => done(body.whole()))
    request.once('close', () => done('gone'))
  })
}
