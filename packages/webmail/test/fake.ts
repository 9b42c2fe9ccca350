/**
 * The JMAP server in memory (fake-mail.ts) over HTTP, for trying the client without the program. It serves the bundle and the page with the policy
 * of the real one.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildWebmail, shellPage } from '../src/build.ts'
import { firstCalls, type Invocation, readChoices } from '../src/start.ts'
import { FakeMail } from './fake-mail.ts'
import type { Json } from './fake-query.ts'

export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self' blob:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types postrider"

/** Of the document mails are shown in. */
const framePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; require-trusted-types-for 'script'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"

export class FakeServer extends FakeMail {
  /** Refuses everything, as a server that is away. */
  away = false
  #listeners = new Set<ServerResponse>()
  #server: Server | undefined
  #uploads = 0

  get #session(): Json {
    return {
      capabilities: { 'urn:ietf:params:jmap:core': { maxCallsInRequest: 32 } },
      accounts: { u1: { name: 'ada@example.org', isPersonal: true, accountCapabilities: {} } },
      primaryAccounts: { 'urn:ietf:params:jmap:mail': 'u1' },
      username: 'ada@example.org',
      apiUrl: '/jmap/api',
      downloadUrl: '/jmap/download/{accountId}/{blobId}/{name}?type={type}',
      uploadUrl: '/jmap/upload/{accountId}/',
      eventSourceUrl: '/jmap/events?types={types}&closeafter={closeafter}&ping={ping}',
      state: 's',
    }
  }

  /** Listens; answers the address of the page. */
  async listen(port = 0): Promise<string> {
    const build = await buildWebmail()
    this.told = (event) => {
      for (const one of this.#listeners) one.write(event)
    }
    this.#server = createServer((request, response) => void this.#serve(request, response, build))
    await new Promise<void>((resolve) => this.#server?.listen(port, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mail/`
  }
  async close(): Promise<void> {
    for (const one of this.#listeners) one.end()
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    build: Awaited<ReturnType<typeof buildWebmail>>,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
    const send = (
      status: number,
      type: string,
      body: string | Uint8Array,
      headers: Record<string, string> = {},
    ): void => {
      response.writeHead(status, { 'Content-Type': type, ...headers }).end(body)
    }
    if (this.away && pathname.startsWith('/jmap')) return send(503, 'text/plain', '')
    if (pathname === '/jmap/api') {
      const { methodCalls } = JSON.parse((await bytesOf(request)).toString()) as { readonly methodCalls: Invocation[] }
      return send(
        200,
        'application/json',
        JSON.stringify({ methodResponses: this.answer(methodCalls), sessionState: 's' }),
      )
    }
    if (pathname.startsWith('/jmap/upload/')) {
      const id = `up${++this.#uploads}`
      const type = request.headers['content-type'] ?? ''
      this.blobs.set(id, { bytes: await bytesOf(request), type })
      return send(201, 'application/json', JSON.stringify({ accountId: 'u1', blobId: id, type, size: 1 }))
    }
    if (pathname.startsWith('/jmap/download/')) {
      const blob = this.blobs.get(pathname.split('/')[4] ?? '')
      return send(
        blob === undefined ? 404 : 200,
        searchParams.get('type') ?? 'application/octet-stream',
        blob?.bytes ?? '',
      )
    }
    if (pathname === '/web/settings') {
      const reach = { server: 'mail.example.org', port: 993, encryption: 'SSL' }
      return send(
        200,
        'application/json',
        JSON.stringify({
          imap: { inside: reach },
          pop3: {},
          submission: { inside: { ...reach, port: 587, encryption: 'TLS' }, outside: reach },
        }),
      )
    }
    if (pathname === '/web/sessions') {
      const one = {
        id: 's1',
        created: 1.7e12,
        lastAct: 1.7e12,
        address: '192.0.2.1',
        agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/156',
        current: true,
      }
      return send(200, 'application/json', JSON.stringify({ sessions: [one, { ...one, id: 's2', current: false }] }))
    }
    if (pathname === '/jmap/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }).write(': hello\n\n')
      this.#listeners.add(response)
      response.on('close', () => this.#listeners.delete(response))
      return
    }
    const path = pathname.slice('/mail/'.length)
    if (path.startsWith('body/')) {
      const email = this.emails.get(path.split('/')[2] ?? '')
      if (email?.html === undefined) return send(email === undefined ? 404 : 204, 'text/plain', '')
      const remote = [...email.html.matchAll(/<img[^>]+https?:[^>]*>/g)].length
      const html = searchParams.get('pictures') === '1' ? email.html : email.html.replace(/<img[^>]+https?:[^>]*>/g, '')
      return send(200, 'text/html; charset=utf-8', html, { 'Postrider-Pictures': String(remote) })
    }
    const file = build.files.get(path)
    if (file !== undefined)
      return send(200, file.type, file.bytes, {
        'Cache-Control': file.immutable ? 'max-age=31536000, immutable' : 'no-cache',
        ...(path === 'frame.html' ? { 'Content-Security-Policy': framePolicy } : {}),
      })
    const start = {
      session: this.#session,
      headers: { 'Postrider-Csrf': 'token' },
      signIn: '/signin',
      signOut: '/signout',
      responses: this.answer(firstCalls('u1', 'm-inbox', readChoices(request.headers.cookie))),
    }
    this.requests.pop()
    send(200, 'text/html; charset=utf-8', shellPage(build, start), {
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
    })
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
