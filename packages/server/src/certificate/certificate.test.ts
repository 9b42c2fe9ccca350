import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { CertificateError, ensureCertificate, ownFiles, readCertificate, selfSigned } from './index.ts'

test('the self-signed certificate is one a TLS client accepts for each of its names', async () => {
  const names = ['mail.example.com', 'example.com', 'localhost', '127.0.0.1', '::1', '2001:db8::25']
  const { certificate, key } = selfSigned(names, Date.now())
  const parsed = new X509Certificate(certificate)
  for (const name of ['mail.example.com', 'example.com', 'localhost']) assert.equal(parsed.checkHost(name), name)
  for (const ip of ['127.0.0.1', '::1', '2001:db8::25']) assert.equal(parsed.checkIP(ip), ip)
  assert.equal(parsed.checkHost('evil.example'), undefined)
  assert.ok(parsed.verify(parsed.publicKey))
  const life = Date.parse(parsed.validTo) - Date.parse(parsed.validFrom)
  assert.ok(life > 800 * 86_400_000 && life <= 825 * 86_400_000, 'Apple takes no longer one')
  assert.ok(Date.parse(parsed.validFrom) < Date.now())

  const server = createServer({ cert: certificate, key }, (socket) => socket.end('hello'))
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'mail.example.com', ca: certificate })
    socket.once('data', (data) => resolve(data.toString()))
    socket.once('error', reject)
  })
  server.close()
  assert.equal(text, 'hello')
})

test('serial numbers and keys differ', () => {
  const one = selfSigned(['a.example'], 0)
  const two = selfSigned(['a.example'], 0)
  assert.notEqual(one.key, two.key)
  assert.notEqual(new X509Certificate(one.certificate).serialNumber, new X509Certificate(two.certificate).serialNumber)
})

test('made once, the key readable by its owner only; wrong files are named', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = ownFiles(folder)
  assert.equal(ensureCertificate(files, ['mail.example.com'], Date.now()), true)
  const first = readCertificate(files)
  assert.equal(ensureCertificate(files, ['mail.example.com'], Date.now()), false)
  assert.equal(readCertificate(files).fingerprint, first.fingerprint)
  assert.equal(first.selfSigned, true)
  assert.equal(statSync(files.key).mode & 0o777, 0o600)

  const days = 86_400_000
  assert.equal(ensureCertificate(files, ['mail.example.com'], Date.now() + 780 * days), false)
  assert.equal(
    ensureCertificate(files, ['mail.example.com'], Date.now() + 800 * days),
    true,
    'made anew before it ends',
  )
  assert.notEqual(readCertificate(files).fingerprint, first.fingerprint)

  const other = selfSigned(['x.example'], Date.now())
  writeFileSync(files.key, other.key)
  assert.throws(
    () => readCertificate(files),
    (error) => error instanceof CertificateError && /does not belong/.test(error.message),
  )
  writeFileSync(files.key, 'nonsense')
  assert.throws(() => readCertificate(files), /holds no private key/)
  writeFileSync(files.certificate, 'nonsense')
  assert.throws(() => readCertificate(files), /holds no certificate/)
  rmSync(files.certificate)
  assert.throws(() => readCertificate(files), /cannot be read/)
})
