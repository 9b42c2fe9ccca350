import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePreferences, encodePreferences, preferenceValue } from './preferences.ts'

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

test('preferences: what is missing, unknown or senseless is as delivered', () => {
  const usual = decodePreferences(undefined)
  assert.deepEqual([usual.theme, usual.conversations, usual.undoSeconds, usual.zone], ['system', true, 10, ''])
  const read = decodePreferences(bytes({ theme: 'dark', density: 'huge', undoSeconds: 7, zone: 'Mars/Base', odd: 1 }))
  assert.deepEqual(read, { ...usual, theme: 'dark' })
  assert.deepEqual(decodePreferences(encodePreferences(read)), read)
  assert.deepEqual(decodePreferences(new TextEncoder().encode('{"zone":"Europe/Paris"')), usual, 'cut off')
  assert.deepEqual(decodePreferences(bytes({ zone: 'Europe/Paris' })).zone, 'Europe/Paris', 'the record of before')
})

test('preferences: lists keep each text once, within a limit', () => {
  assert.deepEqual(preferenceValue('picturesFrom', ['a@example.com', 'a@example.com']), ['a@example.com'])
  assert.equal(preferenceValue('picturesFrom', Array.from({ length: 501 }, String)), undefined)
  assert.equal(preferenceValue('picturesFrom', [1]), undefined)
})
