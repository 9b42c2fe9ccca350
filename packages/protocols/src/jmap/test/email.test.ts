import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag } from '@postrider/domain'
import { mail, Room } from './room.ts'

test('RFC 8621 §4.2: Email/get answers every property of a plain mail', async () => {
  await using room = await Room.open()
  const { id, thread, folder } = await room.deliver(
    mail('One', ['References: <a@b> <c@d>', 'X-Thing: =?utf-8?q?caf=C3=A9?=']),
    { received: 1_000_000_000_000, flags: Flag.seen },
  )
  const client = await room.client()
  const { list, state, notFound } = await client.call('Email/get', {
    ids: [id, 'M999999'],
    properties: [
      'threadId',
      'mailboxIds',
      'keywords',
      'size',
      'receivedAt',
      'from',
      'to',
      'cc',
      'subject',
      'sentAt',
      'references',
      'header:X-Thing:asText',
      'header:X-Thing',
      'header:x-none:all',
      'preview',
      'hasAttachment',
      'bodyValues',
      'textBody',
      'htmlBody',
    ],
    fetchTextBodyValues: true,
    bodyProperties: ['partId', 'type', 'size', 'charset'],
  })
  assert.deepEqual(notFound, ['M999999'])
  assert.match(state, /^\d+\.\d+$/)
  const { size, ...rest } = list[0]
  assert.equal(
    size,
    mail('One', ['References: <a@b> <c@d>', 'X-Thing: =?utf-8?q?caf=C3=A9?=']).replace(/\n/g, '\r\n').length,
  )
  const part = { partId: '0', type: 'text/plain', size: 8, charset: 'us-ascii' }
  assert.deepEqual(rest, {
    id,
    threadId: thread,
    mailboxIds: { [`F${folder}`]: true },
    keywords: { $seen: true },
    receivedAt: '2001-09-09T01:46:40Z',
    from: [{ name: 'Carol', email: 'carol@example.net' }],
    to: [{ name: 'Alice', email: 'alice@example.com' }],
    cc: null,
    subject: 'One',
    sentAt: '2026-11-20T10:00:00+01:00',
    references: ['a@b', 'c@d'],
    'header:X-Thing:asText': 'café',
    'header:X-Thing': ' =?utf-8?q?caf=C3=A9?=',
    'header:x-none:all': [],
    preview: 'Hello.',
    hasAttachment: false,
    bodyValues: { 0: { value: 'Hello.\n', isEncodingProblem: false, isTruncated: false } },
    textBody: [part],
    htmlBody: [part],
  })
})

test('RFC 2045 §5.2: a multipart that nothing divides is shown as the plain text it is', async () => {
  await using room = await Room.open()
  const client = await room.client()
  for (const type of ['multipart/mixed', 'multipart/alternative; boundary=never']) {
    const { id } = await room.deliver(mail('Undivided', [`Content-Type: ${type}`], 'All there is.'))
    const properties = ['textBody', 'htmlBody', 'attachments', 'bodyValues', 'preview', 'hasAttachment']
    const { list } = await client.call('Email/get', { ids: [id], properties, fetchTextBodyValues: true })
    const [{ textBody, htmlBody, attachments, bodyValues, preview, hasAttachment }] = list
    assert.deepEqual([textBody.length, htmlBody.length, attachments, hasAttachment], [1, 1, [], false])
    assert.equal(textBody[0].type, 'text/plain')
    assert.equal(bodyValues[textBody[0].partId].value, 'All there is.\n')
    assert.equal(preview, 'All there is.')
  }
})
