/** Certificates of the running program: from an authority (Debian's pebble), from files that change, for several names. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { freePorts, run, start, temporaryFolder, until } from '@postrider/testkit/process'
import { without } from '@postrider/testkit/programs'
import { TestServer } from '@postrider/testkit/server'
import { selfSigned } from '../src/certificate/index.ts'

/** The certificate a port shows to who asks for a name. */
async function shown(port: number, servername: string): Promise<DetailedPeerCertificate> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerCertificate(true)
  socket.destroy()
  return certificate
}

/** An authority for tests: every name leads to 127.0.0.1, and to the ports it is told. */
async function pebble(
  t: TestContext,
  ports: { http: number; tls: number },
  binding = false,
): Promise<{ directory: string; ca: string }> {
  const folder = temporaryFolder('pebble')
  t.after(() => folder[Symbol.dispose]())
  const [listen, dns] = [await freePorts(2), await freePorts(3)]
  const { certificate, key } = selfSigned(['localhost', '127.0.0.1'], Date.now())
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder.path, name), text)
    return join(folder.path, name)
  }
  const ca = file('certificate.pem', certificate)
  const config = {
    listenAddress: `127.0.0.1:${listen}`,
    managementListenAddress: `127.0.0.1:${listen + 1}`,
    certificate: ca,
    privateKey: file('key.pem', key),
    httpPort: ports.http,
    tlsPort: ports.tls,
    ocspResponderURL: '',
    externalAccountBindingRequired: binding,
    externalAccountMACKeys: { 'kid-1': 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' },
  }
  const names = start('pebble-challtestsrv', [
    '-dns01',
    `127.0.0.1:${dns}`,
    '-management',
    `127.0.0.1:${dns + 1}`,
    '-defaultIPv6',
    '',
    '-defaultIPv4',
    '127.0.0.1',
    '-http01',
    '',
    '-https01',
    '',
    '-tlsalpn01',
    '',
  ])
  const child = start(
    'pebble',
    ['-config', file('config.json', JSON.stringify({ pebble: config })), '-dnsserver', `127.0.0.1:${dns}`],
    {
      env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' },
    },
  )
  let output = ''
  for (const one of [names, child]) {
    one.stdout?.on('data', (text: Buffer) => (output += text.toString()))
    one.stderr?.on('data', (text: Buffer) => (output += text.toString()))
    t.after(() => one.kill('SIGKILL'))
  }
  await until('pebble listens', () => /ACME directory available/.test(output), 10_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${output}`)
  })
  return { directory: `https://localhost:${listen}/dir`, ca }
}

const names = ['mail.example.com', 'autodiscover.example.com']
const skip = without('pebble', 'pebble-challtestsrv')

async function certificates(it: TestServer, command = 'show') {
  const { code, stdout, stderr } = await it.command(['certificate', command, '--json'])
  assert.equal(code, 0, stdout + stderr)
  return JSON.parse(stdout) as readonly {
    names: string
    issuer: string
    days: number
    fingerprint: string
    renewal: string | null
    problem: string | null
  }[]
}

for (const challenge of ['tls-alpn-01', 'http-01'] as const)
  test(`ACME by ${challenge}: the first certificate comes by itself, is kept over a restart, is renewed on demand; sessions go on`, {
    skip,
    timeout: 90_000,
  }, async (t) => {
    const folder = temporaryFolder('acme-server')
    t.after(() => folder[Symbol.dispose]())
    const httpPort = await freePorts(1)
    const https = await freePorts(8)
    const eab = challenge === 'http-01'
    const { directory, ca } = await pebble(t, { http: httpPort, tls: https }, eab)
    if (eab)
      writeFileSync(join(folder.path, 'eab'), 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n')
    const acme = { enabled: true, directory, caFile: ca, names, challenge, httpPort, email: 'admin@example.com' }
    const bound = eab ? { externalAccountKeyId: 'kid-1', externalAccountKeyFile: 'eab' } : {}
    // The listener ports are the test's, so that the authority knows them before.
    const it = await TestServer.start({
      folder: folder.path,
      config: { acme: { ...acme, ...bound } },
      env: { POSTRIDER_PORT_BASE: String(https) },
    })
    t.after(() => it[Symbol.asyncDispose]())
    assert.equal(it.port('https'), https)
    const old = connect({ port: it.port('imaps'), host: '127.0.0.1', rejectUnauthorized: false })
    await once(old, 'secureConnect')
    await until(
      'the certificate',
      async () => /Pebble/.test(String((await shown(https, 'mail.example.com')).issuer?.CN)),
      30_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${it.output}`)
    })
    const [first] = await certificates(it)
    assert.match(first?.names ?? '', /mail\.example\.com.*autodiscover|autodiscover\.example\.com.*mail/)
    assert.ok(first?.renewal !== null && first?.problem === null)
    const imaps = await shown(it.port('imaps'), 'mail.example.com')
    assert.equal(imaps.fingerprint256, first?.fingerprint)
    assert.ok(imaps.issuerCertificate !== undefined, 'with its chain')
    const file = join(folder.path, 'acme', 'certificate.pem')
    assert.equal(statSync(file).mode & 0o077, 0)
    const account = readFileSync(join(folder.path, 'acme', `account-localhost_${new URL(directory).port}.pem`), 'utf8')

    const [second] = await certificates(it, 'renew')
    assert.notEqual(second?.fingerprint, first?.fingerprint)
    assert.equal((await shown(https, 'mail.example.com')).fingerprint256, second?.fingerprint)
    assert.ok(!old.destroyed && old.writable, 'who was connected stays so')
    old.destroy()
    await it.stop()
    await it.restart()
    assert.equal((await shown(it.port('https'), 'x.example')).fingerprint256, second?.fingerprint)
    assert.equal(
      readFileSync(join(folder.path, 'acme', `account-localhost_${new URL(directory).port}.pem`), 'utf8'),
      account,
    )
    const metrics = await run('curl', ['-sk', `https://127.0.0.1:${https}/metrics`])
    assert.match(metrics.stdout, /postrider_certificate_expires_seconds \d{10}/)
  })

test('an authority that refuses: the server runs with its own certificate, says why, tries again later', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder('acme-server')
  t.after(() => folder[Symbol.dispose]())
  // The authority looks at a port where nobody answers.
  const { directory, ca } = await pebble(t, { http: await freePorts(1), tls: await freePorts(1) })
  const it = await TestServer.start({
    folder: folder.path,
    config: { acme: { enabled: true, directory, caFile: ca, names } },
  })
  t.after(() => it[Symbol.asyncDispose]())
  const state = join(folder.path, 'acme', 'state.json')
  await until('the failure', () => existsSync(state), 30_000)
  const [own] = await certificates(it)
  assert.match(own?.problem ?? '', /mail\.example\.com was refused|refused/)
  const { stdout } = await it.command(['doctor', '--no-dns'])
  assert.match(stdout, /WARN\s+ACME\s+.*refused.*again at/)
  assert.ok(Date.parse(own?.renewal ?? '') > Date.now() + 9 * 60_000)
})

test('own files are read again when they change, half-written ones are not; names with certificates of their own get them', {
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder('own-certificate')
  t.after(() => folder[Symbol.dispose]())
  const put = (file: string, name: string): string => {
    const made = selfSigned([name], Date.now())
    writeFileSync(join(folder.path, `${file}.key`), made.key)
    writeFileSync(join(folder.path, `${file}.pem`), made.certificate)
    return new X509Certificate(made.certificate).fingerprint256
  }
  mkdirSync(join(folder.path, 'more'))
  const first = put('own', 'mail.example.com')
  const other = put('more/other', 'mail.other.example')
  const wild = put('more/wild', '*.wild.example')
  const it = await TestServer.start({
    folder: folder.path,
    config: { tls: { certificate: 'own.pem', key: 'own.key', folder: 'more' } },
  })
  t.after(() => it[Symbol.asyncDispose]())
  for (const name of ['https', 'imaps'] as const) {
    const port = it.port(name)
    const of = async (host: string): Promise<string> => (await shown(port, host)).fingerprint256
    assert.deepEqual(
      [
        await of('mail.example.com'),
        await of('mail.other.example'),
        await of('a.wild.example'),
        await of('unknown.example'),
      ],
      [first, other, wild, first],
    )
  }
  // Not even with a key that does not fit does the server let go of what works.
  writeFileSync(join(folder.path, 'own.key'), selfSigned(['x'], Date.now()).key)
  await until('the refusal', () => /new certificate files are no good/.test(it.output), 40_000)
  assert.equal((await shown(it.port('https'), 'mail.example.com')).fingerprint256, first)
  const second = put('own', 'mail.example.com')
  await until(
    'the new one',
    async () => (await shown(it.port('https'), 'mail.example.com')).fingerprint256 === second,
    40_000,
  )
  assert.equal((await certificates(it)).length, 3)
})
