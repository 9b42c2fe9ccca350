/** The Debian package holds all that the program needs and nothing of its tests: unpacked into an empty folder it serves. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { freePorts, run, start, temporaryFolder, until } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'

const builder = resolve(import.meta.dirname, '../../server/packaging/deb.ts')
const skip = without('dpkg-deb', 'curl')

test('the Debian package: fields, scripts, unit; unpacked it starts and serves', {
  skip,
  timeout: 300_000,
}, async () => {
  using folder = temporaryFolder('deb')
  const made = await run(process.execPath, [builder, '--to', folder.path, '--fast'], { timeoutMs: 120_000 })
  assert.equal(made.code, 0, made.stderr)
  const file = made.stdout.trim()
  const fields = (await run('dpkg-deb', ['--field', file])).stdout
  assert.match(fields, /^Package: postrider$/m)
  assert.match(fields, /^Depends: .*libatomic1/m)
  const tree = join(folder.path, 'tree')
  assert.equal((await run('dpkg-deb', ['--raw-extract', file, tree], { timeoutMs: 120_000 })).code, 0)
  for (const script of ['DEBIAN/postinst', 'DEBIAN/prerm', 'DEBIAN/postrm', 'usr/bin/postrider'])
    assert.equal((await run('sh', ['-n', join(tree, script)])).code, 0, script)
  const unit = readFileSync(join(tree, 'usr/lib/systemd/system/postrider.service'), 'utf8')
  assert.doesNotMatch(unit, /\/opt\//)
  const program = join(tree, 'usr/lib/postrider')
  const files = readdirSync(join(program, 'packages'), { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    files.filter((one) => /testkit|\.test\.ts$|\.bench\.ts$/.test(one)),
    [],
  )

  const [, node = '', main = ''] =
    /^ExecStart=\/usr\/lib\/postrider\/(\S+) \/usr\/lib\/postrider\/(\S+) start$/m.exec(unit) ?? []
  const port = await freePorts(8)
  const child = start(join(program, node), [join(program, main), 'start'], {
    env: {
      POSTRIDER_DATA: join(folder.path, 'data'),
      POSTRIDER_PORT_BASE: String(port),
      POSTRIDER_READY_FILE: join(folder.path, 'ready.json'),
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()))
  try {
    await until('it listens', () => readdirSync(folder.path).includes('ready.json'), 60_000)
    const page = await run('curl', ['--silent', '--insecure', `https://127.0.0.1:${port}/healthz`])
    assert.equal(page.stdout.trim(), 'ok', output)
    const version = await run(join(program, node), [join(program, main), '--version'])
    assert.match(version.stdout, /^postrider \d+\.\d+\.\d+$/m)
  } finally {
    child.kill('SIGTERM')
    await until('it ends', () => child.exitCode !== null || child.signalCode !== null, 60_000)
  }
  assert.equal(child.exitCode, 0, output)
})
