import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type World, world } from './harness.ts'

let it: World
before(async () => {
  it = await world()
})
after(() => it.close())

const words = [
  'EHLO x\r\n',
  'HELO x\r\n',
  'MAIL FROM:<bob@example.com>\r\n',
  'MAIL FROM:<> SIZE=1 BODY=8BITMIME\r\n',
  'RCPT TO:<alice@example.com>\r\n',
  'RCPT TO:<x@outside.example>\r\n',
  'DATA\r\n',
  'Subject: x\r\n\r\ntext\r\n',
  '.\r\n',
  'BDAT 3\r\n',
  'BDAT 2 LAST\r\n',
  'abc',
  'RSET\r\n',
  'NOOP\r\n',
  'AUTH PLAIN AGEAYg==\r\n',
  'AUTH LOGIN\r\n',
  '*\r\n',
  'QUIT\r\n',
  'STARTTLS\r\n',
  '\n',
  '\r',
  '\0',
  '\r\n',
  'GARBAGE',
  'é\r\n',
  'VRFY x\r\n',
]
const input = fc.array(
  fc.oneof(
    fc.constantFrom(...words).map((word) => Buffer.from(word)),
    fc.uint8Array({ maxLength: 30 }),
  ),
  { maxLength: 25 },
)

for (const [state, open] of [
  ['before anything', () => it.mx({ authMechanisms: ['PLAIN', 'LOGIN'] })],
  ['after login', () => it.submission()],
] as const)
  test(`P5: hostile input ${state}: proper replies, no internal error, and nothing outside without a login`, async () => {
    await fc.assert(
      fc.asyncProperty(input, async (chunks) => {
        const client = await open()
        it.intake.mails.length = 0
        client.output = ''
        for (const chunk of chunks) {
          if (client.ended) break
          client.send(Buffer.from(chunk))
          await new Promise((resolve) => setImmediate(resolve))
        }
        for (const line of client.output.split('\r\n').slice(0, -1)) assert.match(line, /^[2-5]\d\d[ -][ -~]*$/)
        assert.doesNotMatch(client.output, /Local error/)
        for (const mail of it.intake.mails)
          for (const { address } of mail.recipients)
            assert.ok(mail.principal !== undefined || address.endsWith('@example.com'), address)
        it.hangUp()
      }),
      { numRuns: 200 },
    )
  })
