import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prepareMessage, readMessageIndex } from '@postrider/wire/mime'
import { envelopePlace, firstAddress } from './addresses.ts'

const of = (header: string, utf8 = false): ((field: keyof typeof envelopePlace) => unknown) => {
  const index = readMessageIndex(prepareMessage(Buffer.from(`${header}\r\n\r\n`)).index)
  return (field) => firstAddress(utf8 ? index.envelopeUtf8 : index.envelope, envelopePlace[field])
}

test('RFC 9051 §7.5.2: the first address of a prepared envelope, groups by their name', () => {
  const one = of(
    'Subject: a "quoted" (paren\r\nFrom: "A \\"B\\" C" <a@b.c>, d@e\r\nTo: team: x@y.z;\r\nCc: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <g@h.i>',
  )
  assert.deepEqual(one('from'), { name: 'A "B" C', mailbox: 'a', host: 'b.c' })
  assert.deepEqual(one('to'), { name: '', mailbox: 'team', host: '' })
  assert.deepEqual(one('cc'), { name: '=?utf-8?q?Gr=C3=BC=C3=9Fe?=', mailbox: 'g', host: 'h.i' })
  assert.equal(of('Subject: x')('to'), undefined)
})
