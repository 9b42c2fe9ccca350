import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { PushSender } from '@postrider/protocols/jmap'
import { isPrivateAddress } from '@postrider/transport'

/**
 * How pushes leave. Users name the addresses, so nothing inside private networks is reached: what a name resolves to is judged at the moment
 * of connecting; no redirect is followed; what is answered is not read.
 */

const PUSH_MS = 15_000
class Refused extends Error {}

export interface PushSenderOptions {
  /** Read anew for every push. */
  readonly allowPrivate: () => boolean
  readonly resolve?: typeof systemLookup
}

export function pushSender({ allowPrivate, resolve = systemLookup }: PushSenderOptions): PushSender {
  const inside = (address: string): boolean => !allowPrivate() && isPrivateAddress(address)
  const lookup: LookupFunction = (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0)
      // One private address among public ones is an attack, not a choice.
      if (found.length === 0 || found.some(({ address }) => inside(address)))
        return callback(new Refused('leads into a private network'), '', 0)
      if (options.all === true) return callback(null, found)
      callback(null, found[0]?.address ?? '', found[0]?.family ?? 0)
    })
  }
  return {
    post: (text, headers, body) =>
      new Promise((done, fail) => {
        const url = new URL(text)
        const host = url.hostname.replace(/^\[|\]$/g, '')
        if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowPrivate()))
          return fail(new Refused('is no https address'))
        if (isIP(host) !== 0 && inside(host)) return fail(new Refused('leads into a private network'))
        const send = url.protocol === 'https:' ? httpsRequest : httpRequest
        const sent = send(url, {
          method: 'POST',
          lookup,
          agent: false,
          timeout: PUSH_MS,
          maxHeaderSize: 16_384,
          headers: { ...headers, 'Content-Length': String(body.length) },
        })
        const timer = setTimeout(() => sent.destroy(new Error('the push service does not answer')), PUSH_MS)
        sent.on('response', (response: IncomingMessage) => {
          clearTimeout(timer)
          response.destroy()
          const seconds = Number(response.headers['retry-after'])
          const { statusCode: status = 0 } = response
          done(Number.isFinite(seconds) && seconds >= 0 ? { status, retryAfterMs: seconds * 1_000 } : { status })
        })
        sent.on('error', (error) => {
          clearTimeout(timer)
          fail(error)
        })
        sent.end(body)
      }),
  }
}
