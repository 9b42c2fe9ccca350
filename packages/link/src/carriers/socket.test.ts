import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Channel } from '../channel.ts'
import { identity, mutualTls } from '../contract/test-tls.ts'
import { connectSocket, listenSocket, TOKEN_BYTES } from './socket.ts'
import { streamChannel } from './stream.ts'

const token = randomBytes(TOKEN_BYTES)

async function listening(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'link-'))
  const path = join(folder, 'owner.sock')
  writeFileSync(path, 'left behind by a crash')
  const joined: Channel[] = []
  const server = await listenSocket(path, token, (channel) => joined.push(channel))
  t.after(() => {
    server.close()
    for (const channel of joined) channel.close()
    rmSync(folder, { recursive: true })
  })
  return { path, joined, server }
}

const closed = (channel: Channel): Promise<Error | undefined> =>
  new Promise((resolve) => {
    channel.handler = { frame: () => {}, closed: resolve }
  })

test('the socket is this user’s alone, in the place of a dead one, and goes with the listening', async (t) => {
  const { path, server } = await listening(t)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.ok(statSync(path).isSocket())
  server.close()
  assert.equal(existsSync(path), false)
  await assert.rejects(connectSocket(path, token))
})

test('who does not know the token is cut off; who knows it may send at once', async (t) => {
  const { path, joined } = await listening(t)
  const wrong = await connectSocket(path, randomBytes(TOKEN_BYTES))
  wrong.send(Uint8Array.of(1))
  await closed(wrong)
  const short = connect(path)
  short.on('error', () => {})
  short.end(token.subarray(1))
  await new Promise((resolve) => short.resume().once('close', resolve))
  assert.equal(joined.length, 0)
  const right = await connectSocket(path, token)
  right.send(Uint8Array.of(1, 2, 3))
  const frame = await new Promise<Uint8Array>((resolve) => {
    const wait = setInterval(() => {
      const [channel] = joined
      if (channel === undefined) return
      clearInterval(wait)
      channel.handler = { frame: resolve, closed: () => {} }
    }, 5)
  })
  assert.deepEqual([...frame], [1, 2, 3])
  right.close()
})

test('a token may come in pieces, and a crowd of strangers does not keep the right one out', async (t) => {
  const { path, joined } = await listening(t)
  const strangers = Array.from({ length: 40 }, () => connect(path).on('error', () => {}))
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (const one of strangers) one.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const socket = connect(path)
  for (const byte of token) {
    socket.write(Uint8Array.of(byte))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  for (let i = 0; i < 100 && joined.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(joined.length, 1)
  socket.destroy()
})

test('mutual TLS: another’s certificate gets no channel', async (t) => {
  const [owner, caller, stranger] = [identity('owner'), identity('caller'), identity('stranger')]
  let joined = 0
  const server = await mutualTls(owner, caller, (socket) => {
    joined++
    streamChannel(socket).handler = { frame: () => {}, closed: () => {} }
  })
  t.after(() => server.close())
  const refused = streamChannel(await server.connect(stranger))
  await closed(refused)
  assert.equal(joined, 0)
  const taken = streamChannel(await server.connect())
  for (let i = 0; i < 200 && joined === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(joined, 1)
  taken.close()
})
