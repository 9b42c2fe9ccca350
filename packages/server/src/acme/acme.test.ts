import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect as connectPlain, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { noMeter, silentLog } from '@postrider/domain'
import { run, temporaryFolder } from '@postrider/testkit/process'
import { without } from '@postrider/testkit/programs'
import fc from 'fast-check'
import { selfSigned } from '../certificate/index.ts'
import { Challenges } from './challenges.ts'
import { readClientHello } from './client-hello.ts'
import { certificateRequest } from './csr.ts'
import { AcmeKeeper, acmeFile, acmeState, renewalTime } from './keeper.ts'
import { jwkOf, signed, thumbprint } from './jws.ts'

test('a JWS is ES256 over header and payload; the thumbprint is RFC 7638’s', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jws = signed(privateKey, { nonce: 'n', url: 'u' }, { a: 1 })
  const text = Buffer.from(`${jws.protected}.${jws.payload}`)
  const key = createPublicKey({ key: { ...jwkOf(privateKey) }, format: 'jwk' })
  assert.ok(verify('sha256', text, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(jws.signature, 'base64url')))
  assert.equal(signed(privateKey, {}, undefined).payload, '', 'POST-as-GET')
  assert.equal(thumbprint(privateKey).length, 43)
})

test('a certification request is one OpenSSL takes, for all names', { skip: without('openssl') }, async () => {
  const { csr } = certificateRequest(['mail.example.com', 'autodiscover.example.com'])
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${csr.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  const { code, stdout, stderr } = await run('openssl', ['req', '-verify', '-noout', '-text'], { input: pem })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /DNS:mail\.example\.com, DNS:autodiscover\.example\.com/)
})

test('RFC 8737: who asks for acme-tls/1 gets the challenge’s certificate, everybody else the server', async (t) => {
  const challenges = new Challenges(silentLog)
  const others: Socket[] = []
  const accept = challenges.guard((socket) => {
    others.push(socket)
    socket.on('error', () => {})
    socket.once('data', (bytes: Buffer) => socket.end(`got ${bytes.length}`))
  })
  const server = createServer(accept).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const undo = challenges.answer('tls-alpn-01', 'mail.example.com', 'token', 'token.print')
  const validator = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'mail.example.com',
    ALPNProtocols: ['acme-tls/1'],
    rejectUnauthorized: false,
  })
  await once(validator, 'secureConnect')
  assert.equal(validator.alpnProtocol, 'acme-tls/1')
  const shown = new X509Certificate(validator.getPeerCertificate(true).raw)
  assert.match(shown.subjectAltName ?? '', /^DNS:mail\.example\.com$/)
  assert.ok(shown.raw.includes(Buffer.from('06082b0601050507011f', 'hex')), 'acmeIdentifier')
  validator.destroy()
  const plain = async (bytes: string): Promise<string> => {
    const socket = connectPlain({ port, host: '127.0.0.1' })
    socket.write(bytes)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return answer.toString()
  }
  assert.equal(await plain('GET / HTTP/1.1\r\n\r\n'), 'got 18', 'what was looked at is not lost')
  const client = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'mail.example.com',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  })
  await assert.rejects(once(client, 'secureConnect'), 'it is handed on: no TLS behind here')
  undo()
  assert.equal(await plain('hello'), 'got 5')
})

test('whatever comes as first bytes, reading it ends and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, isHello) => {
      const head = isHello
        ? Buffer.from([22, 3, 1, 0, noise.length, 1, 0, 0, Math.max(0, noise.length - 4)])
        : Buffer.alloc(0)
      const found = readClientHello(Buffer.concat([head, noise]))
      assert.ok(found === 'more' || found === undefined || typeof found.name === 'string')
    }),
  )
})

test('renewal is due after two thirds of the life, with some jitter, and after a failure with growing pauses', async () => {
  const day = 86_400_000
  assert.equal(renewalTime(0, 90 * day, 0), 60 * day)
  assert.ok(renewalTime(0, 90 * day, 1) <= 62 * day)
  using folder = temporaryFolder('acme')
  let now = Date.now()
  const keeper = new AcmeKeeper({
    dataFolder: folder.path,
    settings: {
      directory: 'http://127.0.0.1:1/none',
      email: '',
      names: ['mail.example.com'],
      challenge: 'http-01',
      ca: undefined,
      binding: undefined,
    },
    challenges: new Challenges(silentLog),
    clock: { now: () => now, monotonic: () => 0 },
    log: silentLog,
    meter: noMeter,
    onCertificate: () => assert.fail('there is none'),
  })
  assert.equal(keeper.dueAt(), 0, 'there is no certificate')
  for (const minutes of [10, 20, 40]) {
    await assert.rejects(keeper.renew(), /cannot be reached/)
    assert.equal(keeper.dueAt(), now + minutes * 60_000)
    assert.match(acmeState(folder.path)?.lastError ?? '', /cannot be reached/)
    now = keeper.dueAt()
  }
  const { certificate, key } = selfSigned(['mail.example.com'], now)
  mkdirSync(join(folder.path, 'acme'), { recursive: true })
  writeFileSync(acmeFile(folder.path), key + certificate)
  assert.ok(keeper.dueAt() > now + 500 * day, 'the certificate lives for 820 days')
  keeper.configure({
    directory: 'http://127.0.0.1:1/none',
    email: '',
    names: ['other.example.com'],
    challenge: 'http-01',
    ca: undefined,
    binding: undefined,
  })
  assert.equal(keeper.dueAt(), 0, 'it does not have the new name')
  await keeper.close()
})
