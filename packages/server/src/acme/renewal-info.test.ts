import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { noMeter, silentLog } from '@postrider/domain'
import { run, temporaryFolder, until } from '@postrider/testkit/process'
import { without } from '@postrider/testkit/programs'
import { Challenges } from './challenges.ts'
import { AcmeClient, AcmeError } from './client.ts'
import { AcmeKeeper, acmeFile } from './keeper.ts'
import { readRenewalInfo, renewalId } from './renewal-info.ts'

const HOUR = 3_600_000
const LIMIT_MS = 30_000
const skip = without('openssl')

interface Fake {
  readonly directory: string
  /** Ids that were asked about, and orders as they came. */
  readonly asked: string[]
  readonly orders: { readonly replaces?: string }[]
  /** What it answers; undefined: 503. `orderProblem`: to orders that say what they replace. */
  window: { readonly start: string; readonly end: string } | undefined
  retryAfter: number
  orderProblem: string | undefined
}

/** An authority that says when to renew and gives no certificate. */
async function fake(t: TestContext, offers = true): Promise<Fake> {
  const server = createServer((request, response) => {
    const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`
    const answer = (status: number, value: unknown, headers: Record<string, string> = {}): void =>
      void response
        .writeHead(status, { 'Content-Type': 'application/json', 'Replay-Nonce': 'n', ...headers })
        .end(request.method === 'HEAD' ? undefined : JSON.stringify(value))
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      const url = request.url ?? ''
      const problem = (type: string): void => answer(400, { type: `urn:ietf:params:acme:error:${type}`, detail: type })
      if (url === '/directory') {
        const places = ['newNonce', 'newAccount', 'newOrder', ...(offers ? ['renewalInfo'] : [])]
        answer(200, Object.fromEntries(places.map((name) => [name, `${base}/${name}`])))
      } else if (url.startsWith('/renewalInfo/')) {
        it.asked.push(url.slice('/renewalInfo/'.length))
        if (it.window === undefined) answer(503, {})
        else answer(200, { suggestedWindow: it.window }, { 'Retry-After': String(it.retryAfter) })
      } else if (url === '/newAccount') answer(201, {}, { Location: `${base}/account` })
      else if (url === '/newOrder') {
        const order = JSON.parse(Buffer.from(JSON.parse(body).payload, 'base64url').toString()) as { replaces?: string }
        it.orders.push(order)
        if (order.replaces !== undefined && it.orderProblem !== undefined) problem(it.orderProblem)
        else problem('rateLimited')
      } else answer(200, {})
    })
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const it: Fake = {
    directory: `http://127.0.0.1:${(server.address() as { port: number }).port}/directory`,
    asked: [],
    orders: [],
    window: undefined,
    retryAfter: 3_600,
    orderProblem: undefined,
  }
  return it
}

/** A data folder with a certificate for 90 days, whose issuer's key is named. */
async function withCertificate(t: TestContext): Promise<{ folder: string; id: string; until: number }> {
  const folder = temporaryFolder('ari')
  t.after(() => folder[Symbol.dispose]())
  const file = (name: string): string => join(folder.path, name)
  const words = '-x509 -nodes -days 90 -subj /CN=mail.example.com -addext subjectAltName=DNS:mail.example.com'
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -addext authorityKeyIdentifier=keyid:always'
  const made = await run('openssl', [
    'req',
    ...`${words} ${key}`.split(' '),
    ...['-keyout', file('key'), '-out', file('pem')],
  ])
  assert.equal(made.code, 0, made.stderr)
  mkdirSync(join(folder.path, 'acme'))
  writeFileSync(acmeFile(folder.path), readFileSync(file('key'), 'utf8') + readFileSync(file('pem'), 'utf8'))
  const certificate = new X509Certificate(readFileSync(file('pem')))
  const id = renewalId(certificate)
  assert.ok(id)
  const text = (await run('openssl', ['x509', '-in', file('pem'), '-noout', '-ext', 'authorityKeyIdentifier'])).stdout
  const keyId = Buffer.from(id.split('.')[0]!, 'base64url')
  assert.ok(text.replaceAll(':', '').includes(keyId.toString('hex').toUpperCase()), text)
  return { folder: folder.path, id, until: Date.parse(certificate.validTo) }
}

function keeperOf(t: TestContext, dataFolder: string, directory: string): AcmeKeeper {
  const keeper = new AcmeKeeper({
    dataFolder,
    settings: {
      directory,
      email: '',
      names: ['mail.example.com'],
      challenge: 'http-01',
      ca: undefined,
      binding: undefined,
    },
    challenges: new Challenges(silentLog),
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    log: silentLog,
    meter: noMeter,
    onCertificate: () => assert.fail('there is none'),
  })
  t.after(() => keeper.close())
  return keeper
}

test('RFC 9773 §4.2: a window is one, everything else is none', () => {
  const suggestedWindow = { start: '2026-01-02T04:00:00Z', end: '2026-01-03T04:00:00Z' }
  assert.deepEqual(readRenewalInfo({ suggestedWindow, explanationURL: 'https://example.com/why' }), {
    window: { start: Date.UTC(2026, 0, 2, 4), end: Date.UTC(2026, 0, 3, 4) },
    explanation: 'https://example.com/why',
  })
  const { start, end } = suggestedWindow
  for (const one of [
    null,
    {},
    { suggestedWindow: null },
    { suggestedWindow: { start } },
    { suggestedWindow: { start: end, end: start } },
  ])
    assert.equal(readRenewalInfo(one), undefined)
})

test('RFC 9773: the authority’s window decides, is kept, asked again when it says, and an order names what it replaces', {
  skip,
}, async (t) => {
  const { folder, id } = await withCertificate(t)
  const authority = await fake(t)
  const [start, end] = [Date.now() + 20 * HOUR, Date.now() + 30 * HOUR]
  authority.window = { start: new Date(start).toISOString(), end: new Date(end).toISOString() }
  const keeper = keeperOf(t, folder, authority.directory)
  const usual = keeper.dueAt()
  assert.ok(usual > end)
  keeper.start()
  await until('it has asked', () => keeper.dueAt() !== usual, LIMIT_MS)
  const due = keeper.dueAt()
  assert.ok(due >= start && due <= end)
  assert.deepEqual(authority.asked, [id])
  // A restart asks no sooner, and has the same moment.
  const again = keeperOf(t, folder, authority.directory)
  again.start()
  assert.equal(again.dueAt(), due)
  const { nextAsk } = JSON.parse(readFileSync(join(folder, 'acme/renewal.json'), 'utf8')) as { nextAsk: number }
  assert.ok(nextAsk > Date.now() + HOUR / 2 && nextAsk <= Date.now() + HOUR)
  // Another authority knows nothing of it.
  assert.ok(keeperOf(t, folder, 'http://127.0.0.1:9/directory').dueAt() > end)
  await assert.rejects(keeper.renew(), /rateLimited/)
  assert.deepEqual(
    authority.orders.map(({ replaces }) => replaces),
    [id],
  )
  assert.equal(authority.asked.length, 1)
})

test('RFC 9773 §4.3.3: a window that is over renews at once; one that lies behind the end, or none, leaves the fixed time', {
  skip,
}, async (t) => {
  const { folder, until: ends } = await withCertificate(t)
  const authority = await fake(t)
  const keeper = keeperOf(t, folder, authority.directory)
  const usual = keeper.dueAt()
  keeper.start()
  await until('it has asked in vain', () => authority.asked.length === 1, LIMIT_MS)
  assert.equal(keeper.dueAt(), usual)
  const over = await withCertificate(t)
  authority.window = { start: new Date(ends + HOUR).toISOString(), end: new Date(ends + 2 * HOUR).toISOString() }
  const late = keeperOf(t, over.folder, authority.directory)
  const fixed = late.dueAt()
  late.start()
  await until('it has asked', () => authority.asked.length === 2, LIMIT_MS)
  assert.equal(late.dueAt(), fixed)
  const third = await withCertificate(t)
  authority.window = {
    start: new Date(Date.now() - 2 * HOUR).toISOString(),
    end: new Date(Date.now() - HOUR).toISOString(),
  }
  keeperOf(t, third.folder, authority.directory).start()
  await until('it has ordered', () => authority.orders.length === 1, LIMIT_MS)
  assert.equal(authority.orders[0]?.replaces, third.id)
})

test('an authority that says it was replaced already gets an order without; one without such things is not told', {
  skip,
}, async (t) => {
  const { folder, id } = await withCertificate(t)
  const authority = await fake(t)
  authority.orderProblem = 'alreadyReplaced'
  await assert.rejects(keeperOf(t, folder, authority.directory).renew(), /rateLimited/)
  assert.deepEqual(
    authority.orders.map(({ replaces }) => replaces),
    [id, undefined],
  )
  const plain = await fake(t, false)
  await assert.rejects(keeperOf(t, (await withCertificate(t)).folder, plain.directory).renew(), /rateLimited/)
  assert.deepEqual(
    plain.orders.map(({ replaces }) => replaces),
    [undefined],
  )
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const client = (directory: string) => new AcmeClient({ directory, email: '', key, ca: undefined, binding: undefined })
  assert.equal(await client(plain.directory).renewalInfo(id), undefined)
  await assert.rejects(client(authority.directory).renewalInfo(id), AcmeError)
})
