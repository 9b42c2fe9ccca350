import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '@postrider/domain'
import { FrameReader, frame, MAX_FRAME } from './frames.ts'
import { FolderInUse, lockFolder } from './lock.ts'
import { askServer, type ControlRequest, NotRunning, serveControl } from './socket.ts'

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'control-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}
const request: ControlRequest = { command: 'x', words: { positionals: ['ä'], options: { a: true } } }

test('frames survive any cut', () => {
  const values = [1, 'ä', { a: [null, true] }, 'x'.repeat(100_000)]
  const bytes = Buffer.concat(values.map(frame))
  for (const step of [1, 7, 65_536]) {
    if (step === 1 && bytes.length > 200_000) continue
    const reader = new FrameReader()
    const read: unknown[] = []
    for (let at = 0; at < 1_000 && at < bytes.length; at += step)
      read.push(...reader.push(bytes.subarray(at, Math.min(at + step, 1_000))))
    read.push(...reader.push(bytes.subarray(Math.min(1_000, Math.ceil(1_000 / step) * step))))
    assert.deepEqual(read, values, String(step))
  }
  const long = Buffer.alloc(4)
  long.writeUInt32BE(MAX_FRAME + 1)
  assert.throws(() => new FrameReader().push(long), RangeError)
})

test('one process per data folder, and the lock goes with its holder', (t) => {
  const folder = temporary(t)
  const lock = lockFolder(folder)
  assert.throws(
    () => lockFolder(folder),
    (error) => error instanceof FolderInUse && error.pid === process.pid && error.message.includes(folder),
  )
  lock.release()
  lockFolder(folder).release()
})

test('the control socket is the owner’s alone and answers', async (t) => {
  const folder = temporary(t)
  await assert.rejects(askServer(folder, request), NotRunning)
  writeFileSync(join(folder, 'control.sock'), 'a dead one')
  const control = await serveControl(folder, async (asked) => ({ ok: true, result: asked }), silentLog)
  assert.equal(statSync(join(folder, 'control.sock')).mode & 0o777, 0o600)
  assert.deepEqual(await askServer(folder, request), { ok: true, result: request })
  const bad = await askServer(folder, { command: 'x' } as unknown as ControlRequest)
  assert.equal(bad.ok, false)
  await control.close()
  await assert.rejects(askServer(folder, request), NotRunning)
})

test('nonsense on the socket ends that connection only', async (t) => {
  const folder = temporary(t)
  const control = await serveControl(folder, async () => ({ ok: true, result: 1 }), silentLog)
  const socket = connect(join(folder, 'control.sock'))
  await new Promise<void>((resolve) => {
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.write(Buffer.from('\xff\xff\xff\xffnonsense', 'latin1'))
  })
  assert.deepEqual(await askServer(folder, request), { ok: true, result: 1 })
  await control.close()
})

test('a data folder too deep for a socket path works all the same', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const folder = join(temporary(t), 'a'.repeat(90), 'b'.repeat(90))
  mkdirSync(folder, { recursive: true })
  const control = await serveControl(folder, async () => ({ ok: true, result: 'deep' }), silentLog)
  assert.deepEqual(await askServer(folder, request), { ok: true, result: 'deep' })
  await control.close()
})

test('a folder that is not there is a server that does not run', async () => {
  await assert.rejects(askServer('/nowhere/at/all', request), NotRunning)
  await assert.rejects(askServer(`/nowhere/${'x'.repeat(120)}`, request), NotRunning)
})
