import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { request } from 'node:https'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { noMeter, type ProtocolName, silentLog } from '@postrider/domain'
import { createAutodiscover } from '@postrider/protocols/autodiscover'
import { createAuthenticator, type DirectoryStore, openDirectory } from '@postrider/store/directory'
import { selfSigned } from '../certificate/index.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { Gate } from '../listeners/gate.ts'
import { listen } from '../listeners/listen.ts'
import { Sweeper } from '../listeners/sweeper.ts'
import { TlsHolder } from '../listeners/tls.ts'
import { Metrics } from '../operations/metrics.ts'
import { challenge, readBasic } from './basic.ts'
import { createRouter, pathOf, type Route } from './router.ts'
import { ownRoutes } from './routes.ts'
import { createHttps, type HttpsService } from './server.ts'
import { externalReach, hostOf, siteFor } from './site.ts'

const made = selfSigned(['localhost', '127.0.0.1'], Date.now())
const certificate = { ...made, names: '', selfSigned: true, expires: 0, fingerprint: 'AA:BB' }
const PASSWORD = 'pässword: with colon'

interface Web {
  readonly port: number
  readonly directory: DirectoryStore
  readonly service: HttpsService
  config: Config
  notReady: string | undefined
  get(
    path: string,
    options?: { headers?: Record<string, string>; method?: string; body?: string },
  ): Promise<{
    status: number
    headers: IncomingMessage['headers']
    body: string
  }>
}

async function web(t: TestContext, more: readonly Route[] = []): Promise<Web> {
  const directory = openDirectory({ file: ':memory:', hashCost: { memory: 64, passes: 1 } })
  await directory.addDomain('example.com', 'Authoritative')
  await directory.addMailbox({ address: 'bob@example.com', password: PASSWORD, displayName: 'Bob' })
  const authenticator = createAuthenticator({ directory, hashCost: { memory: 64, passes: 1 } })
  const loaded = loadConfig({ POSTRIDER_DATA: '/nowhere' })
  const tls = new TlsHolder({ certificate, minVersion: 'TLSv1.2' })
  const metrics = new Metrics()
  const state = { config: loaded.config, notReady: undefined as string | undefined }
  const ports = { https: 8443, imaps: 993, imap: 143, submission: 587 } as Record<string, number>
  const routes = ownRoutes({
    autodiscover: createAutodiscover({ directory }),
    site: (host) => siteFor({ config: state.config }, directory, (name) => ports[name], host),
    config: () => state.config,
    tls,
    metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
    notReady: async () => state.notReady,
  })
  const handle = createRouter({
    routes: [...more, ...routes],
    authenticator,
    realm: 'mail.example.com',
    log: silentLog,
    meter: noMeter,
  })
  const gate = new Gate({ total: 100, perAddress: 100 })
  const service = createHttps({ tls, gate, sweeper: new Sweeper(), log: silentLog, meter: noMeter, handle })
  const listening = await listen({
    name: 'https',
    addresses: ['127.0.0.1'],
    ports: [0],
    accept: service.accept,
    log: silentLog,
  })
  t.after(async () => {
    listening.close()
    await service.drain(0)
  })
  return {
    port: listening.port,
    directory,
    service,
    get config() {
      return state.config
    },
    set config(value) {
      state.config = value
    },
    get notReady() {
      return state.notReady
    },
    set notReady(value) {
      state.notReady = value
    },
    async get(path, { headers = {}, method = 'GET', body = '' } = {}) {
      const outgoing = request({
        port: listening.port,
        host: '127.0.0.1',
        path,
        method,
        headers,
        ca: made.certificate,
        servername: 'localhost',
        agent: false,
      })
      return answer(outgoing, body)
    },
  }
}
async function answer(outgoing: ClientRequest, body = '') {
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }
}
const basic = (user: string, password: string, encoding: BufferEncoding = 'utf8'): string =>
  `Basic ${Buffer.from(`${user}:${password}`, encoding).toString('base64')}`

const echo = (protocol: ProtocolName): Route => ({
  name: 'echo',
  matches: (path) => path === '/echo',
  protocol,
  handle: (_request, response, principal) => void response.end(principal?.address),
})

test('Basic: UTF-8 and Latin-1, colons in the password, nonsense', () => {
  assert.deepEqual(readBasic(basic('bob', PASSWORD)), { login: 'bob', password: PASSWORD })
  assert.deepEqual(readBasic(basic('bob', PASSWORD, 'latin1')), { login: 'bob', password: PASSWORD })
  assert.deepEqual(readBasic(basic('EXAMPLE\\bob', '')), { login: 'EXAMPLE\\bob', password: '' })
  for (const bad of [
    undefined,
    '',
    'Basic',
    'Basic !!!',
    'Bearer x',
    `Basic ${Buffer.from('nocolon').toString('base64')}`,
    `Basic ${'A'.repeat(10_000)}`,
  ])
    assert.equal(readBasic(bad), undefined)
  assert.equal(challenge('a"b\r\n'), 'Basic realm="ab", charset="UTF-8"')
})

test('paths: any case, absolute form, query apart', () => {
  assert.equal(pathOf('/AutoDiscover/AutoDiscover.XML?x=Y'), '/autodiscover/autodiscover.xml')
  assert.equal(pathOf('https://mail.example.com/Ping'), '/ping')
  assert.equal(pathOf('*'), undefined)
  assert.equal(pathOf(`/${'x'.repeat(9_000)}`), undefined)
})

test('a protected place: 401 with a challenge, then in; session is Basic per request', async (t) => {
  const it = await web(t, [echo('activesync')])
  const refused = await it.get('/Echo')
  assert.deepEqual(
    [refused.status, refused.headers['www-authenticate']],
    [401, 'Basic realm="mail.example.com", charset="UTF-8"'],
  )
  const wrong = await it.get('/echo', { headers: { authorization: basic('bob@example.com', 'no') } })
  assert.deepEqual(
    [wrong.status, wrong.body, wrong.headers['www-authenticate']],
    [401, refused.body, refused.headers['www-authenticate']],
  )
  for (const encoding of ['utf8', 'latin1'] as const) {
    const right = await it.get('/echo', { headers: { authorization: basic('EXAMPLE\\bob', PASSWORD, encoding) } })
    assert.deepEqual([right.status, right.body], [200, 'bob@example.com'])
  }
  await it.directory.updateMailbox('bob@example.com', { protocols: { activesync: false } })
  const off = await it.get('/echo', { headers: { authorization: basic('bob', PASSWORD) } })
  assert.deepEqual([off.status, off.body], [401, refused.body], 'the same as any other refusal')
})

test('P16: too many wrong passwords are 503 with Retry-After', async (t) => {
  const it = await web(t, [echo('activesync')])
  for (let i = 0; i < 9; i++) await it.get('/echo', { headers: { authorization: basic('bob', `no ${i}`) } })
  const began = performance.now()
  const last = it.get('/echo', { headers: { authorization: basic('bob', 'no 10') } })
  // The tenth is counted before it is answered: a wrong one finds out when, however busy the machine is.
  let throttled = await it.get('/echo', { headers: { authorization: basic('bob', 'no 11') } })
  for (let i = 12; throttled.status !== 503 && i < 20; i++)
    throttled = await it.get('/echo', { headers: { authorization: basic('bob', `no ${i}`) } })
  assert.equal(throttled.status, 503)
  assert.ok(Number(throttled.headers['retry-after']) >= 1)
  assert.equal((await it.get('/echo', { headers: { authorization: basic('bob', PASSWORD) } })).status, 503)
  assert.equal((await last).status, 401)
  assert.ok(performance.now() - began > 2_000, 'the tarpit')
})

test('a held request ends when the account is disabled', async (t) => {
  const hold: Route = { name: 'hold', matches: (path) => path === '/hold', protocol: 'activesync', handle: () => {} }
  const it = await web(t, [hold])
  const held = it.get('/hold', { headers: { authorization: basic('bob', PASSWORD) } })
  const ended = assert.rejects(held)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await it.directory.updateMailbox('bob@example.com', { enabled: false })
  await ended
})

test('a handler that fails is 500 and the server goes on', async (t) => {
  const boom: Route = {
    name: 'boom',
    matches: (path) => path === '/boom',
    async handle() {
      throw new Error('secret detail')
    },
  }
  const it = await web(t, [boom])
  const { status, body } = await it.get('/boom')
  assert.equal(status, 500)
  assert.ok(!body.includes('secret'))
  assert.equal((await it.get('/healthz')).body, 'ok\n')
})

test('health, readiness, unknown paths, methods', async (t) => {
  const it = await web(t)
  assert.equal((await it.get('/readyz')).status, 200)
  it.notReady = 'mailboxes-1: stopped'
  const { status, body } = await it.get('/readyz')
  assert.deepEqual([status, body], [503, 'mailboxes-1: stopped\n'])
  assert.equal((await it.get('/nothing')).status, 404)
  assert.equal((await it.get('/', { method: 'POST', body: 'x' })).status, 405)
  assert.equal((await it.get('/__proto__')).status, 404)
})

test('metrics: for the machine itself, not through a proxy, elsewhere with the token', async (t) => {
  const it = await web(t)
  const { status, body } = await it.get('/metrics')
  assert.equal(status, 200)
  assert.match(body, /^postrider_process_resident_memory_bytes \d+/m)
  assert.equal((await it.get('/metrics', { headers: { 'x-forwarded-for': '192.0.2.1' } })).status, 403)
  it.config = { ...it.config, 'metrics.token': 'open sesame' }
  const headers = { 'x-forwarded-for': '192.0.2.1' }
  assert.equal((await it.get('/metrics', { headers: { ...headers, authorization: 'Bearer open sesame' } })).status, 200)
  assert.equal((await it.get('/metrics', { headers: { ...headers, authorization: 'Bearer no' } })).status, 403)
})

test('R46: the start page has the values from live settings, in two languages, without script', async (t) => {
  const it = await web(t)
  const english = await it.get('/', { headers: { host: 'mail.example.com:8443' } })
  assert.match(english.headers['content-type'] ?? '', /^text\/html/)
  assert.match(String(english.headers['content-security-policy']), /default-src 'none'; style-src 'sha256-/)
  assert.ok(!/<script|javascript:|onload/i.test(english.body))
  assert.match(english.body, /<html lang="en">/)
  assert.match(english.body, /<code>mail\.example\.com:8443<\/code>/)
  assert.match(english.body, /<code>mail\.example\.com<\/code><br>Port: <code>993<\/code><br>Encryption: SSL\/TLS/)
  assert.match(english.body, /Port: <code>587<\/code><br>Encryption: STARTTLS/)
  assert.equal(english.body.match(/not configured/g)?.length, 3, 'R47: nothing outside until it is configured')
  assert.match(english.body, /Incoming \(POP\)<\/th><td>not offered/)
  assert.match(english.body, /leave a copy/, 'R49')
  assert.match(english.body, /AA:BB/)
  it.config = {
    ...it.config,
    'imap.externalConnection': 'out.example.com:993:SSL',
    'submission.externalConnection': 'out.example.com:587:TLS',
  }
  const french = await it.get('/', { headers: { 'accept-language': 'fr-CH, en;q=0.5' } })
  assert.match(french.body, /<html lang="fr">/)
  assert.match(french.body, /<code>out\.example\.com<\/code><br>Port: <code>993<\/code>/)
  assert.equal(french.body.match(/non configuré/g)?.length, 1)
})

test('P9: a Host header cannot put anything into the page', async (t) => {
  const it = await web(t)
  for (const host of ['"><script>', 'a b', 'evil.example/<x>', '', 'x'.repeat(300)])
    assert.equal(hostOf(host), undefined)
  assert.deepEqual(hostOf('[::1]:8443'), { host: '[::1]', port: 8443 })
  assert.deepEqual(hostOf('Mail.Example.com'), { host: 'mail.example.com', port: 443 })
  const { body } = await it.get('/', { headers: { host: '"><script>alert(1)</script>' } })
  assert.ok(!body.includes('<script'))
})

test('R11: a changed external URL is in the next Autodiscover answer', async (t) => {
  const it = await web(t)
  const ask = async (): Promise<string> =>
    (
      await it.get('/AutoDiscover/autodiscover.json?Email=bob@example.com&Protocol=ActiveSync', {
        headers: { host: 'here.example:8443' },
      })
    ).body
  assert.match(await ask(), /https:\/\/here\.example:8443\/Microsoft-Server-ActiveSync/)
  it.config = { ...it.config, externalUrl: 'https://phone.example.com' }
  assert.match(await ask(), /"https:\/\/phone\.example\.com\/Microsoft-Server-ActiveSync"/)
})

test('Autodiscover POX over HTTPS: needs a login, takes any case, refuses large bodies', async (t) => {
  const it = await web(t)
  const mobile = 'http://schemas.microsoft.com/exchange/autodiscover/mobilesync'
  const body = `<Autodiscover xmlns="${mobile}/requestschema/2006"><Request><EMailAddress>bob@example.com</EMailAddress><AcceptableResponseSchema>${mobile}/responseschema/2006</AcceptableResponseSchema></Request></Autodiscover>`
  const path = '/AUTODISCOVER/AutoDiscover.xml'
  assert.equal((await it.get(path, { method: 'POST', body })).status, 401)
  const headers = { authorization: basic('bob@example.com', PASSWORD), 'content-type': 'text/xml' }
  const { status, body: xml } = await it.get(path, { method: 'POST', body, headers })
  assert.equal(status, 200)
  assert.match(xml, /<Type>MobileSync<\/Type>/)
  assert.equal((await it.get(path, { method: 'POST', body: 'x'.repeat(70_000), headers })).status, 413)
  const config = await it.get('/mail/config-v1.1.xml?emailaddress=bob@example.com')
  assert.match(config.body, /<incomingServer type="imap">/)
})

test('redirects of the directory reach Autodiscover', async (t) => {
  const it = await web(t)
  await it.directory.setSetting('autodiscover.redirects', { 'moved.example': 'new.example' })
  const site = siteFor({ config: it.config }, it.directory, () => 443, undefined)
  assert.equal(site.redirect('bob@moved.example'), 'bob@new.example')
  assert.equal(site.redirect('bob@__proto__'), undefined)
  assert.equal(site.url, 'https://mail.example.com')
  assert.deepEqual(externalReach('a.example:993:SSL, b.example:143:tls, nonsense'), [
    { host: 'a.example', port: 993, encryption: 'ssl' },
    { host: 'b.example', port: 143, encryption: 'starttls' },
  ])
})

test('TLS only, no HTTP/2, no TLS 1.1; plain HTTP gets nothing', async (t) => {
  const it = await web(t)
  const outgoing = plainRequest({ port: it.port, host: '127.0.0.1', agent: false })
  outgoing.end()
  await assert.rejects(once(outgoing, 'response'))
  const old = connectTls({
    port: it.port,
    host: '127.0.0.1',
    ca: made.certificate,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1.1',
  })
  await assert.rejects(once(old, 'secureConnect'))
  const both = connectTls({ port: it.port, host: '127.0.0.1', ca: made.certificate, ALPNProtocols: ['h2', 'http/1.1'] })
  await once(both, 'secureConnect')
  assert.equal(both.alpnProtocol, 'http/1.1')
  both.destroy()
})

async function raw(
  t: TestContext,
  port: number,
  allowHalfOpen = false,
): Promise<{ socket: Socket; text: () => string }> {
  // The types do not know allowHalfOpen, the documentation of tls.connect does.
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    port,
    host: '127.0.0.1',
    ca: made.certificate,
    allowHalfOpen,
  }
  const socket = connectTls(options)
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  await once(socket, 'secureConnect')
  return { socket, text: () => text }
}

test('P2: headers too large are 431, nonsense is 400, both close', async (t) => {
  const it = await web(t)
  const large = await raw(t, it.port)
  large.socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`)
  await once(large.socket, 'close')
  assert.match(large.text(), /^HTTP\/1\.1 431 /)
  const odd = await raw(t, it.port)
  odd.socket.write('NONSENSE\r\n\r\n')
  await once(odd.socket, 'close')
  assert.match(odd.text(), /^HTTP\/1\.1 400 /)
})

test('a large body nobody will read does not keep the connection', async (t) => {
  const it = await web(t, [echo('activesync')])
  const { socket, text } = await raw(t, it.port)
  socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nabc')
  await once(socket, 'close')
  assert.match(text(), /^HTTP\/1\.1 401 [\s\S]*Connection: close/)
})

test('a client in the middle of a large body still reads that its password is wrong (RFC 9112 §9.6)', async (t) => {
  const it = await web(t, [echo('activesync')])
  const { socket, text } = await raw(t, it.port)
  socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n')
  const ended = once(socket, 'end')
  const block = Buffer.alloc(65_536)
  for (let sent = 0; sent < 4_000_000; sent += block.length) {
    socket.write(block)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await ended
  assert.match(text(), /^HTTP\/1\.1 401 /)
})

test('P1: a client that neither takes our end nor makes its own is cut off', async (t) => {
  const it = await web(t)
  const { socket, text } = await raw(t, it.port, true)
  socket.write('NONSENSE\r\n\r\n')
  await once(socket, 'data')
  assert.match(text(), /^HTTP\/1\.1 400 /)
  const began = performance.now()
  // It does not mind our end, and talks on.
  const talk = setInterval(() => socket.write('x'), 200)
  while (it.service.size > 0 && performance.now() - began < 8_000)
    await new Promise((resolve) => setTimeout(resolve, 50))
  clearInterval(talk)
  assert.equal(it.service.size, 0)
  assert.ok(performance.now() - began > 1_000, 'it had its time')
})

test('drain: idle connections close at once, running requests finish', async (t) => {
  const slow: Route = {
    name: 'slow',
    matches: (path) => path === '/slow',
    handle: (_request, response) => void setTimeout(() => response.end('done'), 200),
  }
  const it = await web(t, [slow])
  const idle = await raw(t, it.port)
  const running = it.get('/slow')
  await new Promise((resolve) => setTimeout(resolve, 50))
  const closed = once(idle.socket, 'close')
  await it.service.drain(5_000)
  await closed
  assert.equal((await running).body, 'done')
})

test('P1: some pipelined requests are answered; thousands of unanswered ones end the connection', async (t) => {
  const it = await web(t)
  const few = await raw(t, it.port)
  few.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(8))
  const end = performance.now() + 5_000
  while (few.text().split('HTTP/1.1 200 ').length < 9 && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(few.text().split('HTTP/1.1 200 ').length, 9)
  const many = await raw(t, it.port)
  many.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000))
  await once(many.socket, 'close')
  assert.ok(many.text().split('HTTP/1.1 200 ').length <= 17)
})
