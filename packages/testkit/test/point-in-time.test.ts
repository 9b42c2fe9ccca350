/**
 * Backups while mails arrive and go, the log archived beside them, and the whole restored to moments between and after the backups: a list with times says what
 * was there then. In a folder and in a bucket.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { startS3 } from '../src/peers/index.ts'
import { temporaryFolder, until } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'

const bob = 'bob@example.com'
const late = 'late@example.com'
const password = 'bobs long password'
const bodyOf = (n: number): string => `${`line ${n} of the mail\r\n`.repeat((n % 50) * 10 + 1)}`

/** What was said yes to, and between which moments it happened. */
interface Done {
  readonly name: string
  readonly asked: number
  readonly answered: number
}

async function mails(it: TestServer, user = bob): Promise<Map<string, string>> {
  const client = await ImapClient.login(it.port('imaps'), user, password)
  await client.command('EXAMINE INBOX')
  const { untagged } = await client.command('FETCH 1:* (BODY.PEEK[])', undefined, 60_000)
  await client.command('LOGOUT')
  return new Map(
    untagged.flatMap((line) => {
      const subject = /Subject: (\w+-\d+)/.exec(line)?.[1]
      return subject === undefined ? [] : [[subject, line.slice(line.indexOf('\r\n\r\n') + 4).replace(/[^\n]*\)$/, '')]]
    }),
  )
}

for (const kind of ['folder', 'bucket'] as const)
  test(`restored to a moment: all that was answered before it, nothing that was asked after it (${kind})`, {
    timeout: 240_000,
  }, async (t) => {
    await using objects = await startS3()
    using root = temporaryFolder('moment')
    const url = new URL(objects.url)
    const target =
      kind === 'folder' ? join(root.path, 'sets') : objects.url.replace(`${url.username}:${url.password}@`, '')
    const keys: Record<string, string> =
      kind === 'folder'
        ? {}
        : { AWS_ACCESS_KEY_ID: url.username, AWS_SECRET_ACCESS_KEY: decodeURIComponent(url.password) }
    const archive = { to: kind === 'folder' ? target : objects.url, every: '1s' }
    const it = await TestServer.start({ config: { archive }, env: keys })
    t.after(() => it[Symbol.asyncDispose]())
    await it.addUser(bob, password)
    const added: Done[] = []
    const removed: Done[] = []
    let stop = false
    const timed = async (
      name: string,
      into: Done[],
      work: () => Promise<{ readonly status: string }>,
    ): Promise<void> => {
      const asked = Date.now()
      const { status } = await work()
      if (status === 'OK') into.push({ name, asked, answered: Date.now() })
    }
    const load = Array.from({ length: 2 }, async (_, worker) => {
      const client = await ImapClient.login(it.port('imaps'), bob, password)
      await client.command('SELECT INBOX')
      for (let i = 0; !stop; i++) {
        const name = `w${worker}-${i}`
        await timed(name, added, () => client.append('INBOX', `Subject: ${name}\r\n\r\n${bodyOf(i)}`))
        if (i % 3 !== 2) continue
        const gone = `w${worker}-${i - 1}`
        const found = (await client.command(`UID SEARCH SUBJECT "${gone}"`)).untagged.join(' ')
        const uid = /SEARCH[^\d]*(\d+)\s*$/.exec(found)?.[1]
        if (uid === undefined) continue
        await client.command(`UID STORE ${uid} +FLAGS (\\Deleted)`)
        await timed(gone, removed, () => client.command(`UID EXPUNGE ${uid}`))
      }
      await client.command('LOGOUT')
    })
    const more = async (count: number): Promise<number> => {
      const enough = added.length + count
      await until('more mails', () => added.length >= enough, 60_000)
      return Date.now()
    }
    const moments: number[] = []
    for (let i = 0; i < 2; i++) {
      await more(10)
      const { code, stdout, stderr } = await it.command(['backup', target, '--json'])
      assert.equal(code, 0, stdout + stderr)
      moments.push(await more(10))
      if (i === 0) await it.addUser(late, password)
    }
    await more(5)
    stop = true
    await Promise.all(load)
    await it.stop()
    if (kind === 'folder') assert.ok(readdirSync(join(target, 'log', 'db', 'mailboxes-1')).length > 0)

    // Nearest first: what is restored over is moved aside each time.
    for (const at of moments.reverse()) {
      const time = new Date(at).toISOString()
      const whole = await it.command(['restore', target, '--at', time, '--replace', '--json'], '', keys)
      assert.equal(whole.code, 0, whole.stdout + whole.stderr)
      const { result } = JSON.parse(whole.stdout) as {
        readonly result: { readonly until: string; readonly made: string }
      }
      assert.equal(result.until, time)
      await it.restart()
      const found = await mails(it)
      const gone = (by: (one: Done) => boolean): Set<string> => new Set(removed.filter(by).map(({ name }) => name))
      const surelyGone = gone(({ answered }) => answered <= at)
      const perhapsGone = gone(({ asked }) => asked <= at)
      for (const { name, asked, answered } of added) {
        if (answered <= at && !perhapsGone.has(name))
          assert.equal(found.get(name), bodyOf(Number(name.split('-')[1])), name)
        if (asked > at || surelyGone.has(name)) assert.equal(found.has(name), false, `${name} was not there at ${time}`)
      }
      const user = await it.command(['user', 'show', late])
      assert.equal(user.code, at === moments[0] ? 0 : 1, 'the directory is of that moment, too')
      const check = await it.command(['store', 'check'])
      assert.equal(check.code, 0, check.stdout + check.stderr)
      await it.stop()
    }
    t.diagnostic(`${added.length} added, ${removed.length} removed`)
  })

test('a second backup of the same folder is refused while one is made', async (t) => {
  const it = await TestServer.start()
  t.after(() => it[Symbol.asyncDispose]())
  using root = temporaryFolder('twice')
  const runs = await Promise.all(
    Array.from({ length: 3 }, () => it.command(['backup', join(root.path, 'sets'), '--json'])),
  )
  assert.ok(runs.some(({ code }) => code === 0))
  for (const { code, stdout } of runs) if (code !== 0) assert.match(stdout, /"busy"/)
})
