/**
 * `npm test`: every test of the workspace on Node's own runner. Tests that drive programs of the system (swaks, mbsync, xmllint …) run
 * where these are installed; the ones left out are named at the end. With POSTRIDER_ALL_CLIENTS=1 (as `.ci/run` sets it) a missing program
 * is a failure.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
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
const wanted = missing.filter(({ byHand = false }) => !byHand)
if (wanted.length > 0 && process.env.POSTRIDER_ALL_CLIENTS === '1') {
  console.error(`programs missing: ${wanted.map((one) => `${one.program} (${one.package})`).join(', ')}`)
  process.exit(1)
}

/** A test that runs for longer has failed, ms; tests with a limit of their own keep it. */
const TEST_MS = 300_000
/** More failed files are no accident: they are not tried again. */
const MAX_REPEATED = 12
/** No run takes longer, ms: then it is ended, and what hangs is the last thing it printed. */
const RUN_MS = 60 * 60_000

interface Run {
  readonly status: number
  /** Files with a failed test; empty when the run as a whole was ended. */
  readonly failed: readonly string[]
}

function run(files: readonly string[], concurrency: number): Run {
  const list = join(mkdtempSync(join(tmpdir(), 'postrider-failed-')), 'files')
  const reporters = [
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${join(import.meta.dirname, 'failed-files.ts')}`, `--test-reporter-destination=${list}`],
  ]
  const args = [
    '--import',
    join(import.meta.dirname, 'seed.ts'),
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${TEST_MS}`,
    ...reporters,
    ...files,
  ]
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    timeout: RUN_MS,
    env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}` },
  })
  const failed = new Set(existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : [])
  rmSync(join(list, '..'), { recursive: true })
  return {
    status: status ?? 1,
    failed: status === null ? [] : [...failed].map((path) => relative(root, resolve(root, path))),
  }
}

// Side by side first. What fails then is run once more by itself: a test that only a busy machine breaks is named, not counted.
let { status, failed } = run(files, 2)
if (failed.length > 0 && failed.length <= MAX_REPEATED) {
  console.log(`\nOnce more, one after the other:\n  ${failed.join('\n  ')}\n`)
  const again = run(failed, 1)
  status = again.status
  const unsteady = failed.filter((path) => !again.failed.includes(path))
  if (unsteady.length > 0)
    console.log(`\nUnsteady: failed beside other tests, passed alone:\n  ${unsteady.join('\n  ')}`)
}
if (missing.length > 0) {
  console.log('\nLeft out, because the program is not installed:')
  for (const one of missing) console.log(`  ${one.program}: ${one.tests} (Debian package ${one.package})`)
}
process.exitCode = status
