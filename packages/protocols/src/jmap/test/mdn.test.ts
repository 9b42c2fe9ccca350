/** RFC 9007: read receipts, sent once for each mail, and read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag } from '@postrider/domain'
import type { Args, JmapClient } from '@postrider/testkit/jmap'
import { mail, Room } from './room.ts'

const disposition = { actionMode: 'manual-action', sendingMode: 'mdn-sent-manually', type: 'displayed' }
const asking = 'Disposition-Notification-To: Carol <carol@example.net>'
const identity = async (client: JmapClient): Promise<string> => (await client.call('Identity/get')).list[0].id

test('RFC 9007 §2.1: a notification goes to who asked, from nobody, marks the mail, and goes once', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const one = await room.deliver(mail('Plan', [asking]))
  const send = {
    identityId: await identity(client),
    send: {
      k1: {
        forEmailId: one.id,
        subject: 'Read: Plan é',
        textBody: 'Your message was shown.',
        reportingUA: 'client.example.com; Client',
        disposition,
        extensionFields: { 'X-Note': 'yes\r\nX-Evil: no' },
      },
    },
    onSuccessUpdateEmail: { '#k1': { 'keywords/$mdnsent': true } },
  }
  const answers = await client.request([['MDN/send', { accountId: 'A1', ...send }, 'c']])
  assert.deepEqual(
    answers.map(([name]) => name),
    ['MDN/send', 'Email/set'],
  )
  const answer = answers[0]?.[1] as Args
  assert.deepEqual(answer.sent, {
    k1: {
      finalRecipient: 'rfc822; alice@example.com',
      originalRecipient: null,
      originalMessageId: '<Plan@example.net>',
    },
  })
  const [submission] = room.sent
  assert.deepEqual([submission?.from, submission?.recipients], ['', [{ address: 'carol@example.net' }]])
  const text = Buffer.from(submission?.message ?? new Uint8Array(0)).toString()
  assert.match(text, /Content-Type: multipart\/report; report-type=disposition-notification/)
  assert.match(text, /Disposition: manual-action\/MDN-sent-manually; displayed\r\n/)
  assert.match(text, /Final-Recipient: rfc822; alice@example\.com\r\n/)
  assert.match(text, /Original-Message-ID: <Plan@example\.net>\r\n/)
  assert.match(text, /Auto-Submitted: auto-replied/)
  assert.doesNotMatch(text, /\r\nX-Evil/)
  const { list } = await client.call('Email/get', { ids: [one.id], properties: ['keywords'] })
  assert.deepEqual(list[0].keywords, { $mdnsent: true })
  const again = await client.call('MDN/send', send)
  assert.equal(again.notSent.k1.type, 'mdnAlreadySent')
  assert.equal(room.sent.length, 1)
  // Somebody took the mark away: it still went out before.
  await client.call('Email/set', { update: { [one.id]: { 'keywords/$mdnsent': null } } })
  assert.equal((await client.call('MDN/send', send)).notSent.k1.type, 'mdnAlreadySent')
  assert.equal(room.sent.length, 1)
})

test('RFC 9007 §2.1: refusals, one by one', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const unasked = await room.deliver(mail('No receipt'))
  const sent = await room.deliver(mail('Sent', [asking]), { flags: Flag.mdnSent })
  const fine = await room.deliver(mail('Fine', [asking]))
  const identityId = await identity(client)
  const { notSent } = await client.call('MDN/send', {
    identityId,
    send: {
      gone: { forEmailId: 'M999', disposition },
      unasked: { forEmailId: unasked.id, disposition },
      sent: { forEmailId: sent.id, disposition },
      foreign: { forEmailId: fine.id, disposition, finalRecipient: 'rfc822; bob@example.com' },
      wrong: { forEmailId: fine.id, disposition: { ...disposition, type: 'eaten' } },
      field: { forEmailId: fine.id, disposition, extensionFields: { 'a b': 'x' } },
    },
  })
  const types = Object.fromEntries(
    Object.entries(notSent as Record<string, { type: string }>).map(([key, { type }]) => [key, type]),
  )
  assert.deepEqual(types, {
    gone: 'notFound',
    unasked: 'notFound',
    sent: 'mdnAlreadySent',
    foreign: 'forbiddenFrom',
    wrong: 'invalidProperties',
    field: 'invalidProperties',
  })
  await assert.rejects(client.call('MDN/send', { identityId: 'nobody', send: {} }))
  assert.equal(room.sent.length, 0)
})

test('RFC 9007 §2.2: a notification is read, and the mail it is about found; what is none says so', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const original = await room.deliver(mail('Question'), { role: 'sentitems' })
  const report = await room.deliver(
    mail(
      'Read: Question',
      ['MIME-Version: 1.0', 'Content-Type: multipart/report; report-type=disposition-notification; boundary=b'],
      [
        '--b',
        'Content-Type: text/plain',
        '',
        'It was shown.',
        '--b',
        'Content-Type: message/disposition-notification',
        '',
        'Reporting-UA: phone.example.net; Phone',
        'Final-Recipient: rfc822;carol@example.net',
        'Original-Message-ID: <Question@example.net>',
        'Disposition: automatic-action/MDN-sent-automatically; displayed',
        'X-Seen: twice',
        '--b--',
      ].join('\n'),
    ),
  )
  const { list } = await client.call('Email/get', { ids: [report.id, original.id], properties: ['blobId'] })
  const blobOf = (id: string): string => list.find((one: { id: string }) => one.id === id).blobId
  const { parsed, notParsable, notFound } = await client.call('MDN/parse', {
    blobIds: [blobOf(report.id), blobOf(original.id), 'B999-000000000000'],
  })
  assert.deepEqual(notParsable, [blobOf(original.id)])
  assert.deepEqual(notFound, ['B999-000000000000'])
  const { textBody, ...mdn } = parsed[blobOf(report.id)]
  assert.match(textBody, /It was shown\./)
  assert.deepEqual(mdn, {
    forEmailId: original.id,
    subject: 'Read: Question',
    includeOriginalMessage: false,
    reportingUA: 'phone.example.net; Phone',
    disposition: { actionMode: 'automatic-action', sendingMode: 'mdn-sent-automatically', type: 'displayed' },
    mdnGateway: null,
    originalRecipient: null,
    finalRecipient: 'rfc822;carol@example.net',
    originalMessageId: '<Question@example.net>',
    error: null,
    extensionFields: { 'x-seen': 'twice' },
  })
})
