import assert from 'node:assert/strict'
import { test } from 'node:test'
import { el } from '@postrider/wire/wbxml'
import { schemaMissing, validate } from './index.ts'

const skip = schemaMissing() ?? false

test('a good answer passes, a wrong one is named with its place in the list', { skip }, () => {
  const good = el('Ping:Ping', el('Ping:Status', 1))
  const wrong = el('Ping:Ping', el('Ping:Folders', el('Ping:Folder', '5')), el('Ping:Status', 2))
  const result = validate([good, wrong, good])
  assert.ok('validated' in result)
  assert.equal(result.validated, 3)
  assert.deepEqual(
    result.invalid.map(({ index }) => index),
    [1],
  )
  assert.match(result.invalid[0]?.messages[0] ?? '', /Folders/)
})

test('content of items is validated too: a range, an order, a foreign element', { skip }, () => {
  const sync = (...data: Parameters<typeof el>[1][]) =>
    el(
      'AirSync:Sync',
      el(
        'AirSync:Collections',
        el(
          'AirSync:Collection',
          el('AirSync:SyncKey', '1'),
          el('AirSync:CollectionId', '5'),
          el('AirSync:Status', 1),
          el(
            'AirSync:Commands',
            el('AirSync:Add', el('AirSync:ServerId', '5:1'), el('AirSync:ApplicationData', ...data)),
          ),
        ),
      ),
    )
  const cases = [
    sync(el('Email:Subject', 's'), el('Email:Importance', 1)),
    sync(el('Email:Importance', 999)),
    sync(el('AirSyncBase:Body', el('AirSyncBase:Data', 'x'), el('AirSyncBase:Type', 1))),
    sync(el('Ping:Status', 1)),
    sync(el('Email:DateReceived', 'yesterday')),
  ]
  const result = validate(cases)
  assert.ok('invalid' in result)
  assert.deepEqual(
    result.invalid.map(({ index }) => index),
    [1, 2, 3, 4],
  )
})
