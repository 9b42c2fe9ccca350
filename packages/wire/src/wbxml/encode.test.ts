import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeWbxml, el, encodeWbxml, type Tag, toXml, WbxmlError } from './index.ts'

const reason = (expected: string) => (error: unknown) => error instanceof WbxmlError && error.reason === expected

test('a tag newer than the version is refused, or dropped with all in it', () => {
  const document = el(
    'AirSync:Sync',
    el('AirSync:SyncKey', '1'),
    el('AirSyncBase:Body', el('AirSyncBase:Type', 1), el('AirSyncBase:Preview', 'x')),
  )
  assert.throws(() => encodeWbxml(document, { version: '12.1' }), reason('version'))
  const dropped: Tag[] = []
  const bytes = encodeWbxml(document, { version: '12.1', outside: 'drop', onDrop: (tag) => dropped.push(tag) })
  assert.deepEqual(dropped, ['AirSyncBase:Preview'])
  const back = decodeWbxml(bytes)
  assert.ok(back.ok)
  assert.deepEqual(
    back.document.root,
    el('AirSync:Sync', el('AirSync:SyncKey', '1'), el('AirSyncBase:Body', el('AirSyncBase:Type', 1))),
  )
})

test('an element all of whose content was dropped is an empty tag, and the page switch is still right', () => {
  const document = el(
    'AirSync:Sync',
    el('AirSyncBase:Body', el('Email2:Send')),
    el('Email:Subject', 's'),
    el('AirSync:SyncKey', '1'),
  )
  const back = decodeWbxml(encodeWbxml(document, { version: '12.1', outside: 'drop' }))
  assert.ok(back.ok)
  assert.deepEqual(
    back.document.root,
    el('AirSync:Sync', el('AirSyncBase:Body'), el('Email:Subject', 's'), el('AirSync:SyncKey', '1')),
  )
})

test('a root the version does not know is refused even when dropping', () => {
  assert.throws(() => encodeWbxml(el('Find:Find'), { version: '16.0', outside: 'drop' }), reason('version'))
})

test('a string that is no tag is refused', () => {
  assert.throws(() => encodeWbxml({ tag: 'AirSync:sync' as Tag, children: [] }), reason('tag'))
})

test('characters XML forbids never reach the wire', () => {
  const back = decodeWbxml(encodeWbxml(el('Email:Subject', 'a\0b\x0bc\ud800d\tе\uffff')))
  assert.ok(back.ok)
  assert.deepEqual(back.document.root, el('Email:Subject', 'abc\ufffdd\tе'))
})

test('OPAQUE lengths at the borders of the multi-byte integer', () => {
  for (const length of [0, 1, 127, 128, 16383, 16384, 2_097_151, 2_097_152]) {
    const back = decodeWbxml(encodeWbxml(el('ComposeMail:Mime', Buffer.alloc(length, 0x61))))
    assert.ok(back.ok)
    const content = back.document.root.children[0]
    assert.ok(content instanceof Uint8Array && content.length === length)
  }
})

test('toXml escapes, declares only the namespaces in use, and can hide content', () => {
  const document = el('AirSync:Sync', el('Email:Subject', '<&>"'), el('ComposeMail:Mime', Buffer.from('hi')))
  assert.equal(
    toXml(document),
    '<?xml version="1.0" encoding="utf-8"?><Sync xmlns="AirSync" xmlns:a2="Email" xmlns:a21="ComposeMail">' +
      '<a2:Subject>&lt;&amp;&gt;"</a2:Subject><a21:Mime>aGk=</a21:Mime></Sync>',
  )
  assert.match(toXml(document, { redact: true }), /<a2:Subject>…4<\/a2:Subject><a21:Mime>…2</)
  assert.match(toXml(el('AirSync:Sync')), /<Sync xmlns="AirSync"\/>$/)
})
