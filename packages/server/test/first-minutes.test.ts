/** What a newcomer meets: a start page, a welcome with his own settings, and a year of mail if he wants to see one. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { JmapClient } from '@postrider/testkit/jmap'
import { TestServer } from '@postrider/testkit/server'

let it: TestServer
let jmap: JmapClient
before(async () => {
  it = await TestServer.start()
  const { address: user, password } = it.ready.mailbox
  jmap = new JmapClient({ port: it.port('https'), user, password, tls: true })
  await jmap.connect()
})
after(() => it?.[Symbol.asyncDispose]())

const mails = async (text?: string): Promise<number> => {
  const answer = await jmap.call('Email/query', {
    accountId: jmap.account,
    filter: text === undefined ? null : { text },
    calculateTotal: true,
    limit: 1,
  })
  return answer.total as number
}

test('the first mailbox holds one welcome with the live settings, also after another start', async () => {
  assert.equal(await mails(), 1)
  const { list } = await jmap.call('Email/get', {
    accountId: jmap.account,
    ids: (await jmap.call('Email/query', { accountId: jmap.account })).ids,
    properties: ['subject', 'bodyValues', 'textBody', 'keywords'],
    fetchTextBodyValues: true,
  })
  const [mail] = list
  assert.equal(mail.subject, 'Welcome: your mailbox is ready')
  const text = JSON.stringify(mail.bodyValues)
  for (const name of ['imaps', 'pop3s', 'submissions', 'https'] as const)
    assert.ok(text.includes(String(it.port(name))), name)
  assert.ok(text.includes(it.ready.mailbox.address))
  await it.stop()
  await it.restart()
  assert.equal(await mails(), 1)
})

test('postrider demo fills the first mailbox, with the server running; the same again brings nothing twice', async () => {
  const fill = async (...more: string[]) => {
    const { code, stdout, stderr } = await it.command([
      'demo',
      '--count',
      '60',
      '--until',
      '2026-11-20',
      '--json',
      ...more,
    ])
    assert.equal(code, 0, stdout.slice(-2000) + stderr)
    const lines = stdout.trim().split('\n')
    return (JSON.parse(lines.at(-1) ?? '') as { result: { imported: number; skipped: number } }).result
  }
  const first = await fill()
  assert.ok(first.imported >= 60 && first.imported < 80, String(first.imported))
  const again = await fill()
  assert.deepEqual([again.imported, again.skipped], [0, first.imported])
  assert.equal(await mails(), first.imported + 1)
  const threads = await jmap.call('Email/query', {
    accountId: jmap.account,
    collapseThreads: true,
    calculateTotal: true,
  })
  assert.ok(threads.total < first.imported, 'conversations')
  const wrong = await it.command(['demo', 'nobody@example.com'])
  assert.equal(wrong.code, 1)
  assert.equal((await it.command(['demo', '--count', 'many'])).code, 2)
})
