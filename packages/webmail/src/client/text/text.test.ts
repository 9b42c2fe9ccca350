import assert from 'node:assert/strict'
import { test } from 'node:test'
import { en } from './en.ts'
import { fr } from './fr.ts'
import { fill, longDate, numbersOf, shortDate, useZone } from './text.ts'

test('texts are filled in and follow the number', () => {
  const rules = numbersOf.en
  assert.equal(fill(en.doneMoved, { n: 1, folder: 'Plans' }, rules), '1 message moved to Plans')
  assert.equal(fill(en.countMessages, { n: 12345 }, rules), '12,345 messages')
  assert.equal(fill(fr.countMessages, { n: 1_234_567 }, numbersOf.fr), '1\u202f234\u202f567 messages')
  for (const [name, { isOne, thousands }] of Object.entries(numbersOf)) {
    for (const n of [0, 1, 2, 10, 100])
      assert.equal(isOne(n), new Intl.PluralRules(name).select(n) === 'one', `${name} ${n}`)
    assert.equal(thousands, new Intl.NumberFormat(name).format(1000)[1])
  }
  assert.equal(fill(en.picturesBlocked, { n: 3 }, rules), '3 pictures from elsewhere are not shown.')
  assert.equal(fill(fr.sureDeleteFolder, { n: 1, name: 'X' }, numbersOf.fr), 'Supprimer le dossier X et son message ?')
})

test('French says everything English says, with the same values', () => {
  const values = (text: string): string[] =>
    [...new Set([...text.matchAll(/\{(\w+)/g)].map((one) => one[1] ?? ''))].sort()
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.ok(fr[key] !== undefined && fr[key] !== '', key)
    const missing = values(en[key]).filter((one) => !values(fr[key]).includes(one))
    assert.deepEqual(missing, [], key)
  }
})

test('dates are those of the zone the user chose', () => {
  const now = new Date('2026-11-21T20:00:00Z')
  useZone('Asia/Tokyo')
  assert.match(shortDate('2026-11-21T16:30:00Z', now), /^0?1:30/, 'already the 22nd there, as now')
  assert.doesNotMatch(shortDate('2026-11-21T14:30:00Z', now), /^\d?\d:\d\d(?: [AP]M)?$/, 'yesterday there')
  assert.match(longDate('2026-12-31T20:00:00Z'), /2027/)
  useZone('America/Los_Angeles')
  assert.match(shortDate('2026-11-21T16:30:00Z', now), /^0?8:30/)
  assert.match(longDate('2027-01-01T05:00:00Z'), /2026/)
  useZone('')
})
