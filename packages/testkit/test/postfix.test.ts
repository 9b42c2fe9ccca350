import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { startPostfix } from '../src/peers/index.ts'
import { until } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const skip = without('postfix') || (process.getuid?.() !== 0 && 'Postfix wants root')

test('mail travels both ways between us and a Postfix next door, bytes untouched', { skip }, async () => {
  const { freePorts } = await import('../src/process/index.ts')
  const base = await freePorts(8)
  const ourSmtp = base + 5
  await using postfix = await startPostfix({ 'example.com': ourSmtp })
  await using server = await TestServer.start({
    config: { delivery: { smartHost: `127.0.0.1:${postfix.port}` } },
    env: { POSTRIDER_PORT_BASE: String(base) },
  })
  assert.equal(server.port('smtp'), ourSmtp)
  await server.addUser('eve@example.com', 'eve-password')

  const outside = await SmtpClient.connect(postfix.port)
  const inbound = testMail({ from: 'ann@postfix.example', to: 'eve@example.com', subject: 'inbound' })
  await outside.deliver('ann@postfix.example', 'eve@example.com', inbound.text)
  outside.close()
  const imap = await ImapClient.login(server.port('imaps'), 'eve@example.com', 'eve-password')
  await until('the mail from Postfix', async () => {
    await imap.command('SELECT INBOX')
    const { untagged } = await imap.command('FETCH 1:* (BODY.PEEK[])')
    return untagged.some(
      (row) => row.includes(inbound.id) && row.includes(inbound.text.slice(inbound.text.indexOf('\r\n\r\n'))),
    )
  })

  const inside = await SmtpClient.connect(server.port('submissions'), { tls: true })
  await inside.login('eve@example.com', 'eve-password')
  const outbound = testMail({ from: 'eve@example.com', to: 'ben@postfix.example', subject: 'outbound' })
  await inside.deliver('eve@example.com', 'ben@postfix.example', outbound.text)
  inside.close()
  const arrived = await until('the mail in Postfix', () => postfix.mails('ben')[0], 20_000)
  assert.ok(arrived.includes(outbound.id))
  assert.ok(arrived.includes('The quick brown fox'))

  const bounced = await SmtpClient.connect(server.port('submissions'), { tls: true })
  await bounced.login('eve@example.com', 'eve-password')
  await bounced.deliver(
    'eve@example.com',
    'nobody@elsewhere.example',
    testMail({ from: 'eve@example.com', to: 'nobody@elsewhere.example', subject: 'refused' }).text,
  )
  bounced.close()
  await until(
    'a report of the failure',
    async () => {
      await imap.command('SELECT INBOX')
      const { untagged } = await imap.command('FETCH 1:* (BODY.PEEK[])')
      return untagged.some((row) => /multipart\/report/i.test(row) && row.includes('nobody@elsewhere.example'))
    },
    60_000,
  )
  imap.close()
})
