/**
 * `npm test`: every test of the workspace on Node's own runner. Tests that drive programs of the system (swaks, mbsync, xmllint …) run
 * where these are installed; the ones left out are named at the end. With POSTRIDER_ALL_CLIENTS=1 (as `.ci/run` sets it) a missing program
 * is a failure.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { delimiter, join, relative, resolve } from 'node:path'
import { missingPrograms } from '../packages/testkit/src/programs/index.ts'

const root = resolve(import.meta.dirname, '..')

function* tests(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* tests(path)
    else if (entry.name.endsWith('.test.ts')) yield path
  }
}

const chosen = process.argv.slice(2)
const all = [...tests(join(root, 'packages'))].map((path) => relative(root, path)).sort()
const files = chosen.length === 0 ? all : all.filter((path) => chosen.some((one) => path.includes(one)))
if (files.length === 0) {
  console.error('no tests found')
  process.exit(1)
}

const missing = missingPrograms()
if (missing.length > 0 && process.env.POSTRIDER_ALL_CLIENTS === '1') {
  console.error(`programs missing: ${missing.map((one) => `${one.program} (${one.package})`).join(', ')}`)
  process.exit(1)
}

const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', '--test-timeout=300000', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}` },
})
if (missing.length > 0) {
  console.log('\nLeft out, because the program is not installed:')
  for (const one of missing) console.log(`  ${one.program}: ${one.tests} (Debian package ${one.package})`)
}
process.exitCode = status ?? 1
