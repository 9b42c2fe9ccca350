import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { Pop3Client } from '../src/pop3/index.ts'
import { TestServer } from '../src/server/index.ts'

const ADDRESS = 'pop@example.com'
const PASSWORD = 'pop-password'

const mail = (n: number): string => `Subject: mail ${n}\r\n\r\n.\r\n..two dots\r\n.hidden\r\nlast line ${n}\r\n`

/** Sends everything at once, as a pipelining program does, and reads until the server ends or `lines` lines are there. */
async function session(port: number, text: string, lines: number): Promise<string[]> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  let got = ''
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1')
    socket.emit('text')
  })
  socket.write(`USER ${ADDRESS}\r\nPASS ${PASSWORD}\r\n${text}`)
  while (got.split('\r\n').length <= lines) await once(socket, 'text', { signal: AbortSignal.timeout(10_000) })
  socket.destroy()
  return got.split('\r\n').slice(0, lines)
}

test('R14, R34: POP3 as programs use it: UIDs that stay, dots, pipelining, dropped connections, several at once', async () => {
  await using server = await TestServer.start()
  await server.addUser(ADDRESS, PASSWORD)
  const imap = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
  for (let n = 1; n <= 6; n++) await imap.append('INBOX', mail(n))
  const login = (): Promise<Pop3Client> => Pop3Client.login(server.port('pop3s'), ADDRESS, PASSWORD)
  const uids = async (): Promise<string[]> => {
    const client = await login()
    const all = await client.lines('UIDL')
    await client.quit()
    return all.map((line) => line.split(' ')[1] ?? '')
  }
  const first = await uids()
  assert.equal(new Set(first).size, 6)

  // Dots: RFC 1939 §3, TOP §7.
  const reader = await login()
  assert.deepEqual((await reader.lines('TOP 1 2')).slice(-3), ['', '.', '..two dots'])
  assert.deepEqual((await reader.lines('TOP 1 0')).at(-1), '')
  assert.equal(`${(await reader.lines('RETR 2')).join('\r\n')}\r\n`, mail(2))
  assert.equal(await reader.command('LIST 2'), `+OK 2 ${mail(2).length}`)
  // Others may log in meanwhile.
  const others = await Promise.all([login(), login(), login()])
  await Promise.all(others.map((other) => other.quit()))
  await reader.quit()

  // Expunges and moves by others.
  await imap.command('SELECT INBOX')
  await imap.command('STORE 2 +FLAGS (\\Deleted)')
  await imap.command('EXPUNGE')
  await imap.command('CREATE Elsewhere')
  await imap.command('MOVE 3 Elsewhere')
  const left = first.filter((_, i) => i !== 1 && i !== 3)
  assert.deepEqual(await uids(), left)
  imap.close()
  await server.stop()
  await server.restart()
  assert.deepEqual(await uids(), left)

  // Without QUIT nothing goes, with a RSET before it neither.
  const answers = await session(server.port('pop3s'), 'DELE 1\r\nDELE 2\r\nSTAT\r\n', 6)
  assert.deepEqual(
    answers.slice(-3).map((line) => line.slice(0, 3)),
    ['+OK', '+OK', '+OK'],
  )
  assert.deepEqual(await uids(), left)
  await session(server.port('pop3s'), 'DELE 1\r\nRSET\r\nQUIT\r\n', 6)
  assert.deepEqual(await uids(), left)

  // Pipelined to the end.
  const all = await session(server.port('pop3s'), 'DELE 1\r\nUIDL 1\r\nUIDL 2\r\nNOOP\r\nNONSENSE\r\nQUIT\r\n', 9)
  assert.deepEqual(
    all.slice(3).map((line) => line.split(' ')[0]),
    ['+OK', '-ERR', '+OK', '+OK', '-ERR', '+OK'],
  )
  assert.equal(all[5], `+OK 2 ${left[1]}`)
  assert.deepEqual(await uids(), left.slice(1))

  // Two that mark the same mail: both end well, it goes once.
  const [a, b] = await Promise.all([login(), login()])
  assert.match(await a.command('DELE 1'), /^\+OK/)
  assert.match(await b.command('DELE 1'), /^\+OK/)
  assert.match(await a.command('QUIT'), /^\+OK/)
  assert.match(await b.command('QUIT'), /^\+OK/)
  assert.deepEqual(await uids(), left.slice(2))
})
