import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JmapError } from '@postrider/testkit/jmap'
import { type Json, readJson, sameJson } from '../core/json.ts'
import { applyPatch, evaluatePointer } from '../core/pointer.ts'
import { readRequest } from '../core/request.ts'
import { RequestProblem } from '../core/error.ts'
import { readRange } from '../http/files.ts'
import { MAX_CALLS_IN_REQUEST, MAX_JSON_DEPTH, MAX_OBJECTS_IN_GET } from '../limits.ts'
import { Room } from './room.ts'

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail']
const fails = (type: string) => (error: unknown) => (error as JmapError).type === type

test('RFC 8620 §2: the session names capabilities, accounts and URLs', async () => {
  await using room = await Room.open([{}, { fullAccess: ['alice'] }])
  const { session, account } = await room.client()
  assert.equal(session.username, 'alice@example.com')
  assert.deepEqual(Object.keys(session.accounts), ['A1', 'A2'])
  assert.equal(account, 'A1')
  assert.deepEqual([session.accounts.A1.isPersonal, session.accounts.A2.isPersonal], [true, false])
  assert.equal(session.accounts.A2.accountCapabilities['urn:ietf:params:jmap:submission'], undefined)
  assert.equal(session.capabilities['urn:ietf:params:jmap:core'].maxObjectsInGet, MAX_OBJECTS_IN_GET)
  for (const part of ['{accountId}', '{blobId}', '{name}', '{type}']) assert.ok(session.downloadUrl.includes(part))
  assert.equal((await room.client('bob')).session.accounts.A1, undefined)
})

test('RFC 8620 §3.6.1: a request that is none gets problem details', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const problem = async (body: string | Uint8Array, headers: Record<string, string> = {}) => {
    const answer = await client.raw(body, headers)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    const { type, limit, status } = JSON.parse(answer.body.toString())
    assert.equal(status, answer.status)
    return [type.replace('urn:ietf:params:jmap:error:', ''), limit]
  }
  assert.deepEqual(await problem('{"using":'), ['notJSON', undefined])
  assert.deepEqual(await problem('{}', { 'content-type': 'text/plain' }), ['notJSON', undefined])
  assert.deepEqual(await problem(Buffer.from('{"using":["\xff"]}', 'latin1')), ['notJSON', undefined])
  const twice = '{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"a":1,"\\u0061":2},"c"]]}'
  assert.deepEqual(await problem(twice), ['notJSON', undefined], 'RFC 7493 §2.3: a name twice')
  assert.deepEqual(await problem('[]'), ['notRequest', undefined])
  assert.deepEqual(await problem(bytes({ using, methodCalls: [['a', {}]] })), ['notRequest', undefined])
  assert.deepEqual(await problem(bytes({ using: ['urn:x'], methodCalls: [] })), ['unknownCapability', undefined])
  const many = Array.from({ length: MAX_CALLS_IN_REQUEST + 1 }, () => ['Core/echo', {}, 'c'])
  assert.deepEqual(await problem(bytes({ using, methodCalls: many })), ['limit', 'maxCallsInRequest'])
  assert.deepEqual(await problem(`${'['.repeat(MAX_JSON_DEPTH + 1)}`), ['notRequest', undefined])
  assert.equal((await client.http('GET', '/jmap/api')).status, 405)
})

test('RFC 8620 §3.6.2, §4: method errors are the call’s alone; Core/echo echoes', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const answers = await client.request([
    ['Core/echo', { hello: true, __proto__: null }, 'a'],
    ['No/such', {}, 'b'],
    ['Mailbox/get', { accountId: 'A99' }, 'c'],
    ['Mailbox/get', { accountId: 'A2' }, 'd'],
    ['Mailbox/get', {}, 'e'],
    ['Mailbox/get', { accountId: 'A1', idz: [] }, 'f'],
    ['Mailbox/get', { accountId: 'A1', ids: ['F1'], properties: ['nonsense'] }, 'g'],
    ['Email/get', { accountId: 'A1', ids: Array.from({ length: MAX_OBJECTS_IN_GET + 1 }, (_, i) => `M${i + 1}`) }, 'h'],
  ])
  assert.deepEqual(
    answers.map(([name, args, id]) => [name === 'error' ? args.type : name, id]),
    [
      ['Core/echo', 'a'],
      ['unknownMethod', 'b'],
      ['accountNotFound', 'c'],
      ['accountNotFound', 'd'],
      ['invalidArguments', 'e'],
      ['invalidArguments', 'f'],
      ['invalidArguments', 'g'],
      ['requestTooLarge', 'h'],
    ],
  )
  const [without] = await client.request([['Email/get', { accountId: 'A1', ids: [] }, '0']], [using[0] as string])
  assert.equal(without?.[1].type, 'unknownMethod', '§1.8: a capability that is not used has no methods')
})

test('RFC 8620 §3.7: result references, also with *', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const answers = await client.request([
    ['Core/echo', { list: [{ ids: ['F3', 'F4'] }, { ids: ['F5'] }] }, '0'],
    [
      'Mailbox/get',
      { accountId: 'A1', '#ids': { resultOf: '0', name: 'Core/echo', path: '/list/*/ids' }, properties: ['name'] },
      '1',
    ],
    ['Mailbox/get', { accountId: 'A1', '#ids': { resultOf: '9', name: 'Core/echo', path: '/list' } }, '2'],
    ['Mailbox/get', { accountId: 'A1', '#ids': { resultOf: '0', name: 'Mailbox/get', path: '/list' } }, '3'],
    ['Mailbox/get', { accountId: 'A1', '#ids': { resultOf: '0', name: 'Core/echo', path: '/none' } }, '4'],
    ['Mailbox/get', { accountId: 'A1', ids: [], '#ids': { resultOf: '0', name: 'Core/echo', path: '/list' } }, '5'],
    ['Mailbox/get', { accountId: 'A1', '#ids': { resultOf: '0', name: 'Core/echo', path: '/__proto__' } }, '6'],
  ])
  assert.deepEqual(
    answers[1]?.[1].list.map((one: { name: string }) => one.name),
    ['Inbox', 'Drafts', 'Sent Items'],
  )
  assert.deepEqual(
    answers.slice(2).map(([, args]) => args.type),
    [
      'invalidResultReference',
      'invalidResultReference',
      'invalidResultReference',
      'invalidArguments',
      'invalidResultReference',
    ],
  )
})

test('RFC 8620 §3.3, §5.3: creation ids go from call to call and come back when they were sent along', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const calls = [
    ['Mailbox/set', { accountId: 'A1', create: { b: { name: 'Child', parentId: '#a' }, a: { name: 'Parent' } } }, '0'],
    ['Mailbox/get', { accountId: 'A1', ids: ['#b'], properties: ['parentId'] }, '1'],
  ]
  const answer = JSON.parse((await client.raw(bytes({ using, methodCalls: calls, createdIds: {} }))).body.toString())
  const { a, b } = answer.createdIds
  assert.deepEqual(answer.methodResponses[1][1].list, [{ id: b, parentId: a }])
  const later = {
    using,
    methodCalls: [['Mailbox/get', { accountId: 'A1', ids: ['#x'], properties: ['name'] }, '0']],
    createdIds: { x: b },
  }
  const found = JSON.parse((await client.raw(bytes(later))).body.toString())
  assert.equal(found.methodResponses[0][1].list[0].name, 'Child')
})

test('RFC 8620 §5.3: ifInState that is old is stateMismatch and nothing happens', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { state } = await client.call('Mailbox/get', { ids: [] })
  await client.call('Mailbox/set', { ifInState: state, create: { a: { name: 'A' } } })
  await assert.rejects(
    client.call('Mailbox/set', { ifInState: state, create: { b: { name: 'B' } } }),
    fails('stateMismatch'),
  )
})

const json = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<Json>

test('RFC 7493: what JSON.parse takes within the limits is read, and nothing else throws', () => {
  fc.assert(
    fc.property(json, (value) => {
      const read = readJson(Buffer.from(JSON.stringify(value)))
      assert.ok(read.ok && sameJson(read.value, JSON.parse(JSON.stringify(value))))
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
      try {
        readRequest(any)
      } catch (error) {
        assert.ok(error instanceof RequestProblem)
      }
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(json, (value) => {
      try {
        readRequest(bytes(value))
      } catch (error) {
        assert.ok(error instanceof RequestProblem)
      }
    }),
    { numRuns: 500 },
  )
})

test('RFC 6901: a pointer made from the way to a value leads there; any text is safe', () => {
  fc.assert(
    fc.property(json, fc.array(fc.nat(4), { maxLength: 5 }), (value, turns) => {
      let at = value
      let pointer = ''
      for (const turn of turns) {
        if (typeof at !== 'object' || at === null) break
        const keys = Object.keys(at)
        if (keys.length === 0) break
        const key = keys[turn % keys.length] as string
        if (Array.isArray(at) && key === '*') break
        pointer += `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        at = (at as Record<string, Json>)[key] as Json
      }
      assert.ok(sameJson(evaluatePointer(value, pointer, 1_000), at))
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(json, fc.string(), (value, pointer) => void evaluatePointer(value, pointer, 100)),
    { numRuns: 500 },
  )
  // `*` over `*` cannot make more than was allowed.
  const wide = Array.from({ length: 400 }, () => Array.from({ length: 400 }, () => 1))
  assert.equal(evaluatePointer(wide, '/*/*', 1_000), undefined)
})

test('RFC 8620 §5.3: patches', () => {
  const object = { a: { b: 1, c: 2 }, d: [1], 'x/y': { z: 1 } }
  assert.deepEqual(
    { ...applyPatch(object, { 'a/b': null, 'x~1y/z': 2, e: 3 }) },
    {
      a: Object.assign(Object.create(null), { c: 2 }),
      d: [1],
      'x/y': Object.assign(Object.create(null), { z: 2 }),
      e: 3,
    },
  )
  const wrongs: Record<string, Json>[] = [{ 'd/0': 1 }, { 'none/x': 1 }, { a: {}, 'a/b': 1 }, { 'a~2': 1 }]
  for (const wrong of wrongs) assert.equal(applyPatch(object, wrong), undefined)
  const polluted = applyPatch({}, JSON.parse('{"__proto__": {"x": 1}}'))
  assert.equal(({} as { x?: number }).x, undefined)
  assert.ok(Object.hasOwn(polluted as object, '__proto__'))
})

test('RFC 9110 §14.1.2: ranges', () => {
  assert.deepEqual(readRange('bytes=0-4', 10), { start: 0, end: 5 })
  assert.deepEqual(readRange('bytes=5-', 10), { start: 5, end: 10 })
  assert.deepEqual(readRange('bytes=-3', 10), { start: 7, end: 10 })
  assert.deepEqual(readRange('bytes=8-99', 10), { start: 8, end: 10 })
  assert.equal(readRange('bytes=10-', 10), 'unsatisfiable')
  assert.equal(readRange('bytes=-0', 10), 'unsatisfiable')
  for (const none of [undefined, 'bytes=', 'bytes=-', 'bytes=3-1', 'items=0-1', 'bytes=0-1,3-4'])
    assert.equal(readRange(none, 10), undefined)
})

test('RFC 7493 §2.3: an object that names a member twice, however it writes the name, is refused; colons elsewhere count nothing', () => {
  const reads = (text: string): boolean => readJson(Buffer.from(text)).ok
  for (const text of [
    '{"a":1,"a":1}',
    '[{"a":[{"b":1,"\\u0062":2}]}]',
    '{"__proto__":1,"__proto__":2}',
    '{"":{},"":0}',
  ])
    assert.equal(reads(text), false, text)
  for (const text of [
    '{"a":{"a":{"a":[]}},"b":":,{\\"a\\":1}"}',
    '{"__proto__":1,"a:b":"c:d"}',
    '":"',
    '{"1":0,"01":0,"a":0,"A":0}',
  ])
    assert.equal(reads(text), true, text)
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), fc.jsonValue(), (object, at, value) => {
      const names = Object.keys(object)
      const text = JSON.stringify(object)
      assert.ok(reads(text))
      const name = names[at % Math.max(names.length, 1)]
      if (name !== undefined)
        assert.ok(!reads(`${text.slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`))
    }),
    { numRuns: 300 },
  )
})
