import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose, phraseOf, SpokenError, speaker, verbatim } from './phrase.ts'

test('a phrase is said in the reader’s language, with numbers and dates as that reader writes them', () => {
  const [en, fr] = [speaker('en'), speaker('fr')]
  assert.deepEqual([en({ en: 'yes', fr: 'oui' }), fr({ en: 'yes', fr: 'oui' })], ['yes', 'oui'])
  assert.deepEqual([en.number(1_234_567), fr.number(1_234_567).replace(/\s/g, ' ')], ['1,234,567', '1 234 567'])
  assert.match(en.date('2026-11-21T12:00:00Z'), /21 November 2026/)
  assert.match(fr.date(Date.UTC(2026, 10, 21, 12)), /21 novembre 2026/)
})

test('phrases inside phrases, and errors that carry them', () => {
  const inner = { en: 'it is gone', fr: 'il n’est plus là' }
  const error = new SpokenError(compose((say) => `x.eml: ${say(inner)}`))
  assert.equal(error.message, 'x.eml: it is gone')
  assert.deepEqual(phraseOf(error), { en: 'x.eml: it is gone', fr: 'x.eml: il n’est plus là' })
  assert.deepEqual(phraseOf(new Error('EPERM')), verbatim('EPERM'))
  assert.deepEqual(phraseOf('no error'), verbatim('no error'))
})
