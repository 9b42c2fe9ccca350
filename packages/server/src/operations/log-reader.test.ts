import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

test('a program whose log nobody reads any more ends all the same', async () => {
  const module = new URL('./log.ts', import.meta.url).href
  const code = `
    const { openLog } = await import(${JSON.stringify(module)})
    const opened = openLog('info', 'json')
    await new Promise((resolve) => process.stdin.once('end', resolve).resume())
    opened.log.info({ text: 'x'.repeat(100) }, 'said to nobody')
    await opened.flush()
    process.exit(7)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  child.stderr.destroy()
  child.stdin.end()
  assert.deepEqual(await once(child, 'exit'), [7, null])
})
