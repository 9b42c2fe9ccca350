/**
 * `postrider trace alice` with several client-access processes: what her browsers, JMAP programs and other servers say, nothing that is anybody
 * else's, no secrets and no contents; and it goes on when those processes are killed.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { PlainBrowser } from '../src/browser/index.ts'
import { JmapClient } from '../src/jmap/index.ts'
import { until } from '../src/process/index.ts'
import { accessProcesses, TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const PASSWORDS = { alice: 'alices-password', bob: 'bobs-password' } as const
type User = keyof typeof PASSWORDS
const LIMIT_MS = 60_000
const skip = process.platform === 'linux' ? false : 'needs /proc'

let server: TestServer
before(async () => {
  server = await TestServer.start({ readyMs: 120_000, config: { accessProcesses: 2 } })
  for (const [name, password] of Object.entries(PASSWORDS)) await server.addUser(`${name}@example.com`, password)
})
after(() => server?.stop())

async function deliver(to: User, subject: string): Promise<void> {
  const client = await SmtpClient.connect(server.port('smtp'))
  const address = `${to}@example.com`
  const { text } = testMail({ from: `${to}s-friend@outside.example`, to: address, subject })
  await client.deliver(`${to}s-friend@outside.example`, address, text)
  client.close()
}

/** A browser without scripts that signs in, reads and searches; answers the values of its cookies. */
async function browse(name: User): Promise<string[]> {
  const browser = new PlainBrowser(server.port('https'))
  try {
    const list = await browser.signIn(`${name}@example.com`, PASSWORDS[name], { light: '1' })
    assert.match(list.text, /very private/, list.url)
    assert.equal((await browser.open(`/light/search?q=needle-of-${name}`)).status, 200)
    return [...browser.cookies.values()].filter((value) => value.length > 3)
  } finally {
    browser.close()
  }
}

async function ask(name: User): Promise<void> {
  const client = new JmapClient({
    port: server.port('https'),
    tls: true,
    user: `${name}@example.com`,
    password: PASSWORDS[name],
  })
  await client.connect()
  const { ids } = await client.call('Email/query', { filter: { text: `needle-of-${name}` } })
  assert.deepEqual(ids, [])
  const all = await client.call('Email/query')
  const { list } = await client.call('Email/get', { ids: all.ids, properties: ['subject', 'preview'] })
  assert.ok(list.length > 0)
  assert.equal((await client.http('GET', `/jmap/download/${client.account}/nothing/file-of-${name}.pdf`)).status, 404)
}

test('a trace has its user’s web sessions, JMAP and mail from elsewhere, and goes on when processes are killed', {
  skip,
}, async () => {
  const [trace] = JSON.parse((await server.command(['trace', 'alice@example.com', '--json'])).stdout) as {
    file: string
  }[]
  assert.ok(trace)
  const seen = (): string => readFileSync(trace.file, 'utf8')
  const cookies: string[] = []
  for (const name of ['bob', 'alice'] as const) {
    await deliver(name, `a very private subject of ${name}`)
    cookies.push(...(await browse(name)))
    await ask(name)
  }
  const expected = [
    / smtp \w+ > MAIL FROM:<alices-friend@outside\.example>/,
    / smtp \w+ > RCPT TO:<alice@example\.com>\n.* smtp \w+ < 250 2\.1\.5 /,
    / smtp \w+ > \(message: \d+ octets\)\n.* smtp \w+ < 250 2\.6\.0 /,
    / https [\d.]+:\d+ > POST \/signin\n(?:.*\n)*?.* https [\d.]+:\d+ < HTTP 303 .*to \/light\//,
    / https [\d.]+:\d+ > GET \/light\/folder\/\w+/,
    / https [\d.]+:\d+ > GET \/light\/search\?q=\(\d+\)/,
    / https [\d.]+:\d+ > GET \/jmap\/session/,
    / https [\d.]+:\d+ > POST \/jmap\/api/,
    / jmap \w+ > Email\/query 0 \{"accountId":"\w+","filter":\{"text":"\(15\)"\}\}/,
    / jmap \w+ < Email\/get 0 .*"subject":"\(\d+\)"/,
    / https [\d.]+:\d+ > GET \/jmap\/download\/\w+\/nothing\/\(\d+\)\n/,
    / https [\d.]+:\d+ < HTTP 404 /,
  ]
  for (const line of expected) await until(String(line), () => line.test(seen()), LIMIT_MS)
  for (const secret of [...Object.values(PASSWORDS), ...cookies, 'private', 'needle', 'file-of', 'bob'])
    assert.ok(!seen().includes(secret), `${secret} in ${seen()}`)

  // One after the other, so that one of them is always there.
  for (const victim of accessProcesses(server)) {
    process.kill(victim, 'SIGKILL')
    await until(
      'another one has come',
      () => {
        const pids = accessProcesses(server)
        return pids.length === 2 && !pids.includes(victim)
      },
      LIMIT_MS,
    )
  }
  const before = seen().length
  const later = (): string => seen().slice(before)
  await until(
    'the new processes tell, too',
    async () => {
      await ask('bob')
      await ask('alice')
      return /GET \/jmap\/session/.test(later()) && /Email\/query 0 /.test(later())
    },
    LIMIT_MS,
  )
  await deliver('bob', 'a second one')
  await deliver('alice', 'a second one')
  await until('mail from elsewhere', () => /RCPT TO:<alice@example\.com>/.test(later()), LIMIT_MS)
  assert.ok(!seen().includes('bob'))
  assert.match((await server.command(['trace', 'alice@example.com', '--off'])).stdout, /Nobody is traced/)
})
