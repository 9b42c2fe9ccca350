import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Metrics } from './metrics.ts'
import { largest, quantile, readSamples, total } from './samples.ts'

test('what the metrics write is read back: names, labels with quotes and newlines, values', async () => {
  const metrics = new Metrics()
  metrics.count('mails_total', { by: 'smtp' }, 3)
  metrics.count('mails_total', { by: 'a "quoted"\nname' }, 4)
  metrics.gauge('oldest_seconds', 2.5, { place: 'x' })
  metrics.gauge('oldest_seconds', 1.5, { place: 'y' })
  const samples = readSamples(await metrics.registry.metrics())
  assert.equal(total(samples, 'postrider_mails_total'), 7)
  assert.equal(
    total(samples, 'postrider_mails_total', (labels) => labels.get('by') === 'smtp'),
    3,
  )
  assert.equal(largest(samples, 'postrider_oldest_seconds'), 2.5)
  assert.equal(total(samples, 'postrider_nothing'), 0)
})

test('a quantile is of the time between two looks, over all series of the histogram', async () => {
  const metrics = new Metrics()
  const look = async () => readSamples(await metrics.registry.metrics())
  for (let i = 0; i < 100; i++) metrics.observe('work_seconds', 20, { kind: 'a' })
  const before = await look()
  assert.equal(quantile(before, await look(), 'postrider_work_seconds', 0.99), undefined, 'nothing happened')
  for (let i = 0; i < 99; i++) metrics.observe('work_seconds', 0.003, { kind: 'a' })
  metrics.observe('work_seconds', 0.3, { kind: 'b' })
  const after = await look()
  const median = quantile(before, after, 'postrider_work_seconds', 0.5) ?? 0
  assert.ok(median > 0.0025 && median <= 0.005, String(median))
  const top = quantile(before, after, 'postrider_work_seconds', 0.999) ?? 0
  assert.ok(top > 0.25 && top <= 0.5, String(top))
  metrics.observe('work_seconds', 1_000, { kind: 'b' })
  assert.equal(quantile(after, await look(), 'postrider_work_seconds', 0.5), 30, 'beyond the last bucket')
})

test('P5: any text gives samples and never throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const samples = readSamples(text)
      quantile(samples, samples, 'x', 0.5)
    }),
  )
})
