/** The whole program from outside: its own process, data folder and ports. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Phone } from '@postrider/testkit/activesync'
import { freePorts, run, start, temporaryFolder, until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'
import { selfSigned } from '../src/certificate/index.ts'

const main = resolve(import.meta.dirname, '..', 'src', 'main.ts')
const bin = resolve(import.meta.dirname, '..', 'bin', 'postrider.mjs')

async function server(t: TestContext, config?: Record<string, unknown>): Promise<TestServer> {
  const started = await TestServer.start(config === undefined ? {} : { config })
  t.after(() => started[Symbol.asyncDispose]())
  return started
}
const authorization = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** Status and body of a request to the server's HTTPS; the certificate is its own. */
function get(
  it: TestServer,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; body: string; headers: Record<string, string | string[] | undefined> }> {
  return new Promise((done, failed) => {
    const port = it.port('https')
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false, rejectUnauthorized: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => done({ status: response.statusCode ?? 0, body, headers: response.headers }))
        response.on('error', failed)
      },
    )
    outgoing.on('error', failed)
    outgoing.end()
  })
}

/** A line conversation: sends, and waits for a line that begins so. */
class Lines {
  readonly socket: Socket
  text = ''
  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1')
    })
  }
  async until(pattern: RegExp, ms = 10_000): Promise<RegExpExecArray> {
    const end = performance.now() + ms
    for (;;) {
      const match = pattern.exec(this.text)
      if (match !== null) return match
      assert.ok(performance.now() < end, `no ${pattern} in:\n${this.text}`)
      await new Promise((again) => setTimeout(again, 10))
    }
  }
  async ask(line: string, pattern: RegExp): Promise<RegExpExecArray> {
    this.text = ''
    this.socket.write(`${line}\r\n`)
    return this.until(pattern)
  }
}
async function imap(t: TestContext, it: TestServer, user: string, password: string): Promise<Lines> {
  const socket = connectTls({ host: '127.0.0.1', port: it.port('imaps'), rejectUnauthorized: false })
  t.after(() => socket.destroy())
  const lines = new Lines(socket)
  await lines.until(/^\* OK/m)
  await lines.ask(`a LOGIN ${user} ${password}`, /^a OK/m)
  return lines
}
async function deliver(it: TestServer, to: string, subject: string): Promise<void> {
  const lines = new Lines(connect({ host: '127.0.0.1', port: it.port('smtp') }))
  await lines.until(/^220 /m)
  await lines.ask('EHLO test.example', /^250 /m)
  await lines.ask('MAIL FROM:<out@far.example>', /^250 /m)
  await lines.ask(`RCPT TO:<${to}>`, /^250 /m)
  await lines.ask('DATA', /^354 /m)
  await lines.ask(`From: out@far.example\r\nSubject: ${subject}\r\n\r\nhello\r\n.`, /^250 /m)
  lines.socket.end('QUIT\r\n')
}

test('a first start: ready file, first mailbox, all listeners, health; a restart keeps everything', async (t) => {
  const it = await server(t)
  const ready = it.ready
  assert.deepEqual(Object.keys(ready.listeners).sort(), [
    'https',
    'imap',
    'imaps',
    'pop3',
    'pop3s',
    'smtp',
    'submission',
    'submissions',
  ])
  for (const { host, port } of Object.values(ready.listeners)) assert.deepEqual([host, port > 0], ['127.0.0.1', true])
  assert.equal(statSync(join(it.folder, 'ready.json')).mode & 0o777, 0o600)
  assert.equal(statSync(join(it.folder, 'directory.db')).mode & 0o077, 0)
  await until('the banner', () => /Postrider \d+\.\d+\.\d+ is ready/.test(it.output), 30_000)
  await until('the password, printed at first start', () => it.output.includes(ready.mailbox.password), 30_000)
  assert.deepEqual([(await get(it, '/healthz')).status, (await get(it, '/readyz')).status], [200, 200])

  const { address, password } = ready.mailbox
  await it.addUser('bob@example.com', 'bobs password')
  await deliver(it, address, 'before')
  assert.equal(await it.stop(), 0)
  assert.ok(!existsSync(join(it.folder, 'ready.json')), 'gone when the server is')
  // Administration goes on while the server is stopped.
  await it.addUser('eve@example.com', 'eves password')

  it.output = ''
  const ms = await it.restart()
  assert.ok(ms < 5_000, `ready after ${ms} ms`)
  assert.deepEqual(it.ready.mailbox, ready.mailbox)
  assert.ok(!it.output.includes(password), 'not printed again')
  for (const [user, pass] of [
    [address, password],
    ['bob@example.com', '"bobs password"'],
    ['eve@example.com', '"eves password"'],
  ] as const) {
    const session = await imap(t, it, user, pass)
    const { 1: count } = await session.ask('b STATUS INBOX (MESSAGES)', /MESSAGES (\d+)/)
    assert.equal(count, user === address ? '2' : '0', user)
  }
})

test('kill -9 and start again: nothing is in the way', async (t) => {
  const it = await server(t)
  const { address } = it.ready.mailbox
  await deliver(it, address, 'survives')
  await it.kill()
  await it.restart()
  const session = await imap(t, it, address, it.ready.mailbox.password)
  await session.ask('b STATUS INBOX (MESSAGES)', /MESSAGES 2/)
})

test('a second server over the same data folder is refused and the first goes on', async (t) => {
  const it = await server(t)
  const second = await run(process.execPath, [main, 'start'], {
    env: { ...it.env, POSTRIDER_PORT_BASE: '31900', POSTRIDER_READY_FILE: '' },
  })
  assert.equal(second.code, 1)
  assert.match(second.stderr, new RegExp(`in use by another postrider \\(process ${it.pid}\\)`))
  assert.equal((await get(it, '/healthz')).status, 200)
})

test('ports that are taken: the start fails in words, with everything let go of', async (t) => {
  const it = await server(t)
  using folder = temporaryFolder('ports')
  const env = { ...it.env, POSTRIDER_DATA: folder.path, POSTRIDER_READY_FILE: join(folder.path, 'ready') }
  const second = await run(process.execPath, [main, 'start'], { env })
  assert.equal(second.code, 1)
  assert.match(second.stderr, /Port \d+ \(https\) is used by another program/)
  assert.ok(!existsSync(join(folder.path, 'ready')))
  assert.equal((await run(process.execPath, [main, 'user', 'list'], { env })).code, 0)
})

test('the command line while the server runs: changes act at once, R28, live sessions end', async (t) => {
  const it = await server(t)
  await it.addUser('bob@example.com', 'bobpass1')
  const session = await imap(t, it, 'bob@example.com', 'bobpass1')
  await session.ask('b IDLE', /^\+/m)
  const web = { authorization: authorization('bob@example.com', 'bobpass1') }
  assert.equal((await get(it, '/Microsoft-Server-ActiveSync', web, 'OPTIONS')).status, 200)

  const ended = once(session.socket, 'close')
  const off = await it.command(['user', 'set', 'bob@example.com', '--off', 'imap'])
  assert.equal(off.code, 0, off.stderr)
  await ended
  assert.equal((await get(it, '/Microsoft-Server-ActiveSync', web, 'OPTIONS')).status, 200, 'the other protocols go on')

  const changed = await it.command(['user', 'password', 'bob@example.com', '--password-stdin'], 'another one\n')
  assert.equal(changed.code, 0, changed.stderr)
  assert.equal((await get(it, '/Microsoft-Server-ActiveSync', web, 'OPTIONS')).status, 401)

  const removed = await it.command(['user', 'remove', 'bob@example.com', '--yes', '--json'])
  assert.deepEqual(JSON.parse(removed.stdout), { address: 'bob@example.com', removed: true })
  const status = JSON.parse((await it.command(['status', '--json'])).stdout) as { pid: number; ready: boolean }
  assert.deepEqual([status.pid, status.ready], [it.pid, true])
  const { prometheus } = JSON.parse((await it.command(['metrics', '--json'])).stdout) as { prometheus: string }
  assert.match(prometheus, /^postrider_logins_total\{.*result="ok".*\} [1-9]/m)
  const views = (await it.command(['top', '--json', '--interval', '0.2', '--count', '2'])).stdout.trim().split('\n')
  for (const view of views.map((line) => JSON.parse(line) as { held: number; rates: { commits: number } }))
    assert.deepEqual([view.held, view.rates.commits >= 0], [0, true])
  assert.equal(views.length, 2)
  assert.match((await it.command(['top', '--interval', '0.2'])).stdout, /^ +held requests +0$/m)
  assert.equal((await it.command(['top', '--interval', 'soon'])).code, 2)
  assert.equal((await it.command(['user', 'show', 'bob@example.com'])).code, 1)
  assert.equal((await it.command(['queue', 'list'])).stdout.trim(), 'The queue is empty.')
  const doctor = await it.command(['doctor', '--no-dns'])
  assert.equal(doctor.code, 0, doctor.stdout)
  assert.match(doctor.stdout, /ok +imaps +answers on port \d+ with TLS/)
})

test('a trace shows what one user’s programs say, without passwords and contents, and ends', async (t) => {
  const it = await server(t)
  const { address, password } = it.ready.mailbox
  await it.addUser('bob@example.com', 'bobs-password')
  assert.match((await it.command(['trace'])).stdout, /Nobody is traced/)
  const [trace] = JSON.parse((await it.command(['trace', address, '--json'])).stdout) as { file: string }[]
  assert.ok(trace)
  assert.equal(statSync(trace.file).mode & 0o777, 0o600)
  const phone = new Phone({ port: it.port('https'), tls: true, user: address, password, deviceId: 'TRACED' })
  await phone.provision()
  await phone.folderSync()
  await deliver(it, address, 'a very private subject')
  await phone.syncAll(phone.folderOfType(2))
  const lines = await imap(t, it, address, password)
  await lines.ask('b SELECT INBOX', /^b OK/m)
  await lines.ask('c FETCH 1 (ENVELOPE)', /^c OK/m)
  const other = await imap(t, it, 'bob@example.com', 'bobs-password')
  await other.ask('bobstag EXAMINE INBOX', /^bobstag OK/m)
  const said = await until('the lines are written', () => {
    const text = readFileSync(trace.file, 'utf8')
    return text.includes('c OK') && text
  })
  assert.match(said, /activesync TRACED > 16\.1 FolderSync POST .*<SyncKey>0<\/SyncKey>/)
  assert.match(said, /activesync TRACED < HTTP 200 .*<Status>1<\/Status>/)
  assert.match(said, /<ServerId>\w+:?\w*<\/ServerId>/)
  assert.match(said, /imaps? \w+ > b SELECT INBOX/)
  for (const secret of [password, 'very private', 'bobstag', 'bobs-password']) assert.ok(!said.includes(secret), secret)
  assert.match((await it.command(['trace', address, '--off'])).stdout, /Nobody is traced/)
  await phone.folderSync()
  assert.equal(readFileSync(trace.file, 'utf8').length, said.length)
  assert.equal((await it.command(['trace', 'nobody@example.com'])).code, 1)
})

test('the queue: a message nobody takes can be seen, held, released, retried and removed', async (t) => {
  // Nothing listens there: every attempt fails for now.
  const it = await server(t, { delivery: { smartHost: '127.0.0.1:9' } })
  const { address, password } = it.ready.mailbox
  const socket = connectTls({ host: '127.0.0.1', port: it.port('submissions'), rejectUnauthorized: false })
  t.after(() => socket.destroy())
  const lines = new Lines(socket)
  await lines.until(/^220 /m)
  await lines.ask('EHLO test.example', /^250 /m)
  const token = Buffer.from(`\0${address}\0${password}`).toString('base64')
  await lines.ask(`AUTH PLAIN ${token}`, /^235 /m)
  await lines.ask(`MAIL FROM:<${address}>`, /^250 /m)
  await lines.ask('RCPT TO:<friend@far.example>', /^250 /m)
  await lines.ask('DATA', /^354 /m)
  await lines.ask(`From: ${address}\r\nSubject: out\r\n\r\nhello\r\n.`, /^250 /m)

  const list = async (): Promise<{ id: string; status: string; attempts: number; recipients: string[] }[]> =>
    JSON.parse((await it.command(['queue', 'list', '--json'])).stdout)
  for (let i = 0; (await list())[0]?.attempts !== 1; i++) {
    assert.ok(i < 100)
    await new Promise((again) => setTimeout(again, 100))
  }
  const [entry] = await list()
  assert.deepEqual([entry?.recipients, entry?.status], [['friend@far.example'], 'Retry'])
  const id = entry!.id
  const act = async (...words: string[]): Promise<number | null> => (await it.command(['queue', ...words])).code
  assert.equal(await act('hold', id), 0)
  assert.equal((await list())[0]?.status, 'Suspended')
  assert.equal(await act('release', '--all'), 0)
  assert.notEqual((await list())[0]?.status, 'Suspended')
  assert.equal(await act('retry', '--destination', 'far.example'), 0)
  assert.match((await it.command(['queue', 'show', id])).stdout, /friend@far\.example/)
  assert.equal(await act('remove', id), 1, 'asks for --yes')
  assert.equal(await act('remove', id, '--yes'), 0)
  assert.deepEqual(await list(), [])
  assert.equal(await act('show', id), 1)
})

test('store check reads everything', async (t) => {
  const it = await server(t)
  await deliver(it, it.ready.mailbox.address, 'one')
  const { code, stdout, stderr } = await it.command(['store', 'check', '--json'])
  assert.equal(code, 0, stderr)
  const report = JSON.parse(stdout) as { items: number; problems: string[] }
  assert.deepEqual([report.items >= 1, report.problems], [true, []])
})

test('reload: a new certificate and settings without a session lost; a wrong file changes nothing', async (t) => {
  const it = await server(t)
  const { address, password } = it.ready.mailbox
  const session = await imap(t, it, address, password)
  const fingerprint = async (): Promise<string> => {
    const socket = connectTls({ host: '127.0.0.1', port: it.port('https'), rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }
  const before = await fingerprint()
  const made = selfSigned(['127.0.0.1'], Date.now())
  writeFileSync(join(it.folder, 'tls', 'certificate.pem'), made.certificate)
  writeFileSync(join(it.folder, 'tls', 'key.pem'), made.key)
  writeFileSync(
    join(it.folder, 'postrider.json'),
    '{ "externalUrl": "https://phone.example.com", "domain": "other.example" }',
  )
  const reload = await it.command(['reload'])
  assert.equal(reload.code, 0, reload.stderr)
  assert.match(reload.stdout, /The certificate is a new one/)
  assert.match(reload.stdout, /externalUrl is in effect/)
  assert.match(reload.stdout, /domain has changed: it takes effect at the next start/)
  assert.notEqual(await fingerprint(), before)
  const answer = await get(it, `/autodiscover/autodiscover.json?Email=${address}&Protocol=ActiveSync`)
  assert.match(answer.body, /https:\/\/phone\.example\.com\//)
  await session.ask('b NOOP', /^b OK/m)

  writeFileSync(join(it.folder, 'postrider.json'), '{ "externalUrl": 1 }')
  process.kill(it.pid, 'SIGHUP')
  const wrong = await it.command(['reload'])
  assert.deepEqual([wrong.code, /externalUrl/.test(wrong.stderr)], [1, true])
  await session.ask('c NOOP', /^c OK/m)
})

test('SIGTERM: sessions hear BYE and 421, held requests are answered, and the program ends in time', async (t) => {
  const it = await server(t)
  const { address, password } = it.ready.mailbox
  const session = await imap(t, it, address, password)
  await session.ask('b IDLE', /^\+/m)
  const smtp = new Lines(connect({ host: '127.0.0.1', port: it.port('smtp') }))
  await smtp.until(/^220 /m)
  // One that never closes its side.
  const stubborn = connect({ host: '127.0.0.1', port: it.port('imap'), allowHalfOpen: true })
  t.after(() => stubborn.destroy())
  await new Lines(stubborn).until(/^\* OK /m)
  session.text = ''
  const began = performance.now()
  const code = await it.stop()
  assert.equal(code, 0)
  assert.ok(performance.now() - began < 8_000, String(performance.now() - began))
  assert.match(session.text, /^\* BYE/m)
  assert.match(smtp.text, /^421 /m)
})

test('signals that come while it still starts are obeyed when it has started', async (t) => {
  using folder = temporaryFolder('signals')
  const ready = join(folder.path, 'ready.json')
  const ports = String(await freePorts(8))
  const child = start(process.execPath, [main, 'start'], {
    env: {
      POSTRIDER_DATA: folder.path,
      POSTRIDER_READY_FILE: ready,
      POSTRIDER_BIND: '127.0.0.1',
      POSTRIDER_PORT_BASE: ports,
    },
  })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    // The first line is about the certificate, long before it listens.
    if (output === '') child.kill('SIGHUP')
    output += chunk.toString()
  })
  const ended = once(child, 'exit')
  await until('the reload', () => output.includes('"reloaded"'), 30_000)
  assert.ok(existsSync(ready))
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null], output)
  assert.ok(!existsSync(ready))
})

test('a wrong configuration: exit code 1, the line and the setting', async () => {
  using folder = temporaryFolder('config')
  writeFileSync(join(folder.path, 'postrider.json'), '{\n "imap": { "conectionsPerUser": 3 }\n}')
  const { code, stderr } = await run(process.execPath, [main, 'start'], { env: { POSTRIDER_DATA: folder.path } })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /postrider\.json:2: there is no setting "imap\.conectionsPerUser"\. Did you mean "imap\.connectionsPerUser"\?/,
  )
})

test('a data folder that cannot be made ends the start with a word', async () => {
  const { code, stderr } = await run(process.execPath, [main, 'start'], { env: { POSTRIDER_DATA: '/proc/no/such' } })
  assert.equal(code, 1)
  assert.match(stderr, /^postrider: The data folder \/proc\/no\/such cannot be used: .*POSTRIDER_DATA\.$/m)
})

test('Thunderbird finds its settings at both places, without signing in', async (t) => {
  const it = await server(t)
  for (const path of ['/mail/config-v1.1.xml', '/.well-known/autoconfig/mail/config-v1.1.xml']) {
    const answer = await get(it, `${path}?emailaddress=${it.ready.mailbox.address}`)
    assert.equal(answer.status, 200, path)
    assert.match(answer.body, /<clientConfig /)
  }
})

test('services that are switched off are not opened', async (t) => {
  const it = await server(t, { listeners: { pop3: { enabled: false }, pop3s: { enabled: false } } })
  assert.ok(!('pop3' in it.ready.listeners) && !('pop3s' in it.ready.listeners))
})

test('nothing secret is in the log', async (t) => {
  const it = await server(t, { log: { level: 'debug' } })
  await it.addUser('bob@example.com', 'very-secret-password')
  await imap(t, it, 'bob@example.com', 'very-secret-password')
  await get(
    it,
    '/Microsoft-Server-ActiveSync',
    { authorization: authorization('bob@example.com', 'very-secret-password') },
    'OPTIONS',
  )
  await deliver(it, 'bob@example.com', 'subject-of-a-mail')
  await it.stop()
  assert.ok(it.output.includes('postrider listens'))
  const coded = Buffer.from('bob@example.com:very-secret-password').toString('base64')
  for (const secret of ['very-secret-password', coded, 'subject-of-a-mail'])
    assert.ok(!it.output.includes(secret), secret)
})

test('the program file finds its Node and passes arguments, input and exit codes on', async () => {
  using folder = temporaryFolder('bin')
  const env = { POSTRIDER_DATA: folder.path }
  const version = await run(process.execPath, [bin, '--version'], { env })
  assert.deepEqual(
    [version.code, version.stdout],
    [0, `postrider ${JSON.parse(readFileSync(resolve(main, '../../package.json'), 'utf8')).version}\n`],
  )
  assert.equal((await run(process.execPath, [bin, 'status'], { env })).code, 3)
  const added = await run(process.execPath, [bin, 'user', 'add', 'bob@example.com', '--password-stdin'], {
    env,
    input: 'secret word',
  })
  assert.equal(added.code, 0, added.stderr)
})
