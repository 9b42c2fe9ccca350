import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type DirectoryStore, openDirectory } from './index.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'postrider-pages-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return join(path, 'directory.db')
}
const open = (file: string): DirectoryStore => openDirectory({ file, hashCost: { N: 2, r: 1, p: 1 } as never })

test('a bit that turns inside a text of the directory is found, also after the page was written to', async (t) => {
  const file = folder(t)
  const first = open(file)
  await first.addDomain('example.com', 'Authoritative')
  await first.addGroup({ address: 'everybody@example.com', displayName: 'Everybody in the house' })
  assert.deepEqual(first.damage(), [])
  first.close()
  assert.ok(existsSync(`${file}-sums`))
  const bytes = readFileSync(file)
  const at = bytes.indexOf('Everybody in the house')
  assert.ok(at > 0)
  bytes[at] = bytes[at]! ^ 1
  writeFileSync(file, bytes)
  const second = open(file)
  t.after(() => second.close())
  assert.match(second.damage().join(), /page \d+ is not what was written/)
  await second.updateGroup('everybody@example.com', { displayName: 'All' })
  assert.match(second.damage().join(), /page \d+ is not what was written/)
})

test('the log of the directory is copied again and again, sums first; a kill leaves nothing that looks like damage', async (t) => {
  const file = folder(t)
  const one = open(file)
  t.after(() => one.close())
  await one.addDomain('example.com', 'Authoritative')
  for (let i = 0; i < 200; i++) await one.setSetting(`note${i % 7}`, `value ${i} ${'x'.repeat(3_000)}`)
  const killed = folder(t)
  for (const end of ['', '-wal', '-sums']) writeFileSync(`${killed}${end}`, readFileSync(`${file}${end}`))
  const again = open(killed)
  assert.deepEqual(again.damage(), [])
  assert.equal(again.setting('note3'), one.setting('note3'))
  again.close()
  // Somebody without sums wrote to it: they are taken anew, and that is no damage.
  rmSync(`${killed}-sums`)
  const anew = open(killed)
  assert.deepEqual(anew.damage(), [])
  anew.close()
})
