/**
 * Every row of the table in docs/BENCHMARKS.md, ours against the peers of Debian in turns, and the tables written there:
 * node packages/testkit/bench/all.ts [--rows NAME,…] [--part NAME,…] [--runs 5] [--quick] [--no-write]
 * `--part`: only some parts of a row that has parts (web: visits, axe, views, scroll, keys); the other lines stay as they were.
 * Ends by itself, each row within its own time, and leaves nothing running. Needs root (Dovecot and Postfix want it), and Debian's packages
 * dovecot-imapd, dovecot-lmtpd, postfix, postgresql, for ActiveSync's peer sogo and sogo-activesync, for the web client chromium, nginx-light, roundcube-core, php8.2-fpm, php8.2-sqlite3.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Line, median } from './harness/line.ts'
import { inDocument, type Result, report } from './harness/report.ts'
import type { Scenario } from './harness/scenario.ts'
import { Stage } from './harness/stage.ts'
import { scenarios } from './rows/index.ts'

/** After a signal: longer than this nothing is waited for; what still runs is killed with the process. */
const END_MS = 60_000
const docs = resolve(import.meta.dirname, '..', '..', '..', 'docs')
const resultsFile = join(docs, 'benchmarks.json')
const document = join(docs, 'BENCHMARKS.md')

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    part: { type: 'string' },
    runs: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
  },
})
const wanted = values.rows?.split(',') ?? scenarios.map(({ name }) => name)
for (const name of wanted) {
  if (!scenarios.some((one) => one.name === name)) {
    console.error(`no row ${name}; there are ${scenarios.map((one) => one.name).join(', ')}`)
    process.exit(2)
  }
}

const parts = values.part?.split(',')
for (const part of parts ?? []) {
  const known = scenarios.filter(({ name }) => wanted.includes(name)).flatMap((one) => one.parts ?? [])
  if (known.includes(part)) continue
  console.error(`no part ${part}; there are ${known.join(', ') || 'none'}`)
  process.exit(2)
}
const scale = { runs: values.quick ? 1 : Number(values.runs), quick: values.quick }
const stage = new Stage({ ...scale, parts })
const results: Result[] = []
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopping = true
    setTimeout(() => process.exit(1), END_MS)
    void stage.close().then(() => process.exit(1))
  })
}

for (const scenario of scenarios) {
  if (!wanted.includes(scenario.name) || stopping) continue
  results.push(await measured(scenario))
}
await stage.close()
const known: Result[] = existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as Result[]) : []
if (parts !== undefined) for (const [at, result] of results.entries()) results[at] = withOthers(result)
const merged = scenarios.flatMap(({ name }) =>
  [results, known].flatMap((list) => list.filter((one) => one.name === name)).slice(0, 1),
)
const text = report(values['no-write'] ? results : merged, machine())
console.log(text)
if (!values['no-write'] && !stopping) {
  writeFileSync(resultsFile, `${JSON.stringify(merged, undefined, 1)}\n`)
  writeFileSync(document, inDocument(readFileSync(document, 'utf8'), text))
}
process.exit(results.some(({ failed }) => failed !== undefined) ? 1 : 0)

/** One row, ended at its time limit; what was measured until then counts. */
async function measured(scenario: Scenario): Promise<Result> {
  const { name, title, method, seconds } = scenario
  const lines: Line[] = []
  const began = performance.now()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`longer than ${seconds} s`)), seconds * 1_000)
  let failed: string | undefined
  try {
    const work = scenario.measure(stage, (line) => {
      lines.push(line)
      const peers = Object.entries(line.peers).map(([peer, taken]) => `${peer} ${median(taken).toFixed(1)}`)
      console.error(`${name}: ${line.what}: ${[median(line.ours).toFixed(1), ...peers].join(', ')} ${line.unit}`)
    })
    await Promise.race([work, late])
  } catch (error) {
    failed = String(error)
    console.error(`${name}: ${failed}`)
  }
  clearTimeout(timer)
  console.error(`${name}: ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  const date = new Date().toISOString().slice(0, 10)
  return { name, title, method, ...scale, date, lines, ...(failed === undefined ? {} : { failed }) }
}

function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} cores (${cpu?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Linux, Node ${process.versions.node}; servers, peers and load generator on the same machine.`
}

/** Of a row measured in parts the lines that were not measured now stay as they were. */
function withOthers(result: Result): Result {
  const before = known.find(({ name }) => name === result.name)?.lines ?? []
  const now = new Map(result.lines.map((line) => [line.what, line]))
  const lines = [...before.map((line) => now.get(line.what) ?? line)]
  for (const line of result.lines) if (!before.some(({ what }) => what === line.what)) lines.push(line)
  return { ...result, lines }
}
