import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pieces } from './snippets.ts'

test('RFC 8621 §5: a snippet is text with marks, never markup', () => {
  assert.deepEqual(pieces('the <mark>plan</mark> &lt;b&gt; &amp;amp;'), ['the ', 'plan', ' <b> &amp;'])
  assert.deepEqual(pieces(''), [''])
})
