import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBag, encodeBag } from './bag.ts'
import { fileTime, fromFileTime, MULTIPLE, PropType, type PropValue } from './types.ts'

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const text = fc.string({ unit: 'grapheme' })
const bytes = fc.uint8Array({ maxLength: 64 })
const single: [number, fc.Arbitrary<PropValue>][] = [
  [PropType.integer16, fc.integer({ min: -32768, max: 32767 })],
  [PropType.integer32, int32],
  [PropType.boolean, fc.boolean()],
  [PropType.floating64, fc.double({ noNaN: true })],
  [PropType.integer64, int64],
  [PropType.time, int64],
  [PropType.string, text],
  [PropType.binary, bytes],
  [PropType.integer32 | MULTIPLE, fc.array(int32)],
  [PropType.string | MULTIPLE, fc.array(text)],
  [PropType.binary | MULTIPLE, fc.array(bytes)],
]
const property = fc
  .tuple(fc.integer({ min: 1, max: 0xffff }), fc.constantFrom(...single))
  .chain(([id, [type, value]]) => fc.tuple(fc.constant(((id << 16) | type) >>> 0), value))
const bag = fc.array(property, { maxLength: 30 }).map((list) => new Map<number, PropValue>(list))

test('what a bag holds comes back, and equal bags have equal bytes', () => {
  fc.assert(
    fc.property(bag, (one) => {
      const encoded = encodeBag(one)
      assert.deepEqual(new Map(decodeBag(encoded)), one)
      assert.deepEqual(encodeBag(new Map([...one].reverse())), encoded)
    }),
  )
})

test('hostile bytes end in a bag or a RangeError', () => {
  const decode = (input: Uint8Array): void => {
    try {
      decodeBag(input)
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error))
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decode))
  fc.assert(
    fc.property(bag, fc.nat(), fc.nat({ max: 255 }), (one, at, byte) => {
      const encoded = encodeBag(one)
      encoded[at % encoded.length] = byte
      decode(encoded)
    }),
  )
})

test('FILETIME and Unix time convert both ways', () => {
  assert.equal(fileTime(0), 116_444_736_000_000_000n)
  assert.equal(fromFileTime(fileTime(1_780_000_000_123)), 1_780_000_000_123)
})
