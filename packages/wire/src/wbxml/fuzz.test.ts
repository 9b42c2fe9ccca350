import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { allTags, type Content, decodeWbxml, type Element, encodeWbxml, type Tag, toXml, WbxmlError } from './index.ts'

const tags = [...allTags()].map((entry) => entry.tag)

/** Documents in the form the decoder gives back: no empty text, no two texts side by side with the same kind. */
const anyDocument: fc.Arbitrary<Element> = fc.letrec<{ element: Element; content: Content }>((tie) => ({
  element: fc.record(
    {
      tag: fc.constantFrom<Tag>(...tags),
      children: fc.array(tie('content'), { maxLength: 5 }),
    },
    { noNullPrototype: true },
  ),
  content: fc.oneof(
    { depthSize: 'small' },
    fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((text) => !/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(text)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    tie('element'),
  ),
})).element

test('what we write we can read', () => {
  fc.assert(
    fc.property(anyDocument, (document) => {
      const back = decodeWbxml(encodeWbxml(document))
      assert.ok(back.ok)
      assert.deepEqual(back.document.root, document)
      assert.deepEqual(back.document.unknown, [])
    }),
    { numRuns: 500 },
  )
})

/** A value or our own error, and within time. */
function survives(bytes: Uint8Array): void {
  const result = decodeWbxml(bytes, { version: '14.1' })
  if (!result.ok) assert.ok(result.error instanceof WbxmlError)
  else encodeWbxml(result.document.root)
}

test('hostile bytes end in a value or a WbxmlError', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), survives), { numRuns: 3000 })
  const header = Uint8Array.of(3, 1, 0x6a, 0)
  const behindHeader = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.concat([header, bytes]))
  fc.assert(fc.property(behindHeader, survives), { numRuns: 3000 })
})

test('damaged documents end in a value or a WbxmlError', () => {
  fc.assert(
    fc.property(
      anyDocument,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
      fc.nat(),
      (document, edits, cut) => {
        const bytes = encodeWbxml(document)
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        survives(bytes)
        survives(bytes.subarray(0, cut % bytes.length))
      },
    ),
    { numRuns: 1000 },
  )
})

test('decoding is linear: eight megabytes of the worst shapes', () => {
  const header = Buffer.from([3, 1, 0x6a, 0])
  const size = 8 * 1024 * 1024
  const shapes: Record<string, Buffer> = {
    // Many table references to one long string: refused by the text limit, not copied a million times.
    table: Buffer.concat([
      Buffer.from([3, 1, 0x6a, 0x84, 0x80, 0x00]),
      Buffer.concat([Buffer.alloc(0xffff, 0x61), Buffer.of(0)]),
      Buffer.of(0x45),
      Buffer.alloc(size, Buffer.from([0x83, 0x00])),
    ]),
    strings: Buffer.concat([header, Buffer.of(0x45), Buffer.alloc(size, Buffer.from([3, 0x61, 0]))]),
    switches: Buffer.concat([header, Buffer.alloc(size, Buffer.from([0, 1]))]),
    text: Buffer.concat([header, Buffer.of(0x45, 3), Buffer.alloc(size, 0xff), Buffer.of(0, 1)]),
  }
  for (const [name, bytes] of Object.entries(shapes)) {
    const start = workedMs()
    survives(bytes)
    const ms = workedMs() - start
    // 50 ms a megabyte is the house rule; a busy test machine gets four times that.
    assert.ok(ms < 8 * 200, `${name} took ${ms.toFixed(0)} ms`)
  }
})

const wbxml2xml = spawnSync('wbxml2xml', []).error === undefined
const xmllint = spawnSync('xmllint', ['--version']).error === undefined

/** Tokens that libwbxml 0.11.8 does not know, or whose text it writes as base64. */
const theirGaps = new Set<string>([
  'AirSyncBase:Content',
  'Email:Att0Id',
  'ComposeMail:Mime',
  'Email2:ConversationId',
  'Email2:ConversationIndex',
])

/** Namespaces libwbxml 0.11 writes under a name of its own; its tables end at page 24. */
const canonical = (xml: string): string =>
  xml
    .replace(/<!DOCTYPE[^>]*>/, '')
    .replaceAll(/xmlns(:\w+)?="([^"]*?):?"/g, 'xmlns$1="$2"')
    .replaceAll(/\s+/g, ' ')

test('libwbxml reads our bytes as the same document', {
  skip: wbxml2xml && xmllint ? false : 'wbxml2xml or xmllint is not installed',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wbxml-'))
  try {
    for (const namespace of [
      'AirSync',
      'Email',
      'AirSyncBase',
      'FolderHierarchy',
      'ComposeMail',
      'Settings',
      'Provision',
      'Email2',
    ]) {
      const names = [...allTags()].filter((entry) => entry.namespace === namespace && !theirGaps.has(entry.tag))
      const document: Element = {
        tag: 'AirSync:Sync',
        children: names.map((entry) => ({ tag: entry.tag, children: [`value of ${entry.token}`] })),
      }
      writeFileSync(join(folder, 'in.wbxml'), encodeWbxml(document))
      execFileSync('wbxml2xml', ['-m', '0', '-l', 'AIRSYNC', '-o', join(folder, 'out.xml'), join(folder, 'in.wbxml')], {
        stdio: 'ignore',
      })
      const theirs = canonical(readFileSync(join(folder, 'out.xml'), 'utf8'))
      const ours = canonical(toXml(document))
      // Every value must stand under the same token; element names differ in a dozen places (FlagStatus for Status).
      const values = (xml: string) => [...xml.matchAll(/>value of (\d+)</g)].map((match) => match[1])
      assert.deepEqual(values(theirs), values(ours), namespace)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
