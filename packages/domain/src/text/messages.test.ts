import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLanguage, defineMessages } from './messages.ts'

const say = defineMessages({ hello: { en: 'Hello {name}', fr: 'Bonjour {name}' } })

test('a text is said in the language asked for, with its parameters', () => {
  assert.equal(say('en', 'hello', { name: 'Bob' }), 'Hello Bob')
  assert.equal(say('fr', 'hello', { name: '{name}$&' }), 'Bonjour {name}$&')
  assert.equal(say('en', 'hello'), 'Hello {name}')
})

test('Accept-Language chooses by weight, then order; unknown ones fall to English', () => {
  assert.equal(chooseLanguage('fr-CA,fr;q=0.9,en;q=0.8'), 'fr')
  assert.equal(chooseLanguage('de, en;q=0.5, fr;q=0.7'), 'fr')
  assert.equal(chooseLanguage('fr;q=0'), 'en')
  assert.equal(chooseLanguage('fr_FR'), 'fr')
  assert.equal(chooseLanguage(undefined), 'en')
})
