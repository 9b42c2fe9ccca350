import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { clientFrontend } from '../index.ts'
import { type FakeConnection, type World, world } from './harness.ts'

let it: World
before(async () => {
  it = await world()
})
after(() => it.close())

const b64 = (text: string) => Buffer.from(text).toString('base64')
async function client(): Promise<FakeConnection> {
  const connection = await it.connect(
    [clientFrontend('mail.example.com', { maxProtocolErrors: 50, maxLogonFailures: 3 })],
    { secure: true },
  )
  await connection.reply()
  await connection.talk('EHLO x')
  return connection
}

test('AUTH PLAIN and LOGIN, with and without initial response', async () => {
  assert.deepEqual(await (await client()).talk(`AUTH PLAIN ${b64('\0bob@example.com\0bob pass')}`), ['235 2.7.0'])
  const two = await client()
  two.send('AUTH PLAIN\r\n')
  assert.equal(await two.reply(), '334 ')
  assert.deepEqual(await two.talk(b64('\0bob@example.com\0bob pass')), ['235 2.7.0'])
  const three = await client()
  assert.deepEqual(await three.talk('AUTH LOGIN', b64('bob@example.com'), b64('bob pass')), [
    `334 ${b64('Username:')}`,
    `334 ${b64('Password:')}`,
    '235 2.7.0',
  ])
  assert.deepEqual(await three.talk('AUTH LOGIN', 'MAIL FROM:<bob@example.com>'), ['503 5.5.1', '250 2.1.0'])
})

test('a client that sends the whole exchange at once is served', async () => {
  const eager = await client()
  eager.send(`AUTH LOGIN\r\n${b64('bob@example.com')}\r\n${b64('bob pass')}\r\nNOOP\r\n`)
  const codes = []
  for (let i = 0; i < 4; i++) codes.push((await eager.reply()).slice(0, 3))
  assert.deepEqual(codes, ['334', '334', '235', '250'])
})

test('AUTH SCRAM-SHA-256: the server proves itself too', async () => {
  const scram = async (password: string) => {
    const connection = await client()
    const bare = 'n=bob@example.com,r=clientnonce'
    connection.send(`AUTH SCRAM-SHA-256 ${b64(`n,,${bare}`)}\r\n`)
    const serverFirst = Buffer.from((await connection.reply()).slice(4), 'base64').toString()
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst)!
    const salted = pbkdf2Sync(password, Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256')
    const mac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
    const clientKey = mac(salted, 'Client Key')
    const without = `c=biws,r=${nonce}`
    const message = `${bare},${serverFirst},${without}`
    const signature = mac(createHash('sha256').update(clientKey).digest(), message)
    const proof = clientKey.map((byte, i) => byte ^ signature[i]!)
    connection.send(`${b64(`${without},p=${Buffer.from(proof).toString('base64')}`)}\r\n`)
    const answer = await connection.reply()
    const expected = `334 ${b64(`v=${mac(mac(salted, 'Server Key'), message).toString('base64')}`)}`
    return { connection, answer, expected }
  }
  const good = await scram('bob pass')
  assert.equal(good.answer, good.expected)
  assert.deepEqual(await good.connection.talk('', 'MAIL FROM:<bob@example.com>'), ['235 2.7.0', '250 2.1.0'])
  const wrong = await scram('not the password')
  assert.match(wrong.answer, /^535 5\.7\.8/)
})

test('P16: wrong, cancelled and malformed exchanges; the third failed login ends the connection', async () => {
  const connection = await client()
  assert.deepEqual(
    await connection.talk(
      'AUTH GSSAPI',
      'AUTH PLAIN !!!',
      'AUTH PLAIN AAA',
      `AUTH PLAIN ${b64('nonsense')}`,
      'AUTH PLAIN',
      '*',
    ),
    ['504 5.5.4', '501 5.5.4', '501 5.5.2', '501 5.5.2', '334', '501 5.7.0'],
  )
  const wrong = `AUTH PLAIN ${b64('\0bob@example.com\0wrong')}`
  const unknown = `AUTH PLAIN ${b64('\0nobody@example.com\0wrong')}`
  assert.deepEqual(await connection.talk(wrong, unknown), ['535 5.7.8', '535 5.7.8'])
  assert.deepEqual(await connection.talk(wrong), ['421 4.7.0'])
  assert.ok(connection.ended)
})

test('a password change ends the live session', async () => {
  const connection = await it.submission('alice')
  assert.deepEqual(await connection.talk('NOOP'), ['250 2.0.0'])
  const entry = [...it.directory.mailboxes()].find((one) => one.address === 'alice@example.com')!
  await it.directory.setPassword(entry.account, 'a new one')
  assert.match(await connection.reply(), /^421 4\.7\.0/)
  assert.ok(connection.ended)
})
