import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeFrame } from './decode.ts'
import { encodeFrame } from './encode.ts'
import { NEW_KEY } from './format.ts'
import { knownKeys } from './keys.ts'
import { FrameError, MAX_DEPTH } from './limits.ts'

const roundTrip = (value: unknown): unknown => decodeFrame(encodeFrame(1, 2, value)).value

const key = fc
  .oneof(fc.constantFrom(...knownKeys), fc.string({ maxLength: 20, unit: 'grapheme' }))
  .filter((k) => k !== '__proto__')
const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, 0, -0, Number.NaN, Infinity, -Infinity, 2 ** 32, 2 ** 53, -1, ''),
  fc.integer(),
  fc.nat(300),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.array(fc.nat(0xffff), { maxLength: 80 }).map((codes) => String.fromCharCode(...codes)),
  fc.uint8Array({ maxLength: 3_000 }),
  fc.uint32Array({ maxLength: 600 }),
  fc.float64Array({ maxLength: 300 }),
)
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'value' },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 8, noNullPrototype: true }),
    fc.array(fc.tuple(fc.oneof(fc.nat(), fc.string()), tie('value')), { maxLength: 6 }).map((pairs) => new Map(pairs)),
  ),
}))

test('every plain value comes back as it was', () => {
  fc.assert(
    fc.property(anything, (value) => assert.deepStrictEqual(roundTrip(value), value)),
    { numRuns: 1_000 },
  )
})

test('the header carries kind and number', () => {
  const frame = encodeFrame(7, 0xffff_ffff, 'x')
  assert.deepEqual(decodeFrame(frame), { kind: 7, id: 0xffff_ffff, value: 'x' })
})

test('equal values have equal bytes, whatever was written before', () => {
  const value = { a: new Float64Array(3), s: 'x', flags: 5 }
  const first = encodeFrame(1, 1, value)
  encodeFrame(1, 1, 'y'.repeat(500))
  encodeFrame(1, 1, new Uint8Array(300).fill(0xff))
  assert.deepEqual(encodeFrame(1, 1, value), first)
})

test('a Buffer is sent as bytes, and only its own part of its pool', () => {
  const value = roundTrip(Buffer.from('hello')) as Uint8Array
  assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype)
  assert.deepEqual(value, new TextEncoder().encode('hello'))
  assert.equal(value.buffer.byteLength, 5)
})

test('large typed arrays are views of the frame, at any place of the frame in its buffer', () => {
  const words = Float64Array.from({ length: 1_000 }, (_, i) => i / 3)
  const frame = encodeFrame(1, 1, ['odd', words, 'x', Uint32Array.from(words)])
  const [, inPlace] = decodeFrame(frame).value as [string, Float64Array]
  assert.equal(inPlace.buffer, frame.buffer)
  for (const shift of [1, 2, 3, 4, 5, 8]) {
    const shifted = new Uint8Array(frame.length + shift)
    shifted.set(frame, shift)
    const [, doubles, , integers] = decodeFrame(shifted.subarray(shift)).value as [
      string,
      Float64Array,
      string,
      Uint32Array,
    ]
    assert.deepEqual(doubles, words)
    assert.deepEqual(integers, Uint32Array.from(words))
  }
})

test('small byte arrays are copies: keeping one does not keep the frame', () => {
  const frame = encodeFrame(1, 1, [new Uint8Array(10), new Uint8Array(100_000)])
  const [small, large] = decodeFrame(frame).value as [Uint8Array, Uint8Array]
  assert.equal(small.buffer.byteLength, 10)
  assert.equal(large.buffer, frame.buffer)
})

test('repeated unknown keys are written once', () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ anUnusualPropertyName: i, another_one: i }))
  const frame = encodeFrame(1, 1, many)
  assert.ok(frame.length < 100 * 12)
  assert.deepEqual(decodeFrame(frame).value, many)
})

test('known keys fit in one byte and are no reserved number', () => {
  assert.ok(knownKeys.length <= NEW_KEY)
  assert.equal(new Set(knownKeys).size, knownKeys.length)
})

test('what is no plain data is refused', () => {
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  const withProto = JSON.parse('{"__proto__": 1}') as object
  const refused = [
    () => {},
    Symbol('x'),
    new Date(),
    /x/,
    new Set(),
    new Int16Array(2),
    new Error('x'),
    cyclic,
    withProto,
  ]
  for (const value of refused) assert.throws(() => encodeFrame(1, 1, value), FrameError)
  assert.throws(() => encodeFrame(1, 1, { ['k'.repeat(300)]: 1 }), FrameError)
  assert.throws(() => encodeFrame(1, 1, 2n ** 10_000n), FrameError)
  assert.equal(roundTrip('still works'), 'still works')
})

test('depth is limited on both sides', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])
  assert.deepEqual(roundTrip(nested(MAX_DEPTH)), nested(MAX_DEPTH))
  assert.throws(() => encodeFrame(1, 1, nested(MAX_DEPTH + 1)), FrameError)
  const header = encodeFrame(1, 1, 0).subarray(0, 8)
  const deep = new Uint8Array([...header, ...Array.from({ length: 100_000 }, () => [0x11, 1]).flat(), 0])
  assert.throws(() => decodeFrame(deep), FrameError)
})

test('a __proto__ key in a frame is refused, and no prototype changes', () => {
  const frame = encodeFrame(1, 1, { _AproA_: { polluted: 1 } })
  const name = Buffer.from('_AproA_')
  const at = Buffer.from(frame).indexOf(name)
  assert.ok(at > 0)
  const bytes = Buffer.concat([
    frame.subarray(0, at - 1),
    Uint8Array.of(9),
    Buffer.from('__proto__'),
    frame.subarray(at + 7),
  ])
  assert.throws(() => decodeFrame(bytes), FrameError)
  assert.equal(({} as { polluted?: number }).polluted, undefined)
})

test('P5: any bytes are a value or a FrameError', () => {
  const tryDecode = (bytes: Uint8Array): void => {
    try {
      decodeFrame(bytes)
    } catch (error) {
      assert.ok(error instanceof FrameError, String(error))
    }
  }
  const header = encodeFrame(1, 1, 0).subarray(0, 8)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      tryDecode(bytes)
      tryDecode(Buffer.concat([header, bytes]))
    }),
    { numRuns: 3_000 },
  )
  fc.assert(
    fc.property(
      anything,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (value, damage) => {
        const frame = encodeFrame(1, 1, value)
        for (const [at, byte] of damage) frame[at % frame.length] = byte
        tryDecode(frame)
        tryDecode(frame.subarray(0, damage[0]![0] % frame.length))
      },
    ),
    { numRuns: 1_000 },
  )
})

test('a count that the bytes cannot hold is refused before anything is made', () => {
  const header = encodeFrame(1, 1, 0).subarray(0, 8)
  for (const tag of [0x0b, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13]) {
    const frame = new Uint8Array([...header, tag, 0xfe, 0xff, 0xff, 0xff, 0x7f, 0, 0])
    assert.throws(() => decodeFrame(frame), /cut short/)
  }
})

test('a frame of another version is refused', () => {
  const frame = encodeFrame(1, 1, 0)
  frame[0] = 9
  assert.throws(() => decodeFrame(frame), /version 9/)
})
