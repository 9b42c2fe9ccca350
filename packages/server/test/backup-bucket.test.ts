/** `postrider backup s3://…` and its way back: what is shared, what goes, a store that stumbles. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type FolderId, type MailboxId, mailItem } from '@postrider/domain'
import { openSqliteStore } from '@postrider/store/sqlite'
import { ImapClient } from '@postrider/testkit/imap'
import { startS3 } from '@postrider/testkit/peers'
import { temporaryFolder } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'

const bob = 'bob@example.com'
const password = 'bobs long password'

async function subjects(it: TestServer, folder = 'INBOX'): Promise<string[]> {
  const client = await ImapClient.login(it.port('imaps'), bob, password)
  await client.command(`EXAMINE ${folder}`)
  const { untagged } = await client.command('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
  await client.command('LOGOUT')
  return untagged.flatMap((line) => /Subject: (\S+)/.exec(line)?.[1] ?? []).sort()
}

test('a backup in a bucket: closed segments are sent once, old sets go, one mailbox and everything come back', {
  timeout: 180_000,
}, async (t) => {
  await using store = await startS3()
  const keys = /^s3:\/\/([^:]+):([^@]+)@(.*)$/.exec(store.url)
  const bucket = `s3://${keys?.[3]}`
  const env = { AWS_ACCESS_KEY_ID: keys?.[1] ?? '', AWS_SECRET_ACCESS_KEY: decodeURIComponent(keys?.[2] ?? '') }
  const it = await TestServer.start({ env })
  t.after(() => it[Symbol.asyncDispose]())
  await it.addUser(bob, password)
  const client = await ImapClient.login(it.port('imaps'), bob, password)
  for (let n = 0; n < 5; n++) await client.append('INBOX', `Subject: first-${n}\r\n\r\nhello\r\n`)
  await client.command('LOGOUT')
  await it.stop()
  // Some closed segments, as a large mailbox has them.
  const mailboxes = await openSqliteStore({ folder: it.folder, databases: ['mailboxes-1'], segmentBytes: 30_000 })
  const own = 2 as MailboxId
  const inbox = (await mailboxes.folders(own)).find(({ role }) => role === 'inbox')?.id as FolderId
  for (let n = 0; n < 20; n++) {
    const text = Buffer.from(`Subject: large-${n}\r\n\r\n${String(n).repeat(10_000)}`)
    await mailboxes.apply(own, [{ op: 'add', folder: inbox, item: mailItem(text, { received: Date.now() }) }])
  }
  await mailboxes.close()
  await it.restart()

  const backup = async (...more: string[]): Promise<{ set: string; items: number; bytes: number; shared: number }> => {
    const { code, stdout, stderr } = await it.command(['backup', bucket, '--json', ...more])
    assert.equal(code, 0, stdout + stderr)
    return (JSON.parse(stdout) as { result: { set: string; items: number; bytes: number; shared: number } }).result
  }
  store.faults = [
    { kind: 'error', times: 2 },
    { kind: 'lost', method: 'PUT', times: 2 },
  ]
  const first = await backup()
  store.faults = []
  assert.equal(first.shared, 0)
  const sent = store.requests.length
  const late = await ImapClient.login(it.port('imaps'), bob, password)
  await late.append('INBOX', 'Subject: later\r\n\r\nhello\r\n')
  await late.command('LOGOUT')
  const second = await backup()
  assert.ok(second.shared > 30_000, `${second.shared} bytes shared`)
  assert.ok(!store.requests.slice(sent).some((one) => one.startsWith('PUT folder/segments/')), 'no segment twice')

  const one = await it.command(['restore', bucket, '--mailbox', bob, '--into', 'Back', '--json'])
  assert.equal(one.code, 0, one.stdout + one.stderr)
  assert.deepEqual(await subjects(it, 'Back/Inbox'), await subjects(it))
  assert.match((await it.command(['backup', store.url])).stderr, /without keys/)

  // Elsewhere, from nothing.
  const other = temporaryFolder('elsewhere')
  t.after(() => other[Symbol.dispose]())
  const restored = await it.command(['restore', bucket, '--at', made(first.set)], '', { POSTRIDER_DATA: other.path })
  assert.equal(restored.code, 0, restored.stdout + restored.stderr)
  const there = await TestServer.start({ folder: join(other.path), env })
  try {
    assert.deepEqual(
      await subjects(there),
      (await subjects(it)).filter((subject) => subject !== 'later'),
    )
    assert.equal((await there.command(['store', 'check'])).code, 0)
  } finally {
    await there[Symbol.asyncDispose]()
  }

  // Only the newest stays, and of the segments what it has.
  await backup('--keep', '1')
  const left = [...store.objects.keys()].filter((key) => key.endsWith('/backup.json'))
  assert.equal(left.length, 1)
  const last = await it.command(['restore', bucket, '--mailbox', bob, '--into', 'Again', '--json'])
  assert.equal(last.code, 0, last.stdout + last.stderr)
  assert.deepEqual(await subjects(it, 'Again/Inbox'), await subjects(it))
})

/** A moment right behind that of a set, whose name it is. */
function made(set: string): string {
  const name = set.split('/').filter(Boolean).at(-1) ?? ''
  return new Date(Date.parse(name.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:')) + 1).toISOString()
}
