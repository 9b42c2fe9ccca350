import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { type Line, median, ratio, reached } from '../bench/harness/line.ts'
import { inDocument, report } from '../bench/harness/report.ts'
import { run } from '../src/process/index.ts'
import { findProgram } from '../src/programs/index.ts'

const line = (over: Partial<Line>): Line => ({
  what: 'w',
  unit: 'ms',
  better: 'less',
  ours: [10, 30, 20],
  peers: { fast: [20, 10, 40], slow: [50, 60] },
  goals: [{ times: 1 }],
  ...over,
})

test('the better peer counts, by medians', () => {
  assert.equal(median([3, 1, 2, 4]), 2.5)
  assert.equal(ratio(line({})), 1)
  assert.equal(reached(line({})), true)
  assert.equal(reached(line({ goals: [{ times: 0.9 }] })), false)
  assert.equal(reached(line({ better: 'more' })), false)
  assert.equal(ratio(line({ better: 'more' })), 20 / 55)
  assert.equal(reached(line({ goals: [{ times: 0.5, peer: 'slow' }, { limit: 20 }] })), true)
  assert.equal(reached(line({ goals: [{ limit: 19 }] })), false)
  assert.equal(reached(line({ peers: {} })), undefined)
  assert.equal(reached(line({ goals: [] })), undefined)
})

test('the report stands between its marks, says where we lose, and the hand-written text stays', () => {
  const result = {
    name: 'row',
    title: 'A row',
    method: 'Measured.',
    runs: 3,
    quick: false,
    date: '2026-01-01',
    lines: [line({ what: 'lost', goals: [{ times: 0.5 }] }), line({ what: 'won' })],
  }
  const text = report([result], 'A machine.')
  assert.match(text, /1 of 2 goals reached/)
  assert.match(text, /Where we lose\n\n- A row: lost: 20 ms, fast 20 \(ratio 1\.00\); goal ≤ 0\.5 ×\n/)
  assert.match(text, /\| won \| ms \| 20 \(10–30\) \| 20 \(10–40\) \| 55 \(50–60\) \| 1\.00 \| ≤ 1 × \| yes \|/)
  const mark = '<!-- figures: written by packages/testkit/bench/all.ts, not by hand -->'
  const before = `# By hand\n${mark}\nold\n<!-- end of figures -->\nalso by hand\n`
  const after = inDocument(before, text)
  assert.match(after, /^# By hand\n/)
  assert.match(after, /\nalso by hand\n$/)
  assert.doesNotMatch(after, /\nold\n/)
  assert.equal(inDocument(after, text), after)
  assert.throws(() => inDocument('nothing', text))
})

test('a row is measured against the peers with small sizes and ends by itself', {
  skip: findProgram('dovecot') === undefined || process.getuid?.() !== 0,
}, async () => {
  const all = resolve(import.meta.dirname, '..', 'bench', 'all.ts')
  const { code, stdout, stderr } = await run(
    process.execPath,
    [all, '--quick', '--no-write', '--rows', 'change,resync'],
    { timeoutMs: 240_000 },
  )
  assert.equal(code, 0, stderr)
  for (const what of ['COPY', 'STORE', 'MOVE', 'EXPUNGE', 'SELECT \\(QRESYNC …\\)'])
    assert.match(stdout, new RegExp(`\\| ${what} \\| ms \\| [\\d.]+ \\| [\\d.]+ \\| [\\d.]+ \\|`))
})
