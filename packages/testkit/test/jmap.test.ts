import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { type Args, events, JmapClient } from '../src/jmap/index.ts'
import { TestServer } from '../src/server/index.ts'

const PASSWORD = 'correct horse battery'
const until = async (what: string, test: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 200; i++) {
    if (await test()) return
    await sleep(50)
  }
  throw new Error(`never: ${what}`)
}

test('RFC 8620, RFC 8621 over the real program: two people write to each other, IMAP looks on', {
  timeout: 90_000,
}, async () => {
  await using server = await TestServer.start({ config: { domain: 'example.com' } })
  for (const name of ['ann', 'ben']) await server.addUser(`${name}@example.com`, PASSWORD)
  const connect = (name: string) =>
    new JmapClient({ port: server.port('https'), user: `${name}@example.com`, password: PASSWORD, tls: true })
  const found = await connect('ann').http('GET', '/.well-known/jmap')
  assert.deepEqual([found.status, found.headers.location], [307, '/jmap/session'])
  const ann = await connect('ann').connect()
  const ben = await connect('ben').connect()
  assert.match(ann.session.apiUrl, /^https:\/\/127\.0\.0\.1:\d+\/jmap\/api$/)
  const refused = await new JmapClient({
    port: server.port('https'),
    user: 'ann@example.com',
    password: 'no',
    tls: true,
  }).http('GET', '/jmap/session')
  assert.deepEqual([refused.status, /^Basic /.test(String(refused.headers['www-authenticate']))], [401, true])

  const stream = events(await ben.open('GET', '/jmap/events?types=EmailDelivery&closeafter=no&ping=0'))
  await sleep(200)
  const role = async (client: JmapClient, wanted: string): Promise<string> =>
    (await client.call('Mailbox/get')).list.find((one: Args) => one.role === wanted).id
  const [drafts, sent] = [await role(ann, 'drafts'), await role(ann, 'sent')]
  const { blobId } = await ann.upload(Buffer.alloc(300_000, 7), 'application/x-thing')
  const identityId = (await ann.call('Identity/get')).list[0].id
  const compose = (subject: string) => ({
    mailboxIds: { [drafts]: true },
    keywords: { $draft: true, $seen: true },
    from: [{ name: 'Ann', email: 'ann@example.com' }],
    to: [{ name: 'Ben', email: 'ben@example.com' }],
    subject,
    bodyValues: { t: { value: 'Look at this.' } },
    textBody: [{ partId: 't', type: 'text/plain' }],
    attachments: [{ blobId, type: 'application/x-thing', name: 'thing.bin' }],
  })
  const answers = await ann.request([
    ['Email/set', { accountId: ann.account, create: { m: compose('At once') } }, '0'],
    [
      'EmailSubmission/set',
      {
        accountId: ann.account,
        create: { s: { identityId, emailId: '#m' } },
        onSuccessUpdateEmail: { '#s': { mailboxIds: { [sent]: true }, 'keywords/$draft': null } },
      },
      '1',
    ],
  ])
  assert.deepEqual(
    answers.map(([name]) => name),
    ['Email/set', 'EmailSubmission/set', 'Email/set'],
  )
  assert.equal((await stream.next()).value?.event, 'state')

  const inbox = await role(ben, 'inbox')
  const [, [, got]] = (await ben.request([
    ['Email/query', { accountId: ben.account, filter: { inMailbox: inbox, subject: 'once' } }, '0'],
    [
      'Email/get',
      {
        accountId: ben.account,
        '#ids': { resultOf: '0', name: 'Email/query', path: '/ids' },
        properties: ['subject', 'attachments', 'bodyValues', 'keywords'],
        fetchTextBodyValues: true,
      },
      '1',
    ],
  ])) as [unknown, [string, Args, string]]
  const [received] = got.list
  assert.deepEqual([received.subject, received.attachments[0].size], ['At once', 300_000])
  const file = await ben.download(received.attachments[0].blobId, { headers: { range: 'bytes=299990-' } })
  assert.deepEqual([file.status, file.body.length], [206, 10])

  const imap = await ImapClient.login(server.port('imaps'), 'ben@example.com', PASSWORD)
  await imap.command('SELECT INBOX')
  const fetched = await imap.command('FETCH 1:* (EMAILID FLAGS)')
  assert.ok(
    fetched.untagged.some((line) => line.includes(`EMAILID (${received.id})`)),
    'RFC 9698: the same ids',
  )
  await imap.command('STORE 1:* +FLAGS.SILENT (\\Flagged $Project)')
  const changes = await ben.call('Email/changes', { sinceState: got.state })
  assert.ok(changes.updated.includes(received.id))
  const { list } = await ben.call('Email/get', { ids: [received.id], properties: ['keywords'] })
  assert.deepEqual(list[0].keywords, { $flagged: true, $project: true })
  await ben.call('Email/set', { update: { [received.id]: { 'keywords/$seen': true } } })
  assert.match((await imap.command('FETCH 1:* FLAGS')).untagged.join(), /\\Seen/)

  // Held, and the program is killed in between.
  const made = await ann.request([
    ['Email/set', { accountId: ann.account, create: { m: compose('Later') } }, '0'],
    [
      'EmailSubmission/set',
      {
        accountId: ann.account,
        create: {
          s: {
            identityId,
            emailId: '#m',
            envelope: {
              mailFrom: { email: 'ann@example.com', parameters: { HOLDFOR: '2' } },
              rcptTo: [{ email: 'ben@example.com' }],
            },
          },
        },
      },
      '1',
    ],
  ])
  assert.equal(made[1]?.[1].created.s.undoStatus, 'pending')
  await server.kill()
  await server.restart()
  const again = await connect('ben').connect()
  await until(
    'the held mail arrives',
    async () => (await again.call('Email/query', { filter: { subject: 'Later' } })).ids.length === 1,
  )
  const { list: submissions } = await (await connect('ann').connect()).call('EmailSubmission/get', {
    properties: ['undoStatus'],
  })
  assert.deepEqual(
    submissions.map((one: Args) => one.undoStatus),
    ['final', 'final'],
  )
})
