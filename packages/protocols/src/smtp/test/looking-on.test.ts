import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceLine } from '@postrider/domain'
import { world } from './harness.ts'

/** What each traced user was shown, as one text. */
async function traced(...addresses: string[]) {
  const seen = new Map(addresses.map((address) => [address, [] as TraceLine[]]))
  const it = await world(
    {},
    {
      active: true,
      of(address) {
        const lines = seen.get(address)
        return lines === undefined ? undefined : (line) => void lines.push(line)
      },
    },
  )
  const of = (address: string): string =>
    (seen.get(address) ?? []).map(({ from, text }) => `${from === 'client' ? '>' : '<'} ${text}`).join('\n')
  return { it, of }
}

test('a trace has the mail from elsewhere that is for its user, and nobody else’s', async (t) => {
  const { it, of } = await traced('alice@example.com')
  t.after(() => it.close())
  const client = await it.mx()
  await client.talk('MAIL FROM:<to-bob@outside.example>', 'RCPT TO:<bob@example.com>', 'DATA')
  client.send('Subject: for bob\r\n\r\nbobs text\r\n.\r\n')
  await client.reply()
  assert.equal(of('alice@example.com'), '')
  await client.talk('VRFY bob@example.com', 'MAIL FROM:<friend@outside.example> SIZE=50')
  await client.talk('RCPT TO:<bob@example.com>', 'RCPT TO:<Alice@Example.com>', 'RCPT TO:<nobody@example.com>', 'DATA')
  client.send('Subject: for both\r\n\r\nour text\r\n.\r\n')
  await client.reply()
  await client.talk('MAIL FROM:<again-bob@outside.example>', 'RCPT TO:<robert@example.com>', 'RSET', 'QUIT')
  const said = of('alice@example.com')
  for (const line of [
    /^> \(comes from [\d.]+\)\n< 220 /,
    /\n> EHLO \S+\n/,
    /\n> VRFY\n< 252 /,
    /\n> MAIL FROM:<friend@outside\.example> SIZE=50\n< 250 2\.1\.0 .*\n> RCPT TO:<Alice@example\.com>\n< 250 2\.1\.5 .*\n> DATA\n< 354 .*\n> \(message: 31 octets\)\n< 250 2\.6\.0 /i,
    /\n> RSET\n< 250 .*\n> QUIT\n< 221 .*\n> \(the connection is closed\)$/,
  ])
    assert.match(said, line)
  for (const secret of ['bob', 'robert', 'nobody', 'to-bob', 'again-bob', 'Subject', 'our text'])
    assert.ok(!said.includes(secret), `${secret} in ${said}`)
})

test('who is refused is seen; groups, forwarding and aliases lead to the mailbox that is traced', async (t) => {
  const { it, of } = await traced('alice@example.com', 'bob@example.com')
  t.after(() => it.close())
  await it.directory.updateMailbox('alice@example.com', { forwardTo: 'bob@example.com' })
  it.intake.full.add('bob@example.com')
  const client = await it.mx()
  await client.talk('MAIL FROM:<a@outside.example>', 'RCPT TO:<robert@example.com>', 'RCPT TO:<open@example.com>')
  await client.talk('RCPT TO:<alice@example.com>', 'RSET')
  assert.match(of('bob@example.com'), /> RCPT TO:<robert@example\.com>\n< 452 4\.2\.2 /)
  assert.match(of('bob@example.com'), /> RCPT TO:<open@example\.com>\n< 250 /)
  assert.match(of('bob@example.com'), /> RCPT TO:<alice@example\.com>\n< 250 /)
  assert.match(of('alice@example.com'), /> RCPT TO:<alice@example\.com>\n< 250 /)
  assert.ok(!/robert|open@/.test(of('alice@example.com')))
})

test('a session that logs in leaves the trace of mail from elsewhere', async (t) => {
  const { it, of } = await traced('bob@example.com')
  t.after(() => it.close())
  const client = await it.submission('alice')
  await client.talk('MAIL FROM:<alice@example.com>', 'RCPT TO:<bob@example.com>')
  assert.equal(of('bob@example.com'), '')
})
