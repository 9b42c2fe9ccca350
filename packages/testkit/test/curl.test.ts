import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { run, until } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'
import { testMail } from './mails.ts'

const skip = without('curl')
const user = ['--user', 'bob@example.com:s3cret words']
let server: TestServer

before(async () => {
  if (skip) return
  server = await TestServer.start()
  await server.addUser('bob@example.com', 's3cret words')
})
after(async () => {
  if (!skip) await server[Symbol.asyncDispose]()
})

const curl = (...args: string[]) => run('curl', ['-sS', '-k', '--max-time', '20', ...args])

test('curl sends by submissions and reads by imaps and pop3s, byte for byte', { skip }, async () => {
  const { id, text } = testMail({ from: 'bob@example.com', to: 'bob@example.com', subject: 'from curl' })
  const sent = await run(
    'curl',
    [
      '-sS',
      '-k',
      ...user,
      '--mail-from',
      'bob@example.com',
      '--mail-rcpt',
      'bob@example.com',
      '-T',
      '-',
      `smtps://127.0.0.1:${server.port('submissions')}`,
    ],
    { input: text },
  )
  assert.equal(sent.code, 0, sent.stderr)
  const imap = `imaps://127.0.0.1:${server.port('imaps')}`
  const read = await until('the mail in the inbox', async () => {
    const { stdout } = await curl(...user, `${imap}/INBOX;MAILINDEX=1`)
    return stdout.includes(id) && stdout
  })
  assert.ok(read.endsWith(text.slice(text.indexOf('\r\n\r\n'))), 'the body is the one sent')
  const pop = await curl(...user, `pop3s://127.0.0.1:${server.port('pop3s')}/1`)
  assert.equal(pop.code, 0, pop.stderr)
  assert.ok(pop.stdout.includes(id))
  const search = await curl(...user, `${imap}/INBOX?SUBJECT%20curl`)
  assert.match(search.stdout, /\* SEARCH 1/)
})

test('curl with STARTTLS and STLS; a wrong password is refused', { skip }, async () => {
  const imap = await curl('--ssl-reqd', ...user, `imap://127.0.0.1:${server.port('imap')}`)
  assert.equal(imap.code, 0, imap.stderr)
  assert.match(imap.stdout, /INBOX/)
  const pop = await curl('--ssl-reqd', ...user, `pop3://127.0.0.1:${server.port('pop3')}`)
  assert.equal(pop.code, 0, pop.stderr)
  const wrong = await curl('--user', 'bob@example.com:nonsense', `imaps://127.0.0.1:${server.port('imaps')}`)
  assert.equal(wrong.code, 67)
})

test('the start page, health and ActiveSync OPTIONS over HTTPS', { skip }, async () => {
  const https = `https://127.0.0.1:${server.port('https')}`
  const page = await curl('-H', 'Accept-Language: fr', `${https}/`)
  assert.match(page.stdout, /<html[^>]*lang="fr"/)
  const health = await curl('-o', '/dev/null', '-w', '%{http_code}', `${https}/healthz`)
  assert.equal(health.stdout, '200')
  const options = await curl('-i', '-X', 'OPTIONS', ...user, `${https}/Microsoft-Server-ActiveSync`)
  assert.match(options.stdout, /^MS-ASProtocolVersions: .*16\.1/m)
  const denied = await curl(
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    '-X',
    'OPTIONS',
    `${https}/Microsoft-Server-ActiveSync`,
  )
  assert.equal(denied.stdout, '401')
})

test('Autodiscover answers whatever the case of the path', { skip }, async () => {
  const request = `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"><Request><EMailAddress>bob@example.com</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema></Request></Autodiscover>`
  for (const path of ['/Autodiscover/Autodiscover.xml', '/autodiscover/autodiscover.xml']) {
    const answer = await run(
      'curl',
      [
        '-sS',
        '-k',
        ...user,
        '-H',
        'Content-Type: text/xml',
        '--data-binary',
        '@-',
        `https://127.0.0.1:${server.port('https')}${path}`,
      ],
      { input: request },
    )
    assert.match(answer.stdout, /<Url>https:\/\/[^<]+\/Microsoft-Server-ActiveSync<\/Url>/, answer.stdout)
  }
})
