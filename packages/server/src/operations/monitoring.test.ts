/** The board and the alert rules of docs/monitoring know only metrics that the program has. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { Metrics } from './metrics.ts'

const root = resolve(import.meta.dirname, '../../../..')
const text = (path: string): string => readFileSync(join(root, path), 'utf8')

test('every metric of the Grafana board and of the alert rules exists', () => {
  const known = new Set(new Metrics().registry.getMetricsAsArray().map(({ name }) => name))
  const sources = globSync('packages/{server,protocols,transport,store}/src/**/*.ts', { cwd: root })
  for (const path of sources.filter((one) => !one.endsWith('.test.ts')))
    for (const [, name] of text(path).matchAll(/\.(?:count|gauge|observe|watch)\(\s*'([a-z_]+)'/g))
      known.add(`postrider_${name}`)
  assert.ok(known.size > 40, `${known.size} metrics found`)
  for (const file of ['docs/monitoring/grafana.json', 'docs/monitoring/alerts.yaml']) {
    const used = new Set(text(file).match(/\bpostrider_[a-z_]+/g))
    assert.ok(used.size > 5, file)
    for (const name of used)
      assert.ok(known.has(name) || known.has(name.replace(/_(?:bucket|count|sum)$/, '')), `${file}: ${name}`)
  }
})

test('the board is one Grafana can load: panels with places, numbers and questions of their own', () => {
  const board = JSON.parse(text('docs/monitoring/grafana.json')) as {
    readonly panels: readonly {
      readonly id: number
      readonly title: string
      readonly gridPos: { readonly x: number; readonly w: number }
      readonly targets: readonly { readonly expr: string; readonly refId: string }[]
    }[]
  }
  assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length)
  for (const { title, gridPos, targets } of board.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title)
    assert.ok(targets.length > 0 && new Set(targets.map(({ refId }) => refId)).size === targets.length, title)
    for (const { expr } of targets) assert.equal(expr.split('(').length, expr.split(')').length, expr)
  }
})
