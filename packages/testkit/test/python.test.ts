import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'

test("R45: Python's smtplib, imaplib and poplib send, read, flag, file and delete", {
  skip: without('python3'),
}, async () => {
  await using server = await TestServer.start()
  await server.addUser('py@example.com', 'pa ss-wörd')
  const ports = (['submission', 'imaps', 'pop3s'] as const).map((name) => `${name}=${server.port(name)}`).join(',')
  const script = join(import.meta.dirname, 'clients', 'libraries.py')
  await server.command(['user', 'password', 'py@example.com', '--password-stdin'], 'plain words\n')
  const { code, stdout, stderr } = await run('python3', [script, ports, 'py@example.com', 'plain words'])
  assert.equal(code, 0, stdout + stderr)
})
