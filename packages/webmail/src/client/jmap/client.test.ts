import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JmapClient, JmapError, OfflineError } from './client.ts'
import { type Session, urn } from './types.ts'

interface Sent {
  readonly using: readonly string[]
  readonly methodCalls: readonly [string, Record<string, unknown>, string][]
}

const session: Session = {
  capabilities: { [urn.core]: { maxCallsInRequest: 4 } },
  accounts: {},
  primaryAccounts: {},
  username: 'ada@example.org',
  apiUrl: 'https://elsewhere.example/jmap/api',
  downloadUrl: 'https://elsewhere.example/jmap/download/{accountId}/{blobId}/{name}?type={type}',
  uploadUrl: '/jmap/upload/{accountId}/',
  eventSourceUrl: '/jmap/events?types={types}&closeafter={closeafter}&ping={ping}',
  state: 's',
}

function clientOf(answer: (sent: Sent) => Response | Promise<Response>) {
  const sent: Sent[] = []
  const urls: string[] = []
  const headers: Record<string, string>[] = []
  let signedOut = 0
  const reached: boolean[] = []
  const client = new JmapClient({
    session,
    accountId: 'u1',
    headers: () => ({ 'X-Token': 'abc' }),
    onSignedOut: () => signedOut++,
    onReach: (value) => reached.push(value),
    fetch: (async (url: string, init: RequestInit) => {
      urls.push(url)
      headers.push(init.headers as Record<string, string>)
      const body = JSON.parse(String(init.body)) as Sent
      sent.push(body)
      return await answer(body)
    }) as unknown as typeof fetch,
  })
  return { client, sent, urls, headers, reached, signedOut: () => signedOut }
}
const echo = (body: Sent): Response =>
  Response.json({ methodResponses: body.methodCalls.map(([name, args, id]) => [name, { ...args, list: [name] }, id]) })

test('RFC 8620 §3.7: calls of one turn go out as one request, with references between them', async () => {
  const { client, sent, urls, headers } = clientOf(echo)
  const query = client.call('Email/query', { filter: null, sort: [] })
  const get = client.call('Email/get', { ids: query.ref('/ids') })
  const [, answer] = await Promise.all([query, get])
  assert.equal(sent.length, 1)
  assert.deepEqual(urls, ['/jmap/api'], 'by its path, on our own origin')
  assert.equal(headers[0]?.['X-Token'], 'abc')
  const [first, second] = sent[0]?.methodCalls ?? []
  assert.equal(first?.[1].accountId, 'u1')
  assert.deepEqual(second?.[1]['#ids'], { resultOf: first?.[2], name: 'Email/query', path: '/ids' })
  assert.deepEqual(answer.list, ['Email/get'])
})

test('RFC 8620 §2: no request has more calls than the server takes', async () => {
  const { client, sent } = clientOf(echo)
  await Promise.all(Array.from({ length: 10 }, () => client.call('Mailbox/get', { ids: null }).then(() => 0)))
  assert.deepEqual(
    sent.map((one) => one.methodCalls.length),
    [4, 4, 2],
  )
})

test('RFC 8620 §3.6.2: an error of one method is the error of its call only', async () => {
  const { client } = clientOf((body) =>
    Response.json({
      methodResponses: body.methodCalls.map(([name, args, id]) =>
        name === 'Thread/get' ? ['error', { type: 'requestTooLarge' }, id] : [name, args, id],
      ),
    }),
  )
  const [good, bad] = await Promise.allSettled([client.call('Mailbox/get', {}), client.call('Thread/get', {})])
  assert.equal(good.status, 'fulfilled')
  assert.ok(bad.status === 'rejected' && bad.reason instanceof JmapError && bad.reason.type === 'requestTooLarge')
})

test('a server that cannot be reached is told apart from one that refuses; 401 ends the session', async () => {
  const away = clientOf(() => Promise.reject(new TypeError('network')))
  await assert.rejects(async () => await away.client.call('Mailbox/get', {}), OfflineError)
  assert.deepEqual(away.reached, [false])
  const busy = clientOf(() => new Response('', { status: 503 }))
  await assert.rejects(async () => await busy.client.call('Mailbox/get', {}), OfflineError)
  const out = clientOf(() => new Response('', { status: 401 }))
  await assert.rejects(
    async () => await out.client.call('Mailbox/get', {}),
    (error: JmapError) => error.type === 'signedOut',
  )
  assert.equal(out.signedOut(), 1)
})

test('addresses are filled in and stay on the page’s origin', () => {
  const { client } = clientOf(echo)
  assert.equal(client.downloadUrl('b/1', 'a b.png', 'image/png'), '/jmap/download/u1/b%2F1/a%20b.png?type=image%2Fpng')
  assert.equal(
    client.eventSourceUrl(['Email', 'Mailbox'], 60),
    '/jmap/events?types=Email,Mailbox&closeafter=no&ping=60',
  )
})
