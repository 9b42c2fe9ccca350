import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { scanMessage } from '@postrider/wire/mime'
import { headerProperty, rawValue, readForm, writeForm } from '../mail/header-forms.ts'
import { cutText } from '../mail/message.ts'
import { leaves } from '../mail/email-object.ts'
import { bodyLists, type Part, partTree } from '../mail/parts.ts'

type Node =
  | readonly [type: string, name: string, disposition?: string]
  | readonly [type: string, children: readonly Node[]]

function write(node: Node): string {
  const [type, inside] = node
  if (typeof inside === 'string') {
    const disposition = node[2] === undefined ? '' : `Content-Disposition: ${node[2]}\r\n`
    return `Content-Type: ${type}\r\nContent-ID: <${inside}>\r\n${disposition}\r\n${type === 'message/rfc822' ? 'Subject: x\r\n\r\ny' : inside}`
  }
  const boundary = `b${Math.random().toString(36).slice(2)}`
  return `Content-Type: ${type}; boundary=${boundary}\r\n\r\n${inside.map((one) => `--${boundary}\r\n${write(one)}\r\n`).join('')}--${boundary}--`
}
const treeOf = (node: Node): Part => partTree(scanMessage(Buffer.from(write(node))).parts)
const names = (parts: readonly Part[]): string => parts.map((one) => one.mime.contentId?.slice(1, -1) ?? '').join('')

test('RFC 8621 §4.1.4: the example of the RFC', () => {
  const tree = treeOf([
    'multipart/mixed',
    [
      ['text/plain', 'A', 'inline'],
      [
        'multipart/mixed',
        [
          [
            'multipart/alternative',
            [
              [
                'multipart/mixed',
                [
                  ['text/plain', 'B', 'inline'],
                  ['image/jpeg', 'C', 'inline'],
                  ['text/plain', 'D', 'inline'],
                ],
              ],
              [
                'multipart/related',
                [
                  ['text/html', 'E'],
                  ['image/jpeg', 'F'],
                ],
              ],
            ],
          ],
          ['image/jpeg', 'G', 'attachment'],
          ['application/x-excel', 'H'],
          ['message/rfc822', 'J'],
        ],
      ],
      ['text/plain', 'K', 'inline'],
    ],
  ])
  const { textBody, htmlBody, attachments } = bodyLists(tree)
  assert.deepEqual([names(textBody), names(htmlBody), names(attachments)], ['ABCDK', 'AEK', 'CFGHJ'])
})

const leaf: fc.Arbitrary<Node> = fc.tuple(
  fc.constantFrom('text/plain', 'text/html', 'image/png', 'application/pdf', 'message/rfc822'),
  fc.constantFrom('A', 'B', 'C'),
  fc.constantFrom(undefined, 'inline', 'attachment'),
) as fc.Arbitrary<Node>
const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.tuple(
      fc.constantFrom('multipart/mixed', 'multipart/alternative', 'multipart/related', 'multipart/x-odd'),
      fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
    ) as fc.Arbitrary<Node>,
  ),
}))

test('RFC 8621 §4.1.4: no part of any structure is lost', () => {
  fc.assert(
    fc.property(node, (one) => {
      const tree = treeOf(one)
      const { textBody, htmlBody, attachments } = bodyLists(tree)
      const shown = new Set([...textBody, ...htmlBody, ...attachments])
      for (const part of leaves(tree)) assert.ok(shown.has(part))
    }),
    { numRuns: 2_000 },
  )
})

test('RFC 8621 §4.1.2: forms of header fields, and which field has which', () => {
  assert.deepEqual(
    readForm(
      ' James Smythe <james@example.com>, Friends:\r\n jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n <john@example.com>;',
      'GroupedAddresses',
    ),
    [
      { name: null, addresses: [{ name: 'James Smythe', email: 'james@example.com' }] },
      {
        name: 'Friends',
        addresses: [
          { name: null, email: 'jane@example.com' },
          { name: 'John Smîth', email: 'john@example.com' },
        ],
      },
    ],
  )
  assert.deepEqual(readForm(' <mailto:list@host?subject=help> (List), <http://x/>', 'URLs'), [
    'mailto:list@host?subject=help',
    'http://x/',
  ])
  assert.equal(readForm(' 12 Oct 2026 19:00:00 -0330', 'Date'), '2026-10-12T19:00:00-03:30')
  assert.equal(readForm(' never', 'Date'), null)
  assert.equal(headerProperty('header:Date:asAddresses'), 'forbidden')
  assert.equal(headerProperty('header:'), undefined)
  assert.equal(headerProperty('header:X:asText:all:all'), undefined)
  assert.deepEqual(headerProperty('header:X-A:asText:all'), {
    property: 'header:X-A:asText:all',
    field: 'X-A',
    name: 'x-a',
    form: 'Text',
    all: true,
  })
})

test('RFC 8621 §4.6: no value of a form can end its field', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(
        'Raw' as const,
        'Text' as const,
        'MessageIds' as const,
        'URLs' as const,
        'Addresses' as const,
        'GroupedAddresses' as const,
      ),
      (text, form) => {
        const people = [{ name: text, email: `${text}@example.com` }]
        const value =
          form === 'Addresses'
            ? people
            : form === 'GroupedAddresses'
              ? [{ name: text, addresses: people }]
              : form === 'Raw' || form === 'Text'
                ? ` ${text}`
                : [text]
        let field = ''
        try {
          field = writeForm('X-A', form, value, 'x')
        } catch (error) {
          assert.equal((error as Error).name, 'Misfit')
        }
        const message = Buffer.from(`${field}\r\n`)
        const header = scanMessage(message).header()
        assert.ok(header.fields.length <= 1, JSON.stringify(field))
        assert.ok(header.fields.every((one) => one.name === 'x-a'))
        if (field !== '') assert.ok(field.endsWith('\r\n') && !/\r\n\r\n/.test(field))
      },
    ),
    { numRuns: 500 },
  )
})

test('RFC 8621 §4.2: a text that is cut stays whole characters and no tag stays open', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, max) => {
      const cut = cutText(text, max, false)
      assert.ok(Buffer.byteLength(cut) <= max && text.startsWith(cut) && cut.isWellFormed())
    }),
    { numRuns: 300 },
  )
  assert.equal(cutText('<p>a<img src="x">', 12, true), '<p>a')
  assert.equal(rawValue(Buffer.from(' a\0b\r\n c\r\n')), ' ab\r\n c')
})
