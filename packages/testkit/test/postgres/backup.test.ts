/** `postrider backup` and `restore` over PostgreSQL while mails arrive, originals in the folder or in an object store, with a list of what was acknowledged. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ImapClient } from '../../src/imap/index.ts'
import { startPostgres, startS3 } from '../../src/peers/index.ts'
import { temporaryFolder, until } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'
import { TestServer } from '../../src/server/index.ts'

const bob = 'bob@example.com'
const password = 'bobs long password'
const bodyOf = (n: number): string => `${`line ${n} of the mail\r\n`.repeat((n % 50) * 10 + 1)}`

async function mails(it: TestServer, folder = 'INBOX'): Promise<Map<string, string>> {
  const client = await ImapClient.login(it.port('imaps'), bob, password)
  await client.command(`EXAMINE ${folder}`)
  const { untagged, status, text } = await client.command('FETCH 1:* (BODY.PEEK[])', undefined, 60_000)
  assert.equal(status, 'OK', text)
  await client.command('LOGOUT')
  return new Map(
    untagged.flatMap((line) => {
      const subject = /Subject: (\w+-\d+)/.exec(line)?.[1]
      return subject === undefined ? [] : [[subject, line.slice(line.indexOf('\r\n\r\n') + 4).replace(/[^\n]*\)$/, '')]]
    }),
  )
}

for (const kind of ['folder', 's3'] as const)
  test(`backups over PostgreSQL under load, originals in ${kind}: shared, restored as a whole, one mailbox, and into SQLite`, {
    skip: without('pg_ctlcluster'),
    timeout: 240_000,
  }, async (t) => {
    await using postgres = await startPostgres({ fsync: 'off' })
    await using objects = await startS3()
    const url = await postgres.createDatabase()
    const segments = kind === 's3' ? { kind, s3: objects.url } : { kind }
    const it = await TestServer.start({ config: { store: { driver: 'postgres', postgres: { url }, segments } } })
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
        const { status } = await client.append('INBOX', `Subject: ${name}\r\n\r\n${bodyOf(i)}`)
        if (status === 'OK') acknowledged.push(name)
      }
      await client.command('LOGOUT')
    })
    const reports: { set: string; items: number; shared: number }[] = []
    const before: number[] = []
    for (let i = 0; i < 2; i++) {
      const enough = acknowledged.length + 25
      await until('more mails', () => acknowledged.length >= enough, 60_000)
      before.push(acknowledged.length)
      const { code, stdout, stderr } = await it.command(['backup', sets, '--json'])
      assert.equal(code, 0, stdout + stderr)
      reports.push((JSON.parse(stdout) as { result: (typeof reports)[number] }).result)
    }
    stop = true
    await Promise.all(load)
    assert.ok(reports.every(({ items }, i) => items >= before[i]!))
    const verify = (found: ReadonlyMap<string, string>, count: number): void => {
      for (const name of acknowledged.slice(0, count))
        assert.equal(found.get(name), bodyOf(Number(name.split('-')[1])), name)
    }
    const one = await it.command(['restore', sets, '--mailbox', bob, '--into', 'Back', '--json'])
    assert.equal(one.code, 0, one.stdout + one.stderr)
    verify(await mails(it, 'Back/Inbox'), before[1]!)
    verify(await mails(it), acknowledged.length)
    await it.stop()

    const whole = await it.command(['restore', sets, '--replace'])
    assert.equal(whole.code, 0, whole.stdout + whole.stderr)
    assert.match(whole.stdout, /postrider_mailboxes-1_before_\d+/)
    await it.restart()
    verify(await mails(it), before[1]!)
    const check = await it.command(['store', 'check'])
    assert.equal(check.code, 0, check.stdout + check.stderr)
    const client = await ImapClient.login(it.port('imaps'), bob, password)
    assert.equal((await client.append('INBOX', `Subject: new-1\r\n\r\n${bodyOf(1)}`)).status, 'OK')
    await client.command('LOGOUT')
    assert.equal((await mails(it)).get('new-1'), bodyOf(1))
    await it.stop()

    // The same set, without PostgreSQL.
    const file = join(it.folder, 'postrider.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    writeFileSync(file, JSON.stringify({ ...config, store: { driver: 'sqlite' } }))
    const sqlite = await it.command(['restore', sets, '--replace'])
    assert.equal(sqlite.code, 0, sqlite.stdout + sqlite.stderr)
    writeFileSync(file, JSON.stringify({ ...config, store: { driver: 'sqlite' } }))
    await it.restart()
    verify(await mails(it), before[1]!)
    const checked = await it.command(['store', 'check'])
    assert.equal(checked.code, 0, checked.stdout + checked.stderr)
  })
