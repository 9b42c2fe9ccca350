import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { qrCode, qrSvg } from './qr.ts'

const otpauth =
  'otpauth://totp/Example%20Ltd:bob@example.com?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=Example%20Ltd'

test('QR codes are those that ZBar read back as their texts', () => {
  const seen = (text: string): string => createHash('sha256').update(qrSvg(text)).digest('hex').slice(0, 32)
  assert.equal(seen('hi'), '6fc6982a9e5a7450c91049ac451a32ff')
  assert.equal(seen(otpauth), '0707a4bb609cb0e880990993ae70138b')
  assert.equal(seen('x'.repeat(300)), 'ce18249cde086f6cbc13ef424afb5120')
})

test('ISO/IEC 18004: size by length, finders and timing in their places, too much refused', () => {
  for (const [length, size] of [
    [14, 21],
    [15, 25],
    [412, 77],
  ] as const)
    assert.equal(qrCode('a'.repeat(length)).size, size)
  const code = qrCode(otpauth)
  for (const [x, y] of [
    [0, 0],
    [code.size - 7, 0],
    [0, code.size - 7],
  ] as const)
    for (let at = 0; at < 7; at++) {
      assert.ok(code.at(x + at, y) && code.at(x, y + at) && code.at(x + 6, y + at) && code.at(x + at, y + 6))
    }
  for (let at = 8; at < code.size - 8; at++) assert.equal(code.at(at, 6), at % 2 === 0)
  assert.throws(() => qrCode('a'.repeat(413)), RangeError)
})
