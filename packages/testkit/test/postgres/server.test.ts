import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapClient } from '../../src/imap/index.ts'
import { startPostgres } from '../../src/peers/index.ts'
import { sleep } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { SmtpClient } from '../../src/smtp/index.ts'

const ADDRESS = 'pia@example.com'
const PASSWORD = 'a password of pia'

test('the program over PostgreSQL: mail arrives, the server is killed and comes back, checks are true, the password is never shown', {
  skip: without('pg_ctlcluster'),
}, async () => {
  await using postgres = await startPostgres()
  const url = await postgres.createDatabase()
  const config = { store: { driver: 'postgres', postgres: { url } }, log: { level: 'info' } }
  const server = await TestServer.start({ config })
  try {
    await server.addUser(ADDRESS, PASSWORD)
    const deliver = async (subject: string): Promise<string> => {
      const client = await SmtpClient.connect(server.port('smtp'))
      try {
        return await client.deliver('ann@outside.example', ADDRESS, `Subject: ${subject}\r\n\r\nhello\r\n`)
      } finally {
        client.close()
      }
    }
    const subjects = async (): Promise<number> => {
      const client = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
      try {
        return Number(/\* (\d+) EXISTS/.exec((await client.command('SELECT INBOX')).untagged.join('\n'))?.[1])
      } finally {
        client.close()
      }
    }
    assert.match(await deliver('one'), /^250/)
    assert.equal(await subjects(), 1)
    await postgres.kill()
    const held = deliver('two')
    await sleep(200)
    await postgres.restart()
    assert.match(await held, /^250/, 'what waited is taken')
    assert.equal(await subjects(), 2)
    const check = await server.command(['store', 'check'])
    assert.equal(check.code, 0, check.stdout + check.stderr)
    assert.match(check.stdout, /all well/)
    const shown = await server.command(['config'])
    const doctor = await server.command(['doctor', '--no-dns'])
    assert.match(doctor.stdout, /database server.*PostgreSQL \d+/)
    for (const text of [shown.stdout, doctor.stdout, doctor.stderr, server.output]) {
      assert.ok(!text.includes('in front of') && !text.includes('in%20front'), 'no password')
    }
    assert.equal(await server.stop(), 0)
    const stopped = await server.command(['store', 'check'])
    assert.equal(stopped.code, 0, stopped.stdout + stopped.stderr)
    await server.restart()
    assert.equal(await subjects(), 2)
  } finally {
    await server[Symbol.asyncDispose]()
  }
})
