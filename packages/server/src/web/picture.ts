import { createHmac } from 'node:crypto'
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '@postrider/domain'
import { isPrivateAddress } from '@postrider/transport'
import { Gathered } from '@postrider/wire/bytes'

/**
 * Remote pictures, fetched by the server in the user's stead: their senders learn neither his address nor his browser. Only addresses that we
 * signed, only pictures, nothing inside private networks: what a name resolves to is judged at the moment of connecting, for every redirect.
 */

export const MAX_PICTURE_BYTES = 8 * 1024 * 1024
/** For one picture, redirects included. */
export const PICTURE_MS = 10_000
const MAX_REDIRECTS = 3
const MAX_RUNNING = 64
const MAX_RUNNING_EACH = 8
const PORTS: ReadonlySet<string> = new Set(['', '80', '443', '8080', '8443'])

const DIGITS = 27
/** Who asked for what: a signature is good for one account. */
export const signPicture = (secret: Uint8Array, account: string, url: string): string =>
  createHmac('sha256', secret).update(`web picture ${account} ${url}`).digest('base64url').slice(0, DIGITS)
export const pictureAddress = (secret: Uint8Array, account: string) => (url: string) =>
  `/mail/picture?u=${encodeURIComponent(url)}&s=${signPicture(secret, account, url)}`

export type Picture = { readonly type: string; readonly bytes: Buffer }
export type PictureFailure = 'address' | 'redirects' | 'status' | 'type' | 'large' | 'late' | 'network' | 'busy'

/** What the bytes are, by their first ones: what the sender calls them is not believed. No SVG: it is a document. */
export function pictureType(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(head)) return 'image/gif'
  if (/^RIFF[\s\S]{4}WEBP/.test(head)) return 'image/webp'
  if (/^[\s\S]{4}ftypavi[fs]/.test(head)) return 'image/avif'
  if (head.startsWith('BM')) return 'image/bmp'
  if (head.startsWith('\0\0\x01\0')) return 'image/x-icon'
  return undefined
}

export interface PictureFetcher {
  fetch(url: string, account: string): Promise<Picture | PictureFailure>
}

class Refused extends Error {}

/** `allowPrivate` is for tests, which have no other network. */
export function pictureFetcher(
  clock: Clock,
  { allowPrivate = false, resolve = systemLookup }: { allowPrivate?: boolean; resolve?: typeof systemLookup } = {},
): PictureFetcher {
  const running = new Map<string, number>()
  let all = 0
  const lookup: LookupFunction = (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0)
      // One private address among public ones is an attack, not a choice.
      if (found.length === 0 || (!allowPrivate && found.some(({ address }) => isPrivateAddress(address))))
        return callback(new Refused('address'), '', 0)
      if (options.all === true) return callback(null, found)
      const [first] = found
      callback(null, first?.address ?? '', first?.family ?? 0)
    })
  }
  const once = (url: URL, leftMs: number): Promise<IncomingMessage> =>
    new Promise((done, fail) => {
      const host = url.hostname.replace(/^\[|\]$/g, '')
      const fits = (url.protocol === 'http:' || url.protocol === 'https:') && (allowPrivate || PORTS.has(url.port))
      if (!fits || url.username !== '' || (isIP(host) !== 0 && !allowPrivate && isPrivateAddress(host)))
        return fail(new Refused('address'))
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const sent = send(url, {
        lookup,
        agent: false,
        timeout: leftMs,
        maxHeaderSize: 16_384,
        // Nothing that tells users apart.
        headers: { 'User-Agent': 'Mozilla/5.0 (picture proxy)', Accept: 'image/*' },
      })
      sent.on('response', done)
      sent.on('timeout', () => sent.destroy(new Refused('late')))
      sent.on('error', fail)
      sent.end()
    })
  const read = (response: IncomingMessage, leftMs: number): Promise<Buffer | PictureFailure> =>
    new Promise((done) => {
      const body = new Gathered()
      const end = (result: Buffer | PictureFailure): void => {
        clearTimeout(timer)
        done(result)
        response.destroy()
      }
      const timer = setTimeout(() => end('late'), leftMs)
      if (Number(response.headers['content-length'] ?? 0) > MAX_PICTURE_BYTES) return end('large')
      response.on('data', (chunk: Buffer) => {
        if (body.length + chunk.length > MAX_PICTURE_BYTES) end('large')
        else body.add(chunk)
      })
      response.on('end', () => end(body.whole()))
      response.on('error', () => end('network'))
    })

  async function get(text: string): Promise<Picture | PictureFailure> {
    const until = clock.monotonic() + PICTURE_MS
    let url = text
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      if (!URL.canParse(url)) return 'address'
      const left = until - clock.monotonic()
      if (left <= 0) return 'late'
      const response = await once(new URL(url), left)
      const { statusCode: status = 0 } = response
      if (status >= 300 && status < 400 && response.headers.location !== undefined) {
        response.destroy()
        if (!URL.canParse(response.headers.location, url)) return 'address'
        url = new URL(response.headers.location, url).href
        continue
      }
      if (status !== 200) {
        response.destroy()
        return 'status'
      }
      const bytes = await read(response, Math.max(1, until - clock.monotonic()))
      if (typeof bytes === 'string') return bytes
      const type = pictureType(bytes)
      return type === undefined ? 'type' : { type, bytes }
    }
    return 'redirects'
  }

  return {
    async fetch(url, account) {
      const mine = running.get(account) ?? 0
      if (all >= MAX_RUNNING || mine >= MAX_RUNNING_EACH) return 'busy'
      all++
      running.set(account, mine + 1)
      try {
        return await get(url)
      } catch (error) {
        return error instanceof Refused ? (error.message as PictureFailure) : 'network'
      } finally {
        all--
        const left = (running.get(account) ?? 1) - 1
        if (left === 0) running.delete(account)
        else running.set(account, left)
      }
    },
  }
}
