import assert from 'node:assert/strict'
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { run, temporaryFolder, until } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const MOUNT_BYTES = 96 * 1024 * 1024
const ADDRESS = 'full@example.com'
const PASSWORD = 'full-password'

/** Fills what is left of the file system. */
function fill(folder: string): string {
  const path = join(folder, 'ballast')
  const { bavail, bsize } = statfsSync(folder)
  try {
    writeFileSync(path, Buffer.alloc(bavail * bsize))
  } catch (error) {
    // The server wrote meanwhile: full is full.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
  return path
}

/** Answers the code of one delivery, whatever it is. */
async function deliver(port: number, text: string): Promise<string> {
  const client = await SmtpClient.connect(port)
  try {
    return await client.deliver('ann@outside.example', ADDRESS, text)
  } catch (error) {
    return String(error)
  } finally {
    client.close()
  }
}

const mayMount = process.getuid?.() === 0 && existsSync('/proc/self/mountinfo')

test('D4: a full disk refuses new mail for now; reading and deleting go on; writing resumes by itself', {
  skip: mayMount ? false : 'mounting wants root',
}, async (t) => {
  using mountPoint = temporaryFolder('small-disk')
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${MOUNT_BYTES}`, 'tmpfs', mountPoint.path])
  if (mounted.code !== 0) return t.skip(`cannot mount: ${mounted.stderr}`)
  try {
    await using server = await TestServer.start({ folder: join(mountPoint.path, 'data') })
    await server.addUser(ADDRESS, PASSWORD)
    const small = () => testMail({ from: 'ann@outside.example', to: ADDRESS, subject: 'small', bytes: 200_000 }).text
    for (let i = 0; i < 5; i++) assert.match(await deliver(server.port('smtp'), small()), /^250 /)
    const imap = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)

    const ballast = fill(mountPoint.path)
    let refusal = ''
    for (let i = 0; i < 40 && refusal === ''; i++) {
      const reply = await deliver(server.port('smtp'), small())
      if (!reply.startsWith('250')) refusal = reply
    }
    assert.match(refusal, /452[ -]4\.3\.1/, 'SMTP says it is for now')
    const append = await imap.append('INBOX', small())
    assert.equal(append.status, 'NO')

    await imap.command('SELECT INBOX')
    const read = await imap.command('FETCH 1 (BODY.PEEK[])')
    assert.equal(read.status, 'OK')
    assert.ok(
      read.untagged.some((row) => row.length > 190_000),
      'reading goes on',
    )
    const before = Number(/\* (\d+) EXISTS/.exec((await imap.command('SELECT INBOX')).untagged.join('\n'))?.[1])
    assert.equal((await imap.command('STORE 1:2 +FLAGS (\\Deleted)')).status, 'OK', 'deleting goes on')
    assert.equal((await imap.command('EXPUNGE')).status, 'OK')

    rmSync(ballast)
    await until('writing resumes', async () => (await deliver(server.port('smtp'), small())).startsWith('250'), 60_000)
    const after = Number(/\* (\d+) EXISTS/.exec((await imap.command('SELECT INBOX')).untagged.join('\n'))?.[1])
    assert.equal(after, before - 1)
    assert.equal((await imap.append('INBOX', small())).status, 'OK')
    imap.close()

    await server.stop()
    await server.restart()
    const again = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
    const now = Number(/\* (\d+) EXISTS/.exec((await again.command('SELECT INBOX')).untagged.join('\n'))?.[1])
    assert.equal(now, after + 1)
    again.close()
  } finally {
    await run('umount', [mountPoint.path])
  }
})
