import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { emptyBag, Flag, fileTime, type Item, namedProperties, Pid } from '@postrider/domain'
import { el, type Element, type Tag } from '@postrider/wire/wbxml'
import { easAddress, easAddresses, MAX_ADDRESSES, parseEasAddresses } from './addresses.ts'
import { parseCategories } from './categories.ts'
import { codePage } from './codepage.ts'
import { conversationHex, conversationIndex, indexTime, responseLevel } from './conversation.ts'
import { compactDate, easDate, parseEasDate } from './dates.ts'
import { parseDraftChange } from './draft-change.ts'
import { parseFlag } from './flag.ts'
import { changedParts, marks } from './marks.ts'
import { appendToBody, bodyOf, crlf } from './text.ts'
import { truncateText, truncateUnits, utf8End } from './truncate.ts'

const item = (of: Partial<Item> = {}): Item =>
  ({ flags: 0, uid: 1, keywords: [], received: 0, props: emptyBag, ...of }) as unknown as Item

test('dates: both forms are read, what is written reads back, nonsense is no date', () => {
  assert.equal(easDate(Date.UTC(2026, 10, 21, 10, 49)), '2026-11-21T10:49:00.000Z')
  assert.equal(compactDate(Date.UTC(2026, 10, 21, 10, 49)), '20261121T104900Z')
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      assert.equal(parseEasDate(easDate(date.getTime())), date.getTime())
      assert.equal(parseEasDate(compactDate(date.getTime())), Math.floor(date.getTime() / 1000) * 1000)
    }),
    { numRuns: 200 },
  )
  for (const wrong of [
    '',
    'x',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01',
    '2026-01-01T24:00:00Z',
    '0000-01-01T00:00:00Z',
  ]) {
    assert.equal(parseEasDate(wrong), undefined, wrong)
  }
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, -1e20, 1e20]) assert.match(easDate(odd), /^\d{4}-/)
})

test('addresses: written so that they read back, whatever the name', () => {
  assert.equal(easAddress({ name: 'A "B" \\ C', address: 'a@example.org' }), '"A \\"B\\" \\\\ C" <a@example.org>')
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (name) => {
      const written = easAddresses([
        { name, address: 'a@example.org' },
        { name: '', address: 'b@example.org' },
      ])
      assert.deepEqual(
        parseEasAddresses(written).map(({ address }) => address),
        ['a@example.org', 'b@example.org'],
        written,
      )
    }),
    { numRuns: 300 },
  )
  const many = Array.from({ length: 5_000 }, (_, n) => ({ name: 'x', address: `${n}@example.org` }))
  const list = easAddresses(many)
  assert.ok(list.length <= MAX_ADDRESSES && list.endsWith('.org>'), 'MS-ASEMAIL_R477: whole addresses only')
})

test('recipients of drafts: commas, semicolons, names with either in quotes', () => {
  const addresses = (text: string) => parseEasAddresses(text).map(({ name, address }) => [name, address])
  assert.deepEqual(addresses('a@x.org; b@x.org, c@x.org;'), [
    ['', 'a@x.org'],
    ['', 'b@x.org'],
    ['', 'c@x.org'],
  ])
  assert.deepEqual(addresses('"Doe; J." <j@x.org>;"A, \\"B\\"" <a@x.org>'), [
    ['Doe; J.', 'j@x.org'],
    ['A, "B"', 'a@x.org'],
  ])
})

test('truncation keeps characters whole and wastes at most three bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.nat(300), (text, size) => {
      const clean = text.toWellFormed()
      const cut = truncateText(clean, size)
      const bytes = Buffer.byteLength(cut)
      assert.ok(bytes <= size)
      assert.ok(clean.startsWith(cut))
      if (cut !== clean) assert.ok(size - bytes <= 3)
      assert.ok(truncateUnits(clean, Math.max(1, size)).isWellFormed())
    }),
    { numRuns: 500 },
  )
  assert.equal(utf8End(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80]), 5), 5, 'bytes that are no UTF-8')
})

test('code pages of charsets', () => {
  for (const [charset, page] of [
    [undefined, 20127],
    ['UTF-8', 65001],
    ['iso-8859-15', 28605],
    ['Windows-1252', 1252],
    ['cp1251', 1251],
    ['Shift_JIS', 932],
    ['constructor', 65001],
  ] as const) {
    assert.equal(codePage(charset), page, String(charset))
  }
})

test('the conversation index: five bytes of the time, five for each answer (MS-ASCON_R86 to R93)', () => {
  const sent = Date.UTC(2026, 10, 21)
  assert.deepEqual(Buffer.from(conversationIndex(item({ received: sent }))), indexTime(sent))
  const header = Buffer.concat([Buffer.from([1]), indexTime(sent), Buffer.alloc(16, 7)])
  const level = responseLevel(header, sent + 3_600_000)
  const stored = Buffer.concat([header, level])
  const index = conversationIndex(item({ props: new Map([[Pid.TagConversationIndex, stored]]) }))
  assert.deepEqual(Buffer.from(index), Buffer.concat([indexTime(sent), level]))
  // [MS-OXOMSG] §2.2.1.3.1: an hour in units of 2^18 hundred nanoseconds, fine scale.
  assert.equal(Math.round((level.readUInt32BE(0) * 2 ** 18) / 1e7 / 60), 60)
  const years = responseLevel(header, sent + 20 * 365 * 86_400_000)
  assert.ok(years.readUInt32BE(0) >= 0x8000_0000, 'coarse scale')
  assert.equal(conversationHex(Buffer.alloc(16, 0xab)), 'ab'.repeat(16))
  assert.equal(conversationHex(Buffer.from(Buffer.alloc(16, 0xab).toString('base64'))), 'ab'.repeat(16))
  assert.equal(conversationHex(Buffer.from('short')), undefined)
})

test('marks tell what changed and nothing else', () => {
  const plain = item()
  const cases: [Item, ReturnType<typeof changedParts>][] = [
    [plain, []],
    [item({ flags: Flag.seen }), ['read']],
    [item({ flags: Flag.flagged }), ['flag']],
    [item({ flags: Flag.answered }), ['verb']],
    [item({ props: new Map([[namedProperties.keywords.tag, ['Red']]]) }), ['categories']],
    [item({ props: new Map([[0x6600_0003, 1]]) }), []],
    [item({ keywords: ['$Label1'] }), []],
    [item({ uid: 2 as never }), 'all'],
    [item({ flags: Flag.seen | Flag.flagged }), ['read', 'flag']],
  ]
  for (const [after, expected] of cases) {
    assert.deepEqual(changedParts(marks(plain), marks(after)), expected)
    assert.ok(Number.isSafeInteger(marks(after)))
  }
  const due = (day: number) =>
    item({
      flags: Flag.flagged,
      props: new Map<number, bigint | number>([
        [Pid.TagFlagStatus, 2],
        [namedProperties.taskDueDate.tag, fileTime(Date.UTC(2026, 0, day))],
      ]),
    })
  assert.deepEqual(changedParts(marks(due(1)), marks(due(2))), ['flag'])
})

test('HTML: what stands in the body, and what is put at its end', () => {
  assert.equal(bodyOf('<html><BODY class="a">x</Body></html>'), 'x')
  assert.equal(bodyOf('no tags'), 'no tags')
  assert.equal(bodyOf('</body>x<body>y'), 'y')
  assert.match(appendToBody('<body>x</body>', ['y']), /^<body>x<br>\r\ny<\/body>$/)
  assert.equal(appendToBody('x', []), 'x')
  assert.equal(crlf('a\nb\r\nc'), 'a\r\nb\r\nc')
})

const tags: readonly Tag[] = [
  'Email:Flag',
  'Email:Status',
  'Email:FlagType',
  'Email:CompleteTime',
  'Tasks:StartDate',
  'Tasks:DueDate',
  'Tasks:ReminderSet',
  'Email:Categories',
  'Email:Category',
  'Email:To',
  'Email:Importance',
  'AirSyncBase:Body',
  'AirSyncBase:Type',
  'AirSyncBase:Data',
  'AirSyncBase:Attachments',
  'AirSyncBase:Add',
  'AirSyncBase:Delete',
  'AirSyncBase:Content',
  'AirSyncBase:FileReference',
]
const anyElement = fc.letrec<{ element: Element }>((tie) => ({
  element: fc
    .tuple(
      fc.constantFrom(...tags),
      fc.array(
        fc.oneof(
          { maxDepth: 3 },
          fc.constantFrom('0', '1', '2', '4', '2026-11-21T00:00:00.000Z', '', '\0', 'x'.repeat(400)),
          fc.uint8Array({ maxLength: 8 }),
          tie('element'),
        ),
        { maxLength: 5 },
      ),
    )
    .map(([tag, content]) => el(tag, ...content)),
})).element

test('whatever a client sends is a change or a refusal, never an error', () =>
  fc.assert(
    fc.property(anyElement, (element) => {
      parseFlag(element, item())
      parseCategories(element)
      parseDraftChange(element)
    }),
    { numRuns: 500 },
  ))
