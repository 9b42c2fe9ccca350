/** JMAP over a WebSocket, RFC 8887, against the real program. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { PlainBrowser } from '@postrider/testkit/browser'
import type { Args } from '@postrider/testkit/jmap'
import { JmapClient } from '@postrider/testkit/jmap'
import { until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'
import { WebSocket } from 'ws'

const USING = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail']
const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
let it: TestServer
let url = ''
let basic = ''
const open = new Set<WebSocket>()
before(async () => {
  it = await TestServer.start()
  await it.addUser(ADA, PASSWORD)
  basic = `Basic ${Buffer.from(`${ADA}:${PASSWORD}`).toString('base64')}`
  const jmap = await client()
  url = String(jmap.session.capabilities['urn:ietf:params:jmap:websocket'].url)
})
after(async () => {
  for (const one of open) one.terminate()
  await it?.[Symbol.asyncDispose]()
})
const client = () => new JmapClient({ port: it.port('https'), user: ADA, password: PASSWORD, tls: true }).connect()

class Line {
  readonly socket: WebSocket
  readonly got: Args[] = []
  constructor(headers: Record<string, string> = { authorization: basic }, protocols: string[] = ['jmap']) {
    const at = new URL(url)
    this.socket = new WebSocket(`wss://127.0.0.1:${it.port('https')}${at.pathname}`, protocols, {
      rejectUnauthorized: false,
      headers,
    })
    open.add(this.socket)
    this.socket.on('error', () => {})
    this.socket.on('message', (data: Buffer) => this.got.push(JSON.parse(data.toString()) as Args))
  }
  async opened(): Promise<this> {
    await once(this.socket, 'open')
    return this
  }
  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }
  async next(what: string, fits: (one: Args) => boolean): Promise<Args> {
    await until(what, () => this.got.some(fits), 30_000)
    return this.got.find(fits) as Args
  }
}
const refused = async (line: Line): Promise<number> =>
  new Promise((done) => line.socket.on('unexpected-response', (_request, response) => done(response.statusCode ?? 0)))

test('RFC 8887 §3, §4.3: the session names it; requests are answered by their ids, in any order, errors too', async () => {
  assert.match(url, /^wss:\/\/.*\/jmap\/ws$/)
  const line = await new Line().opened()
  assert.equal(line.socket.protocol, 'jmap')
  line.send({ '@type': 'Request', id: 'a', using: USING, methodCalls: [['Core/echo', { x: 1 }, '0']] })
  line.send({ '@type': 'Request', using: USING, methodCalls: [['Core/echo', { x: 2 }, '0']] })
  line.send({ '@type': 'Request', id: 'b', using: ['urn:unknown'], methodCalls: [] })
  line.send('{')
  line.send({ '@type': 'Nonsense', id: 'c' })
  const first = await line.next('a response', ({ requestId }) => requestId === 'a')
  assert.equal(first['@type'], 'Response')
  assert.deepEqual(first.methodResponses, [['Core/echo', { x: 1 }, '0']])
  assert.equal(typeof first.sessionState, 'string')
  const bare = await line.next('one without an id', (one) => one['@type'] === 'Response' && !('requestId' in one))
  assert.deepEqual(bare.methodResponses, [['Core/echo', { x: 2 }, '0']])
  const problem = await line.next('a problem', ({ requestId }) => requestId === 'b')
  assert.deepEqual([problem['@type'], problem.type], ['RequestError', 'urn:ietf:params:jmap:error:unknownCapability'])
  const broken = await line.next('a problem without an id', (one) => one.requestId === null)
  assert.equal(broken.type, 'urn:ietf:params:jmap:error:notJSON')
  assert.equal(
    (await line.next('another', ({ requestId }) => requestId === 'c')).type,
    'urn:ietf:params:jmap:error:notRequest',
  )
})

test('RFC 8887 §4.3.5: changes are told while they are wanted, and from where one was', async () => {
  const line = await new Line().opened()
  line.send({ '@type': 'WebSocketPushEnable', dataTypes: ['Mailbox'] })
  // Enabled when it answers the next message.
  line.send({
    '@type': 'Request',
    id: 'r',
    using: USING,
    methodCalls: [['Mailbox/get', { accountId: (await client()).account }, '0']],
  })
  await line.next('the response', ({ requestId }) => requestId === 'r')
  const jmap = await client()
  const make = (name: string) => jmap.call('Mailbox/set', { create: { a: { name } } })
  const told = (from: number): Args[] => line.got.slice(from).filter((one) => one['@type'] === 'StateChange')
  await until(
    'a change',
    async () => {
      if (told(0).length === 0) await make(`Box ${Math.random()}`)
      return told(0).length > 0
    },
    30_000,
  )
  const [change] = told(0)
  assert.deepEqual(Object.keys(change?.changed[jmap.account]), ['Mailbox'])
  assert.equal(typeof change?.pushState, 'string')
  line.send({ '@type': 'WebSocketPushDisable' })
  line.send({ '@type': 'Request', id: 'off', using: USING, methodCalls: [] })
  await line.next('it is off', ({ requestId }) => requestId === 'off')
  await new Promise((done) => setTimeout(done, 500))
  const before = line.got.length
  await make('Silence')
  await new Promise((done) => setTimeout(done, 1_000))
  assert.equal(told(before).length, 0)
  // Another connection goes on from the last position.
  const second = await new Line().opened()
  second.send({ '@type': 'WebSocketPushEnable', dataTypes: null, pushState: change?.pushState })
  const missed = await second.next('what was missed', (one) => one['@type'] === 'StateChange')
  assert.ok('Mailbox' in missed.changed[jmap.account])
})

test('without the subprotocol, without a password, from another site: no; a page of our own with its cookie: yes', async () => {
  assert.equal(await refused(new Line({ authorization: basic }, [])), 400)
  assert.equal(await refused(new Line({})), 401)
  const browser = new PlainBrowser(it.port('https'))
  browser.scripts = true
  await browser.signIn(ADA, PASSWORD)
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const origin = `https://127.0.0.1:${it.port('https')}`
  assert.equal(await refused(new Line({ cookie, origin: 'https://evil.example' })), 403)
  const own = await new Line({ cookie, origin }).opened()
  own.send({ '@type': 'Request', id: 'a', using: USING, methodCalls: [['Core/echo', {}, '0']] })
  await own.next('a response', ({ requestId }) => requestId === 'a')
  // Signing out ends it.
  const session = JSON.parse((await browser.send('GET', '/web/session')).text) as { csrf: string }
  await browser.send('POST', '/signout', { headers: { 'Postrider-Csrf': session.csrf } })
  await until('the end', () => own.socket.readyState === WebSocket.CLOSED, 30_000)
  browser.close()
})

test('limits: binary messages, messages too large, too many requests at once', async () => {
  const binary = await new Line().opened()
  binary.socket.send(Buffer.from('{}'))
  assert.equal((await once(binary.socket, 'close'))[0], 1003)
  const large = await new Line().opened()
  large.socket.send('x'.repeat(10 * 1024 * 1024 + 1))
  assert.equal((await once(large.socket, 'close'))[0], 1009)
  const many = await new Line().opened()
  const calls = Array.from({ length: 30 }, (_, i) => ['Mailbox/query', { accountId: 'x' }, String(i)])
  for (let i = 0; i < 40; i++) many.send({ '@type': 'Request', id: `m${i}`, using: USING, methodCalls: calls })
  await until('all are answered', () => many.got.length === 40, 30_000)
  assert.ok(many.got.every((one) => one['@type'] === 'Response' || one.limit === 'maxConcurrentRequests'))
})

test('a plain request there is told to upgrade; another upgrade elsewhere is answered as if it had not asked', async () => {
  const jmap = await client()
  assert.equal((await jmap.http('GET', '/jmap/ws')).status, 426)
  assert.equal((await jmap.http('GET', '/jmap/session', '', { connection: 'upgrade', upgrade: 'h2c' })).status, 200)
})
