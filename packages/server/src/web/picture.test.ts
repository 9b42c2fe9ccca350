import assert from 'node:assert/strict'
import type { lookup } from 'node:dns'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@postrider/domain'
import { MAX_PICTURE_BYTES, pictureAddress, pictureFetcher, pictureType, signPicture } from './picture.ts'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

async function site(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
/** A resolver that says what it is told. */
const resolving = (address: string) =>
  ((_host: string, _options: unknown, callback: (error: null, found: unknown) => void) =>
    callback(null, [{ address, family: address.includes(':') ? 6 : 4 }])) as unknown as typeof lookup

test('a picture comes through with nothing of the user in the request, typed by its bytes', async (t) => {
  let seen: IncomingMessage['headers'] = {}
  const at = await site(t, (request, response) => {
    seen = request.headers
    response.writeHead(200, { 'Content-Type': 'text/html', 'Set-Cookie': 'a=b' })
    response.end(PNG)
  })
  const fetcher = pictureFetcher(systemClock, { allowPrivate: true })
  const found = await fetcher.fetch(`${at}/x.png`, 'a')
  assert.ok(typeof found === 'object')
  assert.equal(found.type, 'image/png')
  assert.deepEqual(found.bytes, PNG)
  assert.deepEqual(Object.keys(seen).sort(), ['accept', 'connection', 'host', 'user-agent'])
})

test('nothing inside private networks is asked: by number, by name, by redirect, by odd spelling', async (t) => {
  let asked = 0
  const at = await site(t, (_request, response) => {
    asked++
    response.end(PNG)
  })
  const fetcher = pictureFetcher(systemClock)
  const { port } = new URL(at)
  for (const url of [
    at,
    `http://localhost:${port}/`,
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://[fe80::1]/',
    'http://[fd00::1]/',
    'http://0.0.0.0/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'http://user@example.com/',
    'x',
  ])
    assert.equal(await fetcher.fetch(url, 'a'), 'address', url)
  for (const address of ['127.0.0.1', '10.1.2.3', '::1', '::ffff:10.0.0.1', '169.254.169.254'])
    assert.equal(
      await pictureFetcher(systemClock, { resolve: resolving(address) }).fetch('http://public.example/', 'a'),
      'address',
      address,
    )
  assert.equal(asked, 0)
})

test('limits: size, type, status, redirects', async (t) => {
  const at = await site(t, (request, response) => {
    if (request.url === '/large') response.writeHead(200).end(Buffer.concat([PNG, Buffer.alloc(MAX_PICTURE_BYTES)]))
    else if (request.url === '/said')
      response.writeHead(200, { 'Content-Length': String(MAX_PICTURE_BYTES + 1) }).write(PNG)
    else if (request.url === '/svg')
      response.end('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    else if (request.url === '/html') response.writeHead(200, { 'Content-Type': 'image/png' }).end('<html>')
    else if (request.url === '/loop') response.writeHead(302, { Location: '/loop' }).end()
    else if (request.url === '/once') response.writeHead(301, { Location: '/ok' }).end()
    else if (request.url === '/ok') response.end(PNG)
    else response.writeHead(404).end()
  })
  const fetcher = pictureFetcher(systemClock, { allowPrivate: true })
  for (const [path, want] of [
    ['large', 'large'],
    ['said', 'large'],
    ['svg', 'type'],
    ['html', 'type'],
    ['loop', 'redirects'],
    ['none', 'status'],
  ] as const)
    assert.equal(await fetcher.fetch(`${at}/${path}`, 'a'), want, path)
  assert.ok(typeof (await fetcher.fetch(`${at}/once`, 'a')) === 'object')
  assert.equal(pictureType(Buffer.from('')), undefined)
})

test('an address is good for the account it was made for', () => {
  const secret = Buffer.alloc(32, 1)
  const address = pictureAddress(secret, 'a')('https://example.com/x?y=1&z=2')
  const { searchParams } = new URL(address, 'https://localhost')
  assert.equal(searchParams.get('u'), 'https://example.com/x?y=1&z=2')
  assert.equal(searchParams.get('s'), signPicture(secret, 'a', 'https://example.com/x?y=1&z=2'))
  assert.notEqual(searchParams.get('s'), signPicture(secret, 'b', 'https://example.com/x?y=1&z=2'))
})
