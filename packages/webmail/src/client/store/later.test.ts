import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueTimes, laterTimes, localInput, utc } from './later.ts'

test('times for later are in the future, in order, and on the days they name', () => {
  for (let day = 1; day <= 7; day++)
    for (const hour of [0, 9, 15, 16, 23]) {
      const now = new Date(2026, 10, day, hour, 30)
      const times = laterTimes(now)
      for (const { date } of times) assert.ok(date > now)
      const sorted = [...times].sort((a, b) => a.date.getTime() - b.date.getTime())
      assert.deepEqual(times, sorted)
      const monday = times.find((one) => one.name === 'mondayMorning')
      assert.equal(monday?.date.getDay() ?? 1, 1)
      const weekend = times.find((one) => one.name === 'thisWeekend')
      assert.equal(weekend?.date.getDay() ?? 6, 6)
      const [today, tomorrow, week, next] = dueTimes(now)
      assert.equal(today?.date.getDate(), now.getDate())
      assert.ok((today?.date ?? 0) > now)
      assert.ok((tomorrow?.date ?? 0) > (today?.date ?? 0))
      assert.deepEqual([week?.date.getDay(), next?.date.getDay()], [5, 5])
    }
  const date = new Date(2026, 0, 2, 3, 4)
  assert.equal(localInput(date), '2026-01-02T03:04')
  assert.equal(new Date(utc(date)).getTime(), date.getTime())
})
