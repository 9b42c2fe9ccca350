/** `postrider backup` while mails arrive, and `postrider restore`, with a list of what was acknowledged. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ImapClient } from '@postrider/testkit/imap'
import { temporaryFolder } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'

const bob = 'bob@example.com'
const password = 'bobs long password'
/** Mails of the first mailbox, which is not bob's. */
const WELCOMES = 1

/** Subject → text of everything in a folder. */
async function mails(
  it: TestServer,
  folder = 'INBOX',
): Promise<{ subjects: string[]; validity: number; uidNext: number }> {
  const client = await ImapClient.login(it.port('imaps'), bob, password)
  const { untagged } = await client.command(`EXAMINE ${folder}`)
  const texts = await client.command('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
  await client.command('LOGOUT')
  const number = (name: string): number => Number(new RegExp(`${name} (\\d+)`).exec(untagged.join('\n'))?.[1])
  return {
    subjects: texts.untagged.flatMap((line) => /Subject: (\S+)/.exec(line)?.[1] ?? []),
    validity: number('UIDVALIDITY'),
    uidNext: number('UIDNEXT'),
  }
}

/** A moment right behind that of a set, whose name it is. */
function madeBefore(report: { readonly set: string } | undefined): string {
  const name = report?.set.split('/').at(-1) ?? ''
  return new Date(Date.parse(name.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:')) + 1).toISOString()
}

test('backups under load hold every mail acknowledged before they began, share what has not changed, and come back for clients to load anew', {
  timeout: 120_000,
}, async (t) => {
  const it = await TestServer.start()
  t.after(() => it[Symbol.asyncDispose]())
  const root = temporaryFolder('backup')
  t.after(() => root[Symbol.dispose]())
  const sets = join(root.path, 'sets')
  await it.addUser(bob, password)
  const acknowledged: string[] = []
  let stop = false
  const load = Array.from({ length: 3 }, async (_, worker) => {
    const client = await ImapClient.login(it.port('imaps'), bob, password)
    for (let i = 0; !stop; i++) {
      const name = `w${worker}-${i}`
      const { status } = await client.append('INBOX', `Subject: ${name}\r\n\r\n${'x'.repeat((i % 40) * 1_000)}\r\n`)
      if (status === 'OK') acknowledged.push(name)
    }
    await client.command('LOGOUT')
  })
  const reports: { set: string; items: number; shared: number }[] = []
  const before: number[] = []
  for (let i = 0; i < 3; i++) {
    // More mails first, however busy the machine is.
    const enough = acknowledged.length + 25
    for (let waited = 0; acknowledged.length < enough && waited < 60_000; waited += 20)
      await new Promise((done) => setTimeout(done, 20))
    before.push(acknowledged.length)
    const { code, stdout, stderr } = await it.command(['backup', sets, '--json'])
    assert.equal(code, 0, stdout + stderr)
    reports.push((JSON.parse(stdout) as { result: (typeof reports)[number] }).result)
  }
  const after = acknowledged.length
  stop = true
  await Promise.all(load)
  assert.ok(before[0]! > 20 && after > before[2]!, `mails went on arriving: ${before} ${after}`)
  const seen = await mails(it)

  // One mailbox, while the server runs: into a folder beside what is there; twice brings nothing twice.
  for (const expected of [reports[1]!.items - WELCOMES, 0]) {
    const one = await it.command([
      'restore',
      sets,
      '--mailbox',
      bob,
      '--into',
      'Back',
      '--json',
      '--at',
      madeBefore(reports[1]),
    ])
    assert.equal(one.code, 0, one.stdout + one.stderr)
    assert.equal((JSON.parse(one.stdout) as { result: { imported: number } }).result.imported, expected)
  }
  const returned = (await mails(it, 'Back/Inbox')).subjects
  assert.deepEqual(
    acknowledged.slice(0, before[1]).filter((name) => !returned.includes(name)),
    [],
  )
  assert.equal((await mails(it)).subjects.length, seen.subjects.length, 'nothing else was touched')
  assert.equal((await it.command(['restore', sets])).code, 1, 'not while the server runs')
  await it.stop()
  assert.match((await it.command(['restore', sets])).stderr, /is not empty/)

  // A damaged set is not taken.
  const database = join(reports[0]!.set, 'data', 'mailboxes', 'mailboxes-1', 'segments')
  const segment = join(database, readdirSync(database)[0] as string)
  const bytes = readFileSync(segment)
  const whole = Buffer.from(bytes)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  writeFileSync(segment, bytes)
  const first = madeBefore(reports[0])
  const damaged = await it.command(['restore', sets, '--replace', '--at', first])
  assert.match(damaged.stderr, /damaged/, damaged.stdout)
  writeFileSync(segment, whole)

  for (const [i, at] of [
    [2, undefined],
    [0, first],
  ] as const) {
    const { code, stdout, stderr } = await it.command([
      'restore',
      sets,
      '--replace',
      ...(at === undefined ? [] : ['--at', at]),
    ])
    assert.equal(code, 0, stdout + stderr)
    await it.restart()
    const back = await mails(it)
    const missing = acknowledged.slice(0, before[i]).filter((name) => !back.subjects.includes(name))
    assert.deepEqual(missing, [], 'nothing acknowledged before the backup is lost')
    assert.equal(back.subjects.length, new Set(back.subjects).size)
    assert.ok(back.validity > seen.validity, 'UIDs given since must not be taken for others')
    assert.equal((await it.command(['store', 'check'])).code, 0)
    const client = await ImapClient.login(it.port('imaps'), bob, password)
    assert.equal((await client.append('INBOX', 'Subject: new\r\n\r\n')).status, 'OK')
    await client.command('LOGOUT')
    await it.stop()
  }
})
