import assert from 'node:assert/strict'
import type { lookup } from 'node:dns'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { pushSender } from './sender.ts'

const inside = [
  'https://127.0.0.1/x',
  'https://[::1]/x',
  'https://10.0.0.7/x',
  'https://[::ffff:192.168.0.1]/x',
  'https://169.254.169.254/latest/meta-data',
]

test('nothing inside is reached: by number, by name, by one address among others; no plain http', async () => {
  const to = (...addresses: string[]) =>
    pushSender({
      allowPrivate: () => false,
      resolve: ((_host: string, _options: unknown, done: (error: null, found: unknown) => void) =>
        done(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        )) as unknown as typeof lookup,
    })
  for (const url of inside)
    await assert.rejects(to('203.0.113.1').post(url, {}, Buffer.from('x')), /private network/, url)
  await assert.rejects(to('10.1.2.3').post('https://push.example/', {}, Buffer.from('x')), /private network/)
  await assert.rejects(
    to('203.0.113.1', '127.0.0.1').post('https://push.example/', {}, Buffer.from('x')),
    /private network/,
  )
  await assert.rejects(to('203.0.113.1').post('http://push.example/', {}, Buffer.from('x')), /no https/)
})

test('where the administrator allows it, a service inside is reached; redirects are not followed', async (t) => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.writeHead(302, { Location: '/elsewhere', 'Retry-After': '7' }).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const answer = await pushSender({ allowPrivate: () => true }).post(
    `http://127.0.0.1:${port}/a`,
    { TTL: '1' },
    Buffer.from('x'),
  )
  assert.deepEqual([answer, seen], [{ status: 302, retryAfterMs: 7_000 }, ['/a']])
})
