import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Logger } from '@postrider/domain'
import type { WebmailBuild, WebmailFile } from '@postrider/webmail/build'
import { appPolicy, framePolicy } from './headers.ts'
import { answer } from './request.ts'

/** The files of the browser client: built and compressed once, with names that never change their content. */

type Ready = WebmailFile & { readonly etag: string }
export type BuiltWebmail = WebmailBuild & { readonly module: typeof import('@postrider/webmail/build') }

/** Coding the client takes best (RFC 9110 §12.5.3). */
export function codingOf(header: string | undefined): 'br' | 'gzip' | undefined {
  const taken = new Set(
    (header ?? '')
      .toLowerCase()
      .split(',')
      .filter((one) => !/;\s*q=0(?:\.0*)?\s*$/.test(one))
      .map((one) => one.split(';')[0]?.trim() ?? ''),
  )
  return taken.has('br') ? 'br' : taken.has('gzip') || taken.has('*') ? 'gzip' : undefined
}

export class Bundle {
  readonly #files = new Map<string, Ready>()
  #build: BuiltWebmail | undefined
  readonly ready: Promise<void>

  /** Starts building; `ready` resolves when it is served, also when there is none. */
  constructor(dataFolder: string, log: Logger) {
    this.ready = this.#make(join(dataFolder, 'webmail')).catch((error: unknown) => {
      log.error({ err: error }, 'the web client could not be built: only the Light version is offered')
    })
  }

  get build(): BuiltWebmail | undefined {
    return this.#build
  }

  async #make(cacheFolder: string): Promise<void> {
    const module = await import('@postrider/webmail/build')
    const build = await module.buildWebmail({ cacheFolder })
    for (const [path, file] of build.files) {
      const hash = createHash('sha256').update(file.bytes).digest('base64url')
      this.#files.set(path, { ...file, etag: `"${hash.slice(0, 27)}"` })
    }
    this.#build = { ...build, module }
  }

  /** Answers for a file of the bundle; false when `path` (relative to `/mail/`) is none. */
  serve(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const file = this.#files.get(path)
    if (file === undefined) return false
    const headers = {
      'Content-Type': file.type,
      'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: file.etag,
      Vary: 'Accept-Encoding',
      ...(path === 'frame.html'
        ? {
            'Content-Security-Policy': framePolicy,
            'X-Frame-Options': 'SAMEORIGIN',
          }
        : {}),
      ...(path === 'offline.html' ? { 'Content-Security-Policy': appPolicy } : {}),
      ...(path === 'sw.js' ? { 'Service-Worker-Allowed': '/mail/' } : {}),
    }
    const known = (request.headers['if-none-match'] ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
    if (known.includes(file.etag)) {
      answer(response, 304, '', headers)
      return true
    }
    const coding = codingOf(request.headers['accept-encoding'])
    const coded = coding === 'br' ? file.brotli : coding === 'gzip' ? file.gzip : undefined
    answer(response, 200, coded ?? file.bytes, {
      ...headers,
      ...(coded === undefined ? {} : { 'Content-Encoding': coding! }),
    })
    return true
  }
}
