import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '@postrider/domain'
import { asText } from './log.ts'
import { MAX_SERIES, Metrics } from './metrics.ts'
import { writeReadyFile } from './ready-file.ts'
import { watchStalls } from './stalls.ts'

test('metrics have the prefix, and no client can make endless series of them', async () => {
  const metrics = new Metrics()
  for (let i = 0; i < MAX_SERIES + 50; i++) metrics.count('tags_total', { tag: `t${i}` })
  metrics.observe('waits_seconds', 0.02, { command: 'Ping' })
  metrics.watch('now', () => 7)
  const text = await metrics.registry.metrics()
  assert.match(text, /^postrider_tags_total\{tag="other"\} 50$/m)
  assert.equal(text.match(/^postrider_tags_total/gm)?.length, MAX_SERIES + 1)
  assert.match(text, /^postrider_waits_seconds_bucket\{le="0.025",command="Ping"\} 1$/m)
  assert.match(text, /^postrider_now 7$/m)
})

test('a stall of the event loop is counted and measured', async () => {
  const metrics = new Metrics()
  const stop = watchStalls(metrics, silentLog, 'test')
  await new Promise((resolve) => setTimeout(resolve, 50))
  const until = performance.now() + 120
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  stop()
  assert.match(await metrics.registry.metrics(), /postrider_event_loop_stalls_total\{thread="test"\} [1-9]/)
})

test('a log line for people: no control character gets to the terminal', () => {
  const line = JSON.stringify({
    level: 40,
    time: '2026-11-21T12:00:00.000Z',
    msg: 'hi\u001b[31m\nthere',
    user: 'x\u0007',
  })
  assert.equal(asText(line), '12:00:00 WARN  hi\\u001b[31m\\nthere  user="x\\u0007"\n')
})

test('a ready file is whole when it is there, and its owner’s alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ready-'))
  const file = join(folder, 'ready.json')
  const ready = {
    pid: 1,
    listeners: { imap: { host: '127.0.0.1', port: 1 } },
    mailbox: { address: 'a@b.c', password: 'p' },
  }
  writeReadyFile(file, ready)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), ready)
  rmSync(folder, { recursive: true })
})

const tools = ['python3', 'systemd-notify'].every((name) => spawnSync(name, ['--version']).error === undefined)
test('systemd is told READY=1', { skip: !tools && 'needs python3 and systemd-notify' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'notify-'))
  const path = join(folder, 'socket')
  const script = `import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nprint("bound",flush=True)\ns.settimeout(20)\nprint(s.recv(4096).decode(),flush=True)`
  const listener = spawn('python3', ['-c', script, path])
  let text = ''
  listener.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(listener.stdout, 'data')
  const module = resolve(import.meta.dirname, 'systemd.ts')
  const call = `import { notifySystemd } from ${JSON.stringify(module)}; await notifySystemd('READY=1', console)`
  const exited = once(listener, 'exit')
  spawnSync(process.execPath, ['--input-type=module', '-e', call], { env: { ...process.env, NOTIFY_SOCKET: path } })
  await exited
  rmSync(folder, { recursive: true })
  assert.match(text, /READY=1/)
})
