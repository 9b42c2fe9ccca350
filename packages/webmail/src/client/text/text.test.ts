import assert from 'node:assert/strict'
import { test } from 'node:test'
import { en } from './en.ts'
import { fr } from './fr.ts'
import { fill } from './text.ts'

test('texts are filled in and follow the number', () => {
  const rules = new Intl.PluralRules('en')
  assert.equal(fill(en.doneMoved, { n: 1, folder: 'Plans' }, rules), '1 message moved to Plans')
  assert.equal(fill(en.countMessages, { n: 12345 }, rules), '12,345 messages')
  assert.equal(fill(en.picturesBlocked, { n: 3 }, rules), '3 pictures from elsewhere are not shown.')
  assert.equal(
    fill(fr.sureDeleteFolder, { n: 1, name: 'X' }, new Intl.PluralRules('fr')),
    'Supprimer le dossier X et son message ?',
  )
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
