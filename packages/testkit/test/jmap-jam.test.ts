/**
 * A public client: what jmap-jam 0.13.1 (npm, MIT) sent to this server when it was tried by hand in November 2026, over a fresh mailbox, call
 * by call. It signs in by bearer token, which is not offered here: its requests went with Basic. Names in braces stand for ids of the day.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { type Args, JmapClient } from '../src/jmap/index.ts'
import { TestServer } from '../src/server/index.ts'

interface Step {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly status: number
  readonly names?: readonly (string | readonly ['error', string])[]
}

const PASSWORD = 'correct horse battery'
const transcript = new URL('clients/jmap-jam-0.13.1.json', import.meta.url)

test('jmap-jam: session, upload, import, references, moving, sending, download, changes, errors', {
  timeout: 120_000,
}, async () => {
  await using server = await TestServer.start({ config: { domain: 'example.com' } })
  for (const name of ['ann', 'ben']) await server.addUser(`${name}@example.com`, PASSWORD)
  const connect = (user: string) =>
    new JmapClient({ port: server.port('https'), user, password: PASSWORD, tls: true }).connect()
  const client = await connect('ann@example.com')
  const boxes: Args[] = (await client.call('Mailbox/get')).list
  const of = (role: string): string => boxes.find((one) => one.role === role)?.id
  const known = new Map([
    ['account', client.account],
    ...['inbox', 'drafts', 'sent', 'archive'].map((role) => [role, of(role)] as const),
    ['identity', (await client.call('Identity/get')).list[0].id],
    ['state', (await client.call('Email/get', { ids: [] })).state],
  ])
  const filled = (text: string): string => text.replace(/\{(\w+)\}/g, (whole, name: string) => known.get(name) ?? whole)
  const steps = JSON.parse(await readFile(transcript, 'utf8')) as Step[]
  for (const { method, path, body, status, names } of steps) {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    const headers: Record<string, string> = typeof body === 'object' ? { 'content-type': 'application/json' } : {}
    const answer = await client.http(method, filled(path), filled(text), headers)
    // Fetch follows to the session; here the redirect itself is seen.
    assert.equal(answer.status, path === '/.well-known/jmap' ? 307 : status, `${method} ${path}`)
    if (names === undefined) {
      if (path.startsWith('/jmap/upload/')) known.set('upload', JSON.parse(answer.body.toString()).blobId)
      continue
    }
    const { methodResponses } = JSON.parse(answer.body.toString()) as { methodResponses: [string, Args, string][] }
    const got = methodResponses.map(([name, args]) => (name === 'error' ? ['error', args.type] : name))
    assert.deepEqual(got, names, filled(text))
    for (const [name, { created, total }] of methodResponses) {
      if (name === 'Email/import') {
        known.set('email', created.a.id).set('blob', created.a.blobId).set('thread', created.a.threadId)
      }
      if (name === 'Email/query') assert.equal(total, 1)
    }
  }
  const ben = await connect('ben@example.com')
  const arrived = async (): Promise<number> =>
    (await ben.call('Email/query', { filter: { subject: 'From jam' } })).ids.length
  for (const end = Date.now() + 60_000; (await arrived()) === 0; await new Promise((next) => setTimeout(next, 100)))
    assert.ok(Date.now() < end, 'it arrived')
})
