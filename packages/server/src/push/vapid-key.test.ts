import assert from 'node:assert/strict'
import { test } from 'node:test'
import { vapidOf } from './vapid-key.ts'

test('one key pair an installation: the same from the same secret, another from another', () => {
  const directory = (fill: number) => ({
    secret: Buffer.alloc(32, fill),
    domains: () => [{ name: 'example.com', type: 'Authoritative' as const, isDefault: true }],
  })
  const [first, again, other] = [vapidOf(directory(1)), vapidOf(directory(1)), vapidOf(directory(2))]
  assert.equal(first.publicKey, again.publicKey)
  assert.notEqual(first.publicKey, other.publicKey)
  const [, claims = ''] = first.authorization('https://push.example/', 0).split('.')
  assert.equal(JSON.parse(Buffer.from(claims, 'base64url').toString()).sub, 'mailto:postmaster@example.com')
})
