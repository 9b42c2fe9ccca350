import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redacted } from './redact.ts'

test('secrets are taken out of the first two levels, and the caller keeps its own', () => {
  const fields = { user: 'bob', password: 'x', request: { token: 'y', path: '/' }, list: ['body'] }
  const safe = redacted(fields)
  assert.deepEqual(safe, {
    user: 'bob',
    password: '(secret)',
    request: { token: '(secret)', path: '/' },
    list: ['body'],
  })
  assert.equal(fields.password, 'x')
  assert.equal(fields.request.token, 'y')
})

test('fields without secrets are not copied', () => {
  const fields = { id: 1, err: new Error('x'), inner: { n: null } }
  assert.equal(redacted(fields), fields)
})
