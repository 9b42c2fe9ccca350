import assert from 'node:assert/strict'
import { test } from 'node:test'
import { children, decodeWbxml, el, encodeWbxml, ownText, text, type WbxmlReason } from './index.ts'

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')

function decoded(hex: string, options = {}) {
  const result = decodeWbxml(bytes(hex), options)
  assert.ok(result.ok, result.ok ? '' : result.error.message)
  return result.document
}

function refused(hex: string, reason: WbxmlReason, options = {}): void {
  const result = decodeWbxml(bytes(hex), options)
  assert.ok(!result.ok, `accepted ${hex}`)
  assert.equal(result.error.reason, reason, result.error.message)
}

test('[MS-ASWBXML] §4.1.1: FolderSync with key 0', () => {
  const { root } = decoded('03 01 6A 00 00 07 56 52 03 30 00 01 01')
  assert.deepEqual(root, el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', '0')))
  assert.deepEqual(encodeWbxml(root), Buffer.from(bytes('03 01 6A 00 00 07 56 52 03 30 00 01 01')))
})

test('an empty tag and a tag closed at once mean the same', () => {
  assert.deepEqual(decoded('03016A00 05').root, el('AirSync:Sync'))
  assert.deepEqual(decoded('03016A00 45 01').root, el('AirSync:Sync'))
  assert.deepEqual(decoded('03016A00 45 03 00 01').root, el('AirSync:Sync'))
})

test('text as OPAQUE, from the string table and in pieces reads as one text', () => {
  assert.equal(text(decoded('03016A00 45 4B C3 02 6869 01 01').root, 'AirSync:SyncKey'), 'hi')
  assert.equal(text(decoded('03016A04 61 00 62 00 45 4B 83 02 03 63 00 01 01').root, 'AirSync:SyncKey'), 'bc')
})

test('public identifier by index, other WBXML 1.x and ASCII are read', () => {
  assert.equal(decoded('03 00 00 6A 02 41 00 05').root.tag, 'AirSync:Sync')
  assert.equal(decoded('02 01 6A 00 05').root.tag, 'AirSync:Sync')
  assert.equal(decoded('03 01 03 00 05').root.tag, 'AirSync:Sync')
  assert.equal(decoded('03 A0 01 6A 00 05').root.tag, 'AirSync:Sync')
})

test('a switch of page before the root, between elements, twice in a row', () => {
  const { root } = decoded('03016A00 00 01 00 00 45 00 11 4A 00 00 01 0B 01')
  assert.deepEqual(
    children(root).map((element) => element.tag),
    ['AirSyncBase:Body', 'AirSync:SyncKey'],
  )
})

test('what the format forbids is refused by name', () => {
  for (const token of ['02', '04', '40', '41', '42', '43', '44', '80', '81', '82', '84', 'C0', 'C1', 'C2', 'C4']) {
    refused(`03016A00 45 ${token} 01 01`, 'forbidden')
  }
  refused('03016A00 C5 01 01', 'forbidden')
  refused('03016A00 85 01', 'forbidden')
  refused('03016A00 45 00 1A 05 01', 'page')
  refused('03016A00 00 FF 05', 'page')
})

test('structure: no root, two roots, text outside, END without element', () => {
  refused('03016A00', 'truncated')
  refused('', 'truncated')
  refused('03', 'truncated')
  refused('03016A00 05 05', 'structure')
  refused('03016A00 03 61 00 05', 'structure')
  refused('03016A00 01', 'structure')
  refused('03016A00 45 01 01', 'structure')
  refused('03016A00 45', 'truncated')
  refused('03016A00 45 03 61 62', 'truncated')
  refused('03016A00 45 C3 05 61 01', 'truncated')
  refused('03016A00 11', 'structure')
})

test('header: other versions and charsets, a table longer than the document', () => {
  refused('04 01 6A 00 05', 'header')
  refused('00 01 6A 00 05', 'header')
  refused('03 01 04 00 05', 'header')
  refused('03 01 6A 7F 05', 'truncated')
})

test('mb_u_int32 beyond 32 bits, and longer than five bytes', () => {
  refused('03 01 90 80 80 80 00 00 05', 'integer')
  refused('03 01 80 80 80 80 80 6A 00 05', 'integer')
  refused('03016A00 45 C3 FF FF FF FF 7F 01', 'integer')
  refused('03016A00 45 C3 8F FF FF FF 7F 01', 'truncated')
})

test('string table references outside the table or without end', () => {
  refused('03016A00 45 83 00 01', 'stringTable')
  refused('03016A02 6100 45 83 02 01', 'stringTable')
  refused('03016A02 6162 45 83 00 01', 'stringTable')
})

test('limits: bytes, depth, elements, text, and table strings used over and over', () => {
  const deep = (depth: number) => `03016A00 ${'45'.repeat(depth)} ${'01'.repeat(depth)}`
  assert.equal(decoded(deep(64)).root.tag, 'AirSync:Sync')
  refused(deep(65), 'limit')
  refused(deep(3), 'limit', { depth: 2 })
  refused('03016A00 45 05 05 05 01', 'limit', { elements: 3 })
  refused('03016A00 45 03 61626364 00 01', 'limit', { text: 3 })
  refused('03016A00 45 03 61626364 00 01', 'limit', { bytes: 8 })
  refused(`03016A03 616200 45 ${'8300'.repeat(40)} 01`, 'limit', { text: 100 })
})

test('a million levels deep costs neither stack nor time', () => {
  const bomb = Buffer.concat([bytes('03016A00'), Buffer.alloc(1_000_000, 0x45)])
  const result = decodeWbxml(bomb)
  assert.ok(!result.ok && result.error.reason === 'limit')
})

test('an undefined token is skipped with all it holds, and reported', () => {
  const document = decoded('03016A00 45 7F 4B 03 61 00 01 05 01 4B 03 62 00 01 01')
  assert.deepEqual(document.root, el('AirSync:Sync', el('AirSync:SyncKey', 'b')))
  assert.deepEqual(document.unknown, [{ page: 0, token: 0x3f, offset: 5 }])
})

test('tags outside the client version are kept and listed', () => {
  const document = decoded('03016A00 45 24 27 01', { version: '12.1' })
  assert.deepEqual(document.outside, ['AirSync:ConversationMode'])
  assert.equal(children(document.root).length, 2)
})

test('UTF-8 text survives, broken UTF-8 becomes U+FFFD', () => {
  assert.equal(ownText(decoded('03016A00 45 03 C3A9 F09F9880 00 01').root), 'é😀')
  assert.equal(ownText(decoded('03016A00 45 03 FF61 00 01').root), '\uFFFDa')
})
