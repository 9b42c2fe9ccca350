import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutBlocks, openColumn, openDocument, packBlock, packDocument, splitColumn } from './block.ts'
import { type Document, documentOf, END, type FieldName, fieldNames, folded, STRING } from './fields.ts'
import { addGrams, mayContain, needleBits, newGrams } from './grams.ts'
import { findIn, headerNeedle, type Needle, substringNeedle, wordNeedles } from './needle.ts'

const utf8 = new TextEncoder()
/** A column of documents, each a list of strings. */
const column = (documents: readonly (readonly string[])[]): Buffer =>
  Buffer.concat(
    documents.flatMap((strings) => [
      ...strings.flatMap((text) => [Uint8Array.of(STRING), utf8.encode(folded(text))]),
      Uint8Array.of(END),
    ]),
  )
function found(documents: readonly (readonly string[])[], needle: Needle): number[] {
  const hits: number[] = []
  findIn(column(documents), needle, (document) => hits.push(document))
  return hits
}

const letters = fc.constantFrom('a', 'b', 'A', ' ', '-', 'é', 'É', 'ß', 'ü', '会', '議', '😀', '1', '.')
const text = fc.array(letters, { maxLength: 8 }).map((all) => all.join(''))
const documents = fc.array(fc.array(text, { maxLength: 3 }), { maxLength: 12 })

test('substring: exactly the documents that have a string with the needle', () =>
  fc.assert(
    fc.property(documents, text, (docs, value) => {
      const expected = docs.flatMap((strings, i) =>
        strings.some((one) => folded(one).includes(folded(value))) ? [i] : [],
      )
      assert.deepEqual(found(docs, substringNeedle(value)), expected)
    }),
    { numRuns: 400 },
  ))

const spaced = fc
  .array(fc.constantFrom('a', 'b', 'B', ' ', '-', 'é', 'É', '7'), { maxLength: 10 })
  .map((all) => all.join(''))
const wordsOf = (value: string): string[] => folded(value).match(/[\p{L}\p{N}\p{M}]+/gu) ?? []

test('words: every word, the last one as a beginning', () =>
  fc.assert(
    fc.property(fc.array(fc.array(spaced, { maxLength: 3 }), { maxLength: 10 }), spaced, (docs, value) => {
      const wanted = wordsOf(value)
      const expected = docs.flatMap((strings, i) => {
        const words = new Set(strings.flatMap(wordsOf))
        const all = wanted.every((word, n) =>
          n === wanted.length - 1 ? [...words].some((one) => one.startsWith(word)) : words.has(word),
        )
        return all ? [i] : []
      })
      const hits = wordNeedles(value).map((needle) => new Set(found(docs, needle)))
      assert.deepEqual(
        [...docs.keys()].filter((i) => hits.every((one) => one.has(i))),
        expected,
      )
    }),
    { numRuns: 400 },
  ))

test('words: scripts without spaces have word boundaries everywhere', () => {
  const docs = [['東京で会議があります'], ['ประชุมพรุ่งนี้'], ['meeting']]
  const hits = (value: string) => wordNeedles(value).map((needle) => found(docs, needle))
  assert.deepEqual(hits('会議'), [[0]])
  assert.deepEqual(hits('พรุ่งนี้'), [[1]])
  assert.deepEqual(hits('eeting'), [[]])
})

test('header: the field by its whole name, the needle in its value only', () => {
  const docs = [['subject: x-project: apollo'], ['x-project: Apollo 11', 'x-other: x'], ['x-project: ', 'date: apollo']]
  assert.deepEqual(found(docs, headerNeedle('X-Project', 'apollo')), [1])
  assert.deepEqual(found(docs, headerNeedle('x-project', '')), [1, 2])
  assert.deepEqual(found(docs, headerNeedle('project', 'apollo')), [])
})

test('a block gives back what was packed, and its grams never hide a needle', () =>
  fc.assert(
    fc.property(documents, text, (docs, value) => {
      const indexed = docs.map((strings, item) => ({ item, document: documentWith(strings) }))
      const { columns, items, grams } = packBlock(indexed)
      assert.deepEqual(items, [...docs.keys()])
      for (const field of fieldNames) {
        const slices = splitColumn(openColumn(columns.get(field) as Uint8Array))
        for (const [i, { document }] of indexed.entries()) assert.ok(slices[i]?.equals(document[field]))
      }
      const needle = substringNeedle(value).bytes
      if (docs.flat().some((one) => folded(one).includes(folded(value)))) {
        assert.ok(mayContain(grams, needleBits(needle)))
      }
      for (const { document } of indexed) assert.deepEqual(plain(openDocument(packDocument(document))), plain(document))
    }),
    { numRuns: 100 },
  ))

const plain = (document: Document) => fieldNames.map((field) => Buffer.from(document[field]).toString('hex'))
function documentWith(strings: readonly string[]): Document {
  const body = column([strings]).subarray(0, -1)
  const empty = Buffer.alloc(0)
  const fields = Object.fromEntries(fieldNames.map((field) => [field, field === 'body' ? body : empty]))
  return fields as unknown as Record<FieldName, Uint8Array>
}

test('grams: absent sequences are told apart', () => {
  const bits = newGrams()
  addGrams(bits, utf8.encode('the quick brown fox'))
  assert.ok(mayContain(bits, needleBits(utf8.encode('quick'))))
  assert.ok(!mayContain(bits, needleBits(utf8.encode('zebra'))))
  assert.deepEqual(needleBits(utf8.encode('abc')), [])
})

test('blocks close by count or by bytes; the rest stays behind', () => {
  const many = Array.from({ length: 150 }, (_, item) => ({ item, document: documentWith(['x']) }))
  const { blocks, rest } = cutBlocks(many)
  assert.deepEqual([blocks.map((one) => one.length), rest.length], [[64, 64], 22])
  const large = [0, 1, 2].map((item) => ({ item, document: documentWith(['y'.repeat(200_000)]) }))
  assert.deepEqual([cutBlocks(large).blocks.map((one) => one.length), cutBlocks(large).rest.length], [[2], 1])
})

test('a document has decoded header fields, names, body and properties', () => {
  const bytes = Buffer.from(
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-A: 1\r\nTo: Bob <bob@example.com>\r\n\r\nHello\r\n',
  )
  const promoted = { subject: 'Grüße', fromName: 'A', fromAddress: 'a@b.c' }
  const document = documentOf({ promoted, props: new Map(), recipients: [], attachments: [], bytes })
  const strings = (field: FieldName) => Buffer.from(document[field]).toString('latin1').split('\xfe').slice(1)
  assert.deepEqual(strings('subject').length, 1)
  assert.deepEqual(strings('to'), ['bob <bob@example.com>'])
  assert.deepEqual(strings('cc'), [])
  assert.ok(strings('head').includes('x-a: 1'))
  assert.match(strings('body').join(), /hello/)
})
